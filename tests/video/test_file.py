"""Videos as they come: turned, odd, uneven, broken, or none at all."""

import os
import threading
from fractions import Fraction

import av
import numpy as np
import pytest

from ppvd.video import VideoFile

ONE = (0x10000).to_bytes(4, "big")
MINUS_ONE = (0xFFFF0000).to_bytes(4, "big")
END = (0x40000000).to_bytes(4, "big")
UPRIGHT = ONE + bytes(12) + ONE + bytes(12) + END
CLOCKWISE = bytes(4) + ONE + bytes(4) + MINUS_ONE + bytes(16) + END


def frames_of(path):
    return list(VideoFile(path))


def is_red(colour):
    return colour[0] > 200 and colour[1] < 60


@pytest.mark.parametrize(
    ("name", "codec", "layout"),
    [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.mkv", "ffv1", "yuv420p"),
        ("a.webm", "libvpx-vp9", "yuv420p"),
        ("a.gif", "gif", "rgb8"),
    ],
)
def test_frames_come_in_order_with_their_times(clip, name, codec, layout):
    video = VideoFile(clip(name, codec=codec, layout=layout, rate=20))
    frames = list(video)
    assert len(frames) == 10
    assert video.num_frames == 10
    assert video.rate == 20
    assert [frame.image.shape for frame in frames] == [(48, 64, 3)] * 10
    assert [round(float(20 * frame.time), 2) for frame in frames] == list(range(10))
    greys = [frame.image[28:].mean() for frame in frames]  # A GIF's few colours are mixed.
    assert np.abs(np.array(greys) - 10 * np.arange(10)).max() < 6
    assert is_red(frames[0].image[3, 3])
    assert not any(frame.repeated for frame in frames)


def test_the_rotation_flag_turns_frames_upright(clip):
    path = clip()
    content = path.read_bytes()
    place = content.index(UPRIGHT, content.index(b"tkhd"))
    path.write_bytes(content[:place] + CLOCKWISE + content[place + len(CLOCKWISE) :])
    image = frames_of(path)[0].image
    assert image.shape == (64, 48, 3)
    assert is_red(image[3, -4])  # What was at the left is at the top.
    assert not is_red(image[3, 3])
    assert not is_red(image[-4, -4])


def test_oblong_pixels_are_made_square(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 60, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        container.mux(stream.encode(av.VideoFrame(60, 48, "yuv420p")))
        container.mux(stream.encode())
    assert frames_of(tmp_path / "a.mp4")[0].image.shape == (48, 80, 3)


@pytest.mark.parametrize("size", [(33, 47), (1, 1), (16, 121)])
def test_odd_sizes_are_kept(clip, size):
    path = clip("a.mkv", 3, size=size, codec="ffv1", layout="bgr0")
    assert [frame.image.shape[:2] for frame in frames_of(path)] == [size] * 3


def test_frames_at_uneven_times_keep_them(clip):
    times = [0, 10, 500, 510, 2000]
    path = clip("a.mkv", 5, times=times, codec="ffv1", layout="bgr0")
    assert [1000 * frame.time for frame in frames_of(path)] == times


def test_times_begin_at_zero(clip):
    path = clip("a.mkv", 3, times=[700, 800, 900], codec="ffv1", layout="bgr0")
    assert [1000 * frame.time for frame in frames_of(path)] == [0, 100, 200]


def test_a_single_frame_is_a_video(clip):
    assert len(frames_of(clip(num=1))) == 1


def test_a_pipe_is_read_from_front_to_back(clip):
    content = clip("a.mkv").read_bytes()
    reading, writing = os.pipe()

    def pour():
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(content)

    thread = threading.Thread(target=pour)
    thread.start()
    with os.fdopen(reading, "rb") as pipe:
        assert len(list(VideoFile(pipe, name="pipe"))) == 10
    thread.join()


@pytest.mark.parametrize("codec", ["mjpeg", "mpeg4", "libx264"])
def test_broken_frames_are_repeated_and_told(clip, broken, codec):
    layout = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = broken(clip("a.mp4", codec=codec, layout=layout), [4, 5])
    frames = frames_of(path)
    assert len(frames) == 10
    lost = [number for number, frame in enumerate(frames) if frame.repeated]
    assert len(lost) == 2
    for number in lost:
        assert (frames[number].image == frames[number - 1].image).all()
    assert [round(float(25 * frame.time), 2) for frame in frames] == list(range(10))


def test_broken_frames_at_the_ends_change_neither_order_nor_count_but_of_the_first(clip, broken):
    path = broken(clip("a.mp4", codec="mjpeg", layout="yuvj420p"), [0, 9])
    frames = frames_of(path)
    assert len(frames) == 9  # There is nothing to stand in for the first.
    assert [frame.repeated for frame in frames] == [False] * 8 + [True]
    assert frames[0].time == 0


def test_a_file_that_breaks_off_ends_there(clip):
    path = clip("a.mkv", 40, codec="mjpeg", layout="yuvj420p")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert 10 < len(frames_of(path)) < 30


def test_a_stream_copied_without_its_rate_keeps_that_of_its_frames(clip):
    path = clip(num=72, times=range(0, 7200, 100))
    copy = path.with_suffix(".mkv")
    with av.open(str(path)) as source, av.open(str(copy), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    with av.open(str(copy)) as written:
        assert written.streams.video[0].average_rate > 100  # The clock of the encoder.
    video = VideoFile(copy)
    assert video.rate == 10
    assert abs(video.num_frames - 72) <= 1  # Estimated from the length.


def test_frames_of_another_size_are_refused_where_they_come(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuvj420p"
        for number, (width, height) in enumerate([(64, 48)] * 3 + [(32, 16)]):
            encoder = av.CodecContext.create("mjpeg", "w")
            encoder.height, encoder.width, encoder.pix_fmt = height, width, "yuvj420p"
            encoder.time_base = Fraction(1, 25)
            frame = av.VideoFrame(width, height, "yuvj420p")
            frame.pts = number
            for packet in encoder.encode(frame):
                packet.stream = stream
                container.mux(packet)
    frames = iter(VideoFile(path))
    assert [next(frames).image.shape for _ in range(3)] == [(48, 64, 3)] * 3
    with pytest.raises(ValueError, match="one size, 64 x 48 as the first, but frame 3 is 32 x 16"):
        next(frames)


def test_what_is_no_video_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("no video at all " * 100)
    for name in ("empty.mp4", "text.mp4"):
        with pytest.raises(ValueError, match=f"{name} must be one that FFmpeg reads, but it is"):
            VideoFile(tmp_path / name)
    with pytest.raises(ValueError, match=r"gone.mp4 must exist: check the path"):
        VideoFile(tmp_path / "gone.mp4")


def test_a_file_with_sound_alone_has_no_video_stream(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=48000, layout="mono")
        silence = np.zeros((1, 1024), np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 48000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(ValueError, match=r"a.mp4 must have a video stream, but has none"):
        VideoFile(tmp_path / "a.mp4")


def test_a_video_without_a_frame_that_can_be_decoded_is_refused(clip, broken):
    path = broken(clip("a.mp4", codec="mjpeg", layout="yuvj420p"), range(10))
    with pytest.raises(ValueError, match=r"must have a frame that can be decoded, but has none"):
        list(VideoFile(path))
