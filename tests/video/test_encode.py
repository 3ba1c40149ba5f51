"""Colours and sound of the videos that are written."""

from fractions import Fraction

import av
import numpy as np
import pytest

from ppvd.video import COLOUR_ENCODING, VideoFile
from ppvd.video.encode import encode
from ppvd.video.join import join

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 160, 40), (128, 128, 128)]


@pytest.mark.parametrize("colour", COLOURS)
def test_colours_come_back_as_they_went(tmp_path, colour):
    picture = np.full((32, 48, 3), colour, np.uint8)
    path = tmp_path / "a.mp4"
    encode(path, [(picture, Fraction(0))], encoding=COLOUR_ENCODING, rate=Fraction(25))
    (frame,) = VideoFile(path)
    assert np.abs(frame.image.astype(int) - colour).max() <= 4
    with av.open(str(path)) as container:
        shown = next(container.decode(video=0))
    assert int(shown.colorspace) == 1  # BT.709, and says so.


def parts_of(folder, num):
    """Two segments that go on from each other."""
    pictures = np.full((num, 32, 48, 3), 90, np.uint8)
    timed = [(picture, Fraction(number, 25)) for number, picture in enumerate(pictures)]
    paths = [folder / "0.mp4", folder / "1.mp4"]
    for path, part in zip(paths, (timed[: num // 2], timed[num // 2 :]), strict=True):
        encode(path, part, encoding=COLOUR_ENCODING, rate=Fraction(25))
    return paths


def test_sound_goes_along_unchanged_and_ends_with_the_picture(tmp_path, clip):
    long = clip("long.mp4", 50, sound="aac")
    parts = parts_of(tmp_path, 20)
    joined = tmp_path / "joined.mp4"
    join(parts, joined, container="mp4", sound=long, seconds=Fraction(20, 25))
    with av.open(str(joined)) as container:
        heard = [(bytes(p), p.pts) for p in container.demux(audio=0) if p.size]
        rate = container.streams.audio[0].rate
    with av.open(str(long)) as container:
        before = [bytes(p) for p in container.demux(audio=0) if p.size]
    first = before.index(heard[0][0])
    assert first <= 1  # An encoder's priming lies before the first frame.
    assert [sound for sound, _ in heard] == before[first : first + len(heard)]
    assert 0.74 < max(time for _, time in heard) / rate < 0.8
    assert len(list(VideoFile(joined))) == 20


@pytest.mark.parametrize("sound", [None, "pcm_s16le"])
def test_without_sound_that_fits_there_is_the_picture_alone(tmp_path, clip, sound):
    source = clip("a.mkv", 20, sound=sound) if sound else clip("a.mkv", 20)
    joined = tmp_path / "joined.mp4"
    join(parts_of(tmp_path, 20), joined, container="mp4", sound=source, seconds=Fraction(20, 25))
    with av.open(str(joined)) as container:
        assert not container.streams.audio
    assert [25 * frame.time for frame in VideoFile(joined)] == list(range(20))
