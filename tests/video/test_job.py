"""A clip is a stream: nothing grows with its length, and it can be stopped anywhere."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest

from ppvd.video import CODE_LIMITS, CODE_STEP, ClipStoppedError

STUB = Path(__file__).with_name("stub_clip.py")


def decoded(path, layout):
    """All frames of a file, and their times in seconds."""
    with av.open(str(path)) as container:
        pairs = [(f.to_ndarray(format=layout), f.time) for f in container.decode(video=0)]
    return np.stack([frame for frame, _ in pairs]), np.array([time for _, time in pairs])


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def expected_codes(num, length=4):
    red = np.arange(num) % 256 / 255 - 0.5
    return red + 0.01 * (1 + np.arange(num) // length)


@pytest.mark.parametrize("num", [1, 2, 3, 4, 5, 11])
def test_all_outputs_hold_the_same_frames(stub, tmp_path, num):
    running = stub.job(tmp_path, stub.Ramps(num))
    running.run()
    done = running.done
    assert done.num_frames == num
    values, times = decoded(tmp_path / "depth.mkv", "gray16le")
    codes = CODE_LIMITS[0] + (values.astype(np.float64) - 1) * CODE_STEP
    assert np.abs(codes[:, 2, 2] - expected_codes(num)).max() <= CODE_STEP / 2 + 1e-6
    np.testing.assert_allclose(times, np.arange(num) / 25, atol=5e-4)
    pictures, times = decoded(tmp_path / "preview.mp4", "rgb24")
    assert pictures.shape == (num, 4, 12, 3)
    np.testing.assert_allclose(times, np.arange(num) / 25, atol=1e-9)
    with np.load(tmp_path / "depth.npz") as arrays:
        depth, times = arrays["depth"], arrays["time"]
    assert depth.shape == (num, 4, 6)
    np.testing.assert_allclose(depth[:, 2, 2], expected_codes(num) + 2, atol=1e-6)
    np.testing.assert_allclose(times, np.arange(num) / 25)
    alone = np.load(tmp_path / "frames" / f"{num - 1:06d}.npy")
    np.testing.assert_allclose(alone[0], depth[-1] - 2, atol=1e-6)
    assert running.repeated == [number for number in range(num) if number % 7 == 5]
    assert not (tmp_path / "a.part").exists()


@pytest.mark.parametrize("fail_at", [5, 8, 22])
def test_a_job_that_failed_goes_on_and_leaves_what_it_would_have_left_at_once(
    stub, tmp_path, fail_at
):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    stub.job(whole, stub.Ramps(23)).run()
    torn = stub.Ramps(23, fail_at=fail_at, error=ValueError("the film tore"))
    with pytest.raises(ClipStoppedError, match=r"the film tore; the .* frames before are kept"):
        stub.job(parts, torn).run()
    playable, _ = decoded(parts / "depth.mkv", "gray16le")
    assert len(playable) == fail_at // 4 * 4
    assert len(decoded(parts / "preview.mp4", "rgb24")[0]) == len(playable)
    predictor = stub.Summed()
    again = stub.job(parts, stub.Ramps(23), predictor)
    again.run(resume=True)
    assert predictor.num_predicted == 6 - fail_at // 4
    assert contents(parts) == contents(whole)
    assert again.repeated == [5, 12, 19]


def test_without_resume_a_job_starts_anew(stub, tmp_path):
    torn = stub.Ramps(23, fail_at=10, error=ValueError("the film tore"))
    with pytest.raises(ClipStoppedError):
        stub.job(tmp_path, torn).run()
    predictor = stub.Summed()
    stub.job(tmp_path, stub.Ramps(9), predictor).run()
    assert predictor.num_predicted == 3
    assert len(decoded(tmp_path / "depth.mkv", "gray16le")[0]) == 9


def test_another_job_is_not_gone_on_with(stub, tmp_path):
    torn = stub.Ramps(23, fail_at=10, error=ValueError("the film tore"))
    with pytest.raises(ClipStoppedError):
        stub.job(tmp_path, torn, description={"clip": "a", "steps": 4}).run()
    other = stub.job(tmp_path, stub.Ramps(23), description={"clip": "a", "steps": 8})
    with pytest.raises(ValueError, match=r"but steps changed from \{'steps': 4\}: give what was"):
        other.run(resume=True)


def test_a_note_that_was_tampered_with_is_named(stub, tmp_path):
    torn = stub.Ramps(23, fail_at=10, error=ValueError("the film tore"))
    with pytest.raises(ClipStoppedError):
        stub.job(tmp_path, torn).run()
    note = tmp_path / "a.part" / "progress.safetensors"
    note.write_bytes(note.read_bytes()[:20])
    with pytest.raises(ValueError, match=r"progress.safetensors must be whole: remove .*a.part"):
        stub.job(tmp_path, stub.Ramps(23)).run(resume=True)


def test_a_clip_that_fails_at_once_says_that_nothing_was_written(stub, tmp_path):
    torn = stub.Ramps(3, fail_at=0, error=ValueError("the film tore"))
    with pytest.raises(ClipStoppedError, match="the film tore; nothing was written"):
        stub.job(tmp_path, torn).run()


def test_a_full_disk_is_said_in_a_sentence_and_what_was_written_plays(stub, tmp_path, monkeypatch):
    running = stub.job(tmp_path, stub.Ramps(23))
    write = type(running.outputs[0]).write

    def full(output, segment, shots):
        if segment == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(output, segment, shots)

    monkeypatch.setattr(type(running.outputs[0]), "write", full)
    with pytest.raises(ClipStoppedError) as stopped:
        running.run()
    sentence = str(stopped.value)
    assert sentence.startswith("No space left on device; the 12 frames before are kept: ")
    assert sentence.endswith("--resume goes on from there")
    assert len(decoded(tmp_path / "depth.mkv", "gray16le")[0]) == 12
    monkeypatch.undo()
    stub.job(tmp_path, stub.Ramps(23)).run(resume=True)
    assert len(decoded(tmp_path / "depth.mkv", "gray16le")[0]) == 23


def test_a_disk_too_full_to_join_leaves_the_parts(stub, tmp_path, monkeypatch):
    running = stub.job(tmp_path, stub.Ramps(23), kinds=slice(1))

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("ppvd.video.outputs.join", full)
    with pytest.raises(ClipStoppedError, match=r"23 frames before are kept: parts in .*a.part"):
        running.run()
    part = tmp_path / "a.part" / "000002_depth.mkv"
    assert len(decoded(part, "gray16le")[0]) == 4


def test_ctrl_c_leaves_what_plays_and_says_so(stub, tmp_path):
    torn = stub.Ramps(23, fail_at=10, error=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt, match=r"the 8 frames before are kept: .*depth.mkv"):
        stub.job(tmp_path, torn).run()
    assert len(decoded(tmp_path / "preview.mp4", "rgb24")[0]) == 8


def test_frames_are_read_as_they_are_needed(stub, tmp_path):
    source, counts = stub.Ramps(400), []

    def told(num_written):
        counts.append((source.num_read, num_written))

    stub.job(tmp_path, source, on_frames=told).run()
    assert counts[-1] == (400, 400)
    # Eight frames decoded ahead, and two segments between the network and the disk.
    assert max(read - written for read, written in counts) <= 8 + 3 * 4


def test_a_job_killed_in_the_middle_goes_on_and_leaves_the_same_bytes(stub, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    size = {"size": (32, 48)}
    stub.job(whole, stub.Ramps(150, **size), stub.Summed(16), kinds=slice(3)).run()
    killed = subprocess.Popen(
        [sys.executable, str(STUB), str(parts), "150", "0.02"], stdout=subprocess.DEVNULL
    )
    note = parts / "a.part" / "progress.safetensors"
    deadline = time.monotonic() + 600
    while not note.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert note.exists()
    assert not (parts / "depth.mkv").exists()
    predictor = stub.Summed(16)
    stub.job(parts, stub.Ramps(150, **size), predictor, kinds=slice(3)).run(resume=True)
    assert 0 < predictor.num_predicted < 10
    assert contents(parts) == contents(whole)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux counts peaks")
def test_peak_memory_does_not_grow_with_the_clip(tmp_path):
    peaks = {}
    for num_frames in (100, 2_000, 10_000):
        words = [sys.executable, str(STUB), str(tmp_path / str(num_frames)), str(num_frames), "0"]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        peaks[num_frames] = int(done.stdout.split()[-1])
    # All frames as float32 would be 37 MB at 2,000, all depths 12 MB; allocators have slack.
    assert peaks[2_000] - peaks[100] < 8e6, peaks
    assert peaks[10_000] - peaks[100] < 8e6 + 8_000 * 500, peaks
