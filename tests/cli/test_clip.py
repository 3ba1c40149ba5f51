"""``ppvd depth`` of video: clips and folders in, files out, mistakes in one sentence."""

import functools
import io
import json
import shutil
import signal
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import OpenEXR
import pytest
import torch
from tqdm import tqdm

from ppvd.cli import clip_predictors
from ppvd.nn import CascadeDiT, Propagation
from ppvd.semantics import ViT, ViTEncoder
from ppvd.tasks import PPVD, WindowPlan
from ppvd.video import VideoFile, VideoOutput
from ppvd.video.camera import _SYSTEMS

NUM_FRAMES = 20


@pytest.fixture
def run(fitted):
    """A run of the toy, a model of images whose code is the image's grey."""
    return fitted()


def write_clip(path, num=NUM_FRAMES, *, size=(16, 24), sound=False):
    """A clip that gets darker."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
        audio = container.add_stream("aac", rate=48000, layout="mono") if sound else None
        for number in range(num):
            image = np.full((*size, 3), 200 - 5 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
        for number in range(round(4.8 * num) if sound else 0):
            wave = np.zeros((1, 1024), np.float32)
            frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48000, 1024 * number
            container.mux(audio.encode(frame))
        if sound:
            container.mux(audio.encode())
    return str(path)


def write_frames(folder, numbers, size=(16, 24)):
    Path(folder).mkdir()
    for number in numbers:
        cv2.imwrite(f"{folder}/{number}.png", np.full((*size, 3), 10 * number, np.uint8))


def values_of(path):
    with av.open(str(path)) as container:
        frames = container.decode(video=0)
        return np.stack([frame.to_ndarray(format="gray16le") for frame in frames])


def test_a_clip_becomes_every_kind_of_file(run, ppvd, capsys):
    write_clip("walk.mp4")
    capsys.readouterr()
    kinds = "video,preview,png,npz,exr,ply"
    ppvd("depth", "walk.mp4", "--model", run, "--out", "out", "--write", kinds)
    said = capsys.readouterr()
    assert said.out.splitlines()[-1].startswith("20 frames of walk.mp4: out/walk_depth.mkv, ")
    assert "Toy is a model of images: frame by frame, depth may flicker" in said.err
    values = values_of("out/walk_depth.mkv")
    assert values.shape == (NUM_FRAMES, 16, 24)
    png = cv2.imread("out/walk_png/000007.png", cv2.IMREAD_UNCHANGED)
    assert (png == values[7]).all()
    note = json.loads(Path("out/walk.json").read_text())
    assert note["num_frames"] == NUM_FRAMES
    assert note["fps"] == 10
    reading = note["sixteen_bits"]
    assert reading["formula"] == "log(depth + 1) = first + (value - 1) * step"
    metres = np.expm1(reading["first"] + (values - 1.0) * reading["step"])
    with np.load("out/walk_depth.npz") as arrays:
        np.testing.assert_allclose(metres, arrays["depth"], rtol=1e-3)
    exr = OpenEXR.File("out/walk_exr/000007.exr").channels()["Z"].pixels
    np.testing.assert_allclose(exr, metres[7], rtol=1e-3)
    assert len(list(Path("out/walk_ply").iterdir())) == NUM_FRAMES
    assert Path("out/walk_ply/000000.ply").read_bytes().startswith(b"ply\n")
    assert {path.name for path in Path("out").iterdir()} == {
        *("walk.json", "walk_report.png", "walk_depth.mkv", "walk_preview.mp4", "walk_depth.npz"),
        *("walk_png", "walk_exr", "walk_ply"),
    }


def test_the_preview_has_the_picture_the_depth_the_rate_and_the_sound(run, ppvd):
    write_clip("walk.mp4", sound=True)
    ppvd("depth", "walk.mp4", "--model", run, "--write", "preview")
    with av.open("depth/walk_preview.mp4") as container:
        assert container.streams.video[0].average_rate == 10
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == NUM_FRAMES
    assert frames[0].shape == (16, 48, 3)
    assert np.ptp(frames[0][4:12, 4:20].astype(int).max(axis=2)) < 12
    assert abs(int(frames[0][8, 8, 0]) - 200) < 8  # Colours survive their way through BT.709.
    assert abs(int(frames[9][8, 8, 1]) - 155) < 8
    with av.open("walk.mp4") as before, av.open("depth/walk_preview.mp4") as after:
        heard = [[bytes(p) for p in c.demux(audio=0) if p.size] for c in (before, after)]
    assert 0 <= len(heard[0]) - len(heard[1]) <= 3  # It ends with the picture.
    assert heard[1] == heard[0][-len(heard[1]) :] or heard[1] == heard[0][: len(heard[1])]


def test_a_folder_is_a_video_only_with_a_rate_and_goes_by_its_numbers(run, ppvd):
    write_frames("shots", [1, 2, 10, 11])
    ppvd("depth", "shots", "--model", run, "--fps", "30000/1001", "--write", "npz")
    with np.load("depth/shots_depth.npz") as arrays:
        depth, times = arrays["depth"][:, 0, 0], arrays["time"]
    assert (np.diff(depth) > 0).all()
    np.testing.assert_allclose(times, np.arange(4) * 1001 / 30000)
    ppvd("depth", "shots", "--model", run, "--out", "photos")
    assert len(list(Path("photos").glob("*.ply"))) == 4


def test_a_broken_frame_of_a_folder_is_repeated_and_listed(run, ppvd, capsys):
    write_frames("shots", range(1, 6))
    Path("shots/3.png").write_bytes(b"no picture")
    ppvd("depth", "shots", "--model", run, "--fps", "5", "--write", "video")
    assert "frames of shots that are broken were repeated: 2\n" in capsys.readouterr().err
    assert json.loads(Path("depth/shots.json").read_text())["repeated_frames"] == [2]
    values = values_of("depth/shots_depth.mkv")
    assert (values[2] == values[1]).all()


def test_a_clip_that_breaks_off_is_told(run, ppvd, capsys):
    content = Path(write_clip("walk.mkv", 40, size=(160, 240))).read_bytes()
    Path("walk.mkv").write_bytes(content[: len(content) // 2])
    ppvd("depth", "walk.mkv", "--model", run, "--write", "video")
    num_read = len(values_of("depth/walk_depth.mkv"))
    assert 0 < num_read < 38
    said = capsys.readouterr().err
    assert f"walk.mkv breaks off: it has {num_read} of 40 frames" in said


def test_a_clip_comes_through_a_pipe(run, ppvd, monkeypatch):
    content = Path(write_clip("walk.mkv")).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    ppvd("depth", "-", "--model", run, "--write", "video")
    assert len(values_of("depth/pipe_depth.mkv")) == NUM_FRAMES


def test_clips_and_photographs_go_together(run, ppvd):
    cv2.imwrite("photo.png", np.zeros((8, 9, 3), np.uint8))
    write_clip("walk.mp4", 3)
    ppvd("depth", "photo.png", "walk.mp4", "--model", run)
    assert Path("depth/photo.ply").exists()
    assert len(values_of("depth/walk_depth.mkv")) == 3


def test_a_job_that_was_interrupted_is_resumed_and_a_finished_one_left_alone(
    run, ppvd, toys, refused, monkeypatch, capsys
):
    write_clip("walk.mp4", 40)
    options = ["--model", run, "--write", "video"]
    ppvd("depth", "walk.mp4", *options, "--out", "whole")
    predict, asked = toys.Toy.predict_code, []

    def interrupted(task, image, *, keys):
        asked.append(1)
        if len(asked) == 35:
            raise KeyboardInterrupt
        return predict(task, image, keys=keys)

    monkeypatch.setattr(toys.Toy, "predict_code", interrupted)
    code, sentence = refused("depth", "walk.mp4", *options)
    assert code == 130
    assert sentence.startswith("interrupted; the 32 frames before are kept: depth/walk_depth.mkv")
    assert len(values_of("depth/walk_depth.mkv")) == 32
    note, whole = (json.loads(Path(out, "walk.json").read_text()) for out in ("depth", "whole"))
    assert (note["complete"], note["num_frames"]) == (False, 32)
    assert (whole["complete"], whole["num_frames"]) == (True, 40)
    assert note["sixteen_bits"] == whole["sixteen_bits"]
    assert note["wobble"]["frames"] == whole["wobble"]["frames"][:32]
    ppvd("depth", "walk.mp4", *options, "--resume")
    assert json.loads(Path("depth/walk.json").read_text())["complete"]
    assert len(asked) == 35 + 8
    whole, parts = (Path(out, "walk_depth.mkv").read_bytes() for out in ("whole", "depth"))
    assert parts == whole
    ppvd("depth", "walk.mp4", *options, "--resume")
    assert "walk.mp4 is done: see depth/walk.json" in capsys.readouterr().out
    assert len(asked) == 35 + 8


def test_a_job_that_was_stopped_lists_what_it_wrote_alone_and_is_not_done(
    run, ppvd, toys, refused, monkeypatch
):
    write_frames(Path("shots"), range(24))
    Path("shots/17.png").write_bytes(b"torn")
    predict, asked, shown = toys.Toy.predict_code, [], []

    def interrupted(task, image, *, keys):
        asked.append(1)
        if len(asked) == 18:
            raise KeyboardInterrupt
        return predict(task, image, keys=keys)

    class Bar(tqdm):
        def update(self, n=1):
            shown.append(n)

    monkeypatch.setattr(toys.Toy, "predict_code", interrupted)
    monkeypatch.setattr("ppvd.cli.clip.tqdm", Bar)
    words = ["depth", "shots", "--fps", "8", "--model", run, "--write", "video"]
    assert refused(*words)[0] == 130
    note = json.loads(Path("depth/shots.json").read_text())
    assert (note["num_frames"], note["repeated_frames"]) == (16, [])
    assert sum(shown) == 16
    shutil.rmtree("depth/shots.part")
    ppvd(*words, "--resume")
    note = json.loads(Path("depth/shots.json").read_text())
    assert (note["num_frames"], note["repeated_frames"]) == (24, [17])


def test_a_job_is_resumed_as_it_was_begun_or_not_at_all(run, toys, refused, monkeypatch):
    write_clip("walk.mp4", 40)
    asked = []

    def failing(task, image, *, keys):  # noqa: ARG001 - the method's signature
        asked.append(1)
        if len(asked) == 20:
            raise ValueError("the film tore")
        return image.mean(1, keepdim=True)

    monkeypatch.setattr(toys.Toy, "predict_code", failing)
    code, sentence = refused("depth", "walk.mp4", "--model", run)
    assert code == 1
    assert sentence.startswith("the film tore; the 16 frames before are kept")
    got = refused("depth", "walk.mp4", "--model", run, "--near", "2", "--resume")
    assert got[1].startswith("a job can only be resumed as it was begun, in depth/walk.part, but")


def video_model():
    torch.manual_seed(0)
    net = functools.partial(
        CascadeDiT, width=16, depth=2, num_heads=2, patch=4, propagation=Propagation(pool=2)
    )
    encoder = ViTEncoder(ViT(width=16, depth=1, num_heads=2, patch=8, grid=2))
    task = PPVD(encoder, net, windows=WindowPlan(length=5, keyframes=(0, 2, 4)), num_steps=1)
    for parameter in task.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return task.eval()


def test_a_video_model_streams_what_it_predicts_at_once(run, ppvd, monkeypatch):
    task = video_model()
    monkeypatch.setattr("ppvd.cli.depth._model", lambda _: (task, "a video model"))
    write_clip("walk.mp4", 9)
    ppvd("depth", "walk.mp4", "--model", run, "--write", "npz", "--noise", "still")
    frames = [frame.tensor() for frame in VideoFile(Path("walk.mp4"))]
    codes = torch.stack(list(task.predict_clip(frames, key="walk")))
    expected = task.codec.decode(codes, task.codec.range_between(1.0, 10.0))
    with np.load("depth/walk_depth.npz") as arrays:
        assert (arrays["depth"] == expected[:, 0].numpy()).all()
    note = json.loads(Path("depth/walk.json").read_text())
    assert note["near_is_high"]
    assert note["depth"].endswith("of 1 / depth")
    assert len(note["windows"]) == 3
    assert note["job"]["noise"] == "still"
    assert note["windows"][0] == {"scale": 1.0, "shift": 0.0, "seam_rms": 0.0}
    assert cv2.imread("depth/walk_report.png").shape == (4 * 150, 960, 3)


@pytest.mark.parametrize(("most", "expected"), [(100, 100), (500, None)])
def test_large_frames_are_looked_at_smaller_and_small_ones_as_they_are(
    run, ppvd, monkeypatch, most, expected
):
    task = video_model()
    monkeypatch.setattr("ppvd.cli.depth._model", lambda _: (task, "a video model"))
    monkeypatch.setattr(clip_predictors, "CLIP_PIXELS", most)
    write_clip("walk.mp4", 2)
    ppvd("depth", "walk.mp4", "--model", run, "--write", "video")
    assert task.pixels == expected
    assert values_of("depth/walk_depth.mkv").shape == (2, 16, 24)


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["gone.mp4"], 1, "video gone.mp4 must exist: check the path"),
        (["text.mp4"], 1, "video text.mp4 must be one that FFmpeg reads, but it is not"),
        (["a/walk.mp4", "walk.mp4"], 2, "clips must have names of their own, but two are called"),
        (["walk.mp4", "--fps", "25"], 2, "--fps must be left out: walk.mp4 has its own"),
        (["walk.mp4", "--fps", "fast"], 2, "argument --fps: must be frames a second, such as 24"),
        (["walk.mp4", "--write", "avi"], 2, "argument --write: must list some of video, preview"),
        (["empty", "--fps", "5"], 1, "folder empty must hold a photograph"),
    ],
)
def test_mistakes_are_one_sentence_and_write_nothing(words, code, sentence, run, refused):
    Path("a").mkdir()
    Path("empty").mkdir()
    write_clip("a/walk.mp4", 2)
    write_clip("walk.mp4", 2)
    Path("text.mp4").write_text("no video")
    got = refused("depth", *words, "--model", run)
    assert got[0] == code
    assert got[1].startswith(sentence)
    assert not Path("depth").exists()


def test_a_camera_runs_until_ctrl_c_which_is_its_end_and_no_mistake(run, ppvd, monkeypatch):
    """Bars that FFmpeg makes without end, in place of a camera."""
    monkeypatch.setitem(_SYSTEMS, sys.platform, ("lavfi", "testsrc2=size=24x16:rate=10"))
    write, num_segments = VideoOutput.write, []

    def pressed(output, segment, shots):
        write(output, segment, shots)
        num_segments.append(segment)
        if len(num_segments) == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(VideoOutput, "write", pressed)
    before = signal.getsignal(signal.SIGINT)
    ppvd("depth", "camera", "--model", run, "--write", "video")
    assert signal.getsignal(signal.SIGINT) is before
    num_frames = len(values_of("depth/camera_depth.mkv"))
    assert 32 <= num_frames <= 32 + 3 * 16 + 8
    assert json.loads(Path("depth/camera.json").read_text())["num_frames"] == num_frames
    assert not Path("depth/camera.part").exists()


def test_a_camera_that_is_not_there_is_said(run, refused, monkeypatch):
    monkeypatch.setitem(_SYSTEMS, sys.platform, ("lavfi", "testsrc2=size=24x16:rate=10"))
    code, sentence = refused("depth", "camera", "--model", run, "--resume")
    assert (code, sentence) == (2, "--resume must be left out: what a camera has shown is gone")
    code, sentence = refused("depth", "camera:no_such_filter", "--model", run)
    assert code == 1
    assert sentence.startswith("camera no_such_filter must be one that FFmpeg reads, but it is not")


def test_the_report_needs_no_truth(run, ppvd):
    write_clip("walk.mp4", 9)
    ppvd("depth", "walk.mp4", "--model", run, "--write", "video")
    wobble = json.loads(Path("depth/walk.json").read_text())["wobble"]
    assert wobble == {"mean": None, "still_share": 0.0, "frames": [None] * 9}  # flat pictures
    assert cv2.imread("depth/walk_report.png").shape == (150, 960, 3)  # no windows to tell of


def test_without_pyav_the_extra_is_named(run, refused, monkeypatch):
    write_clip("walk.mp4", 2)
    from ppvd.video.backend import av as backend

    backend.cache_clear()
    monkeypatch.setitem(sys.modules, "av", None)
    got = refused("depth", "walk.mp4", "--model", run)
    backend.cache_clear()
    assert got == (2, "reading video needs PyAV: pip install 'ppvd[video]'")


def test_windows_are_batched_and_spread_and_a_job_goes_on_in_the_same_batches(
    run, ppvd, refused, monkeypatch
):
    task = video_model()
    monkeypatch.setattr("ppvd.cli.depth._model", lambda _: (task, "a video model"))
    write_clip("walk.mp4", 14)
    options = ["walk.mp4", "--model", run, "--write", "video", "--device", "cpu"]
    ppvd("depth", *options, "--out", "alone")
    ppvd("depth", *options, "--out", "spread", "--devices", "2")
    ppvd("depth", *options, "--out", "together", "--batch-windows", "3", "--devices", "2")
    files = [Path(out, "walk_depth.mkv") for out in ("alone", "spread", "together")]
    assert files[0].read_bytes() == files[1].read_bytes()
    alone, together = values_of(files[0]).astype(int), values_of(files[2]).astype(int)
    assert abs(alone - together).max() <= 1
    sample, asked = type(task)._sample, []

    def interrupted(task, clips, noise):
        asked.append(1)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return sample(task, clips, noise)

    monkeypatch.setattr(type(task), "_sample", interrupted)
    batches = ["--batch-windows", "2"]
    refused("depth", *options, *batches)
    got = refused("depth", *options, "--batch-windows", "3", "--resume")
    assert "but batch_windows changed from {'batch_windows': 2}" in got[1]
    ppvd("depth", *options, *batches, "--resume")
    ppvd("depth", *options, *batches, "--out", "pairs")
    assert values_of("depth/walk_depth.mkv").shape == (14, 16, 24)
    again, pairs = (Path(out, "walk_depth.mkv").read_bytes() for out in ("depth", "pairs"))
    assert again == pairs


def test_an_image_models_frames_are_spread_but_it_has_no_windows(run, ppvd, refused):
    write_clip("walk.mp4")
    options = ["walk.mp4", "--model", run, "--write", "video", "--device", "cpu"]
    ppvd("depth", *options, "--out", "alone")
    ppvd("depth", *options, "--out", "spread", "--devices", "3")
    alone, spread = (Path(out, "walk_depth.mkv").read_bytes() for out in ("alone", "spread"))
    assert alone == spread
    code, sentence = refused("depth", *options, "--batch-windows", "2")
    assert code == 2
    assert sentence == "--batch-windows must be left out: Toy is a model of images"
