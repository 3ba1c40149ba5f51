"""Depth that trembles where the picture stands still is seen without ground truth."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from ppvd.video import Shot, VideoFrame, Wobble

TEXTURE = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)


def shot(number, *, image=TEXTURE, code=0.0):
    depth = torch.full((1, *image.shape[:2]), float(code))
    return Shot(number, VideoFrame(image, Fraction(number, 10)), depth)


def measured(tmp_path, shots, *, length=4):
    wobble = Wobble(path=tmp_path / "walk_report.png", work=tmp_path)
    segments = [shots[start : start + length] for start in range(0, len(shots), length)]
    for segment, part in enumerate(segments):
        wobble.write(segment, part)
    wobble.finish(len(segments), seconds=Fraction(1))
    return wobble


def test_the_change_of_codes_over_a_still_picture_is_measured_across_segments_too(tmp_path):
    codes = [0.0, 0.1, 0.1, -0.1, 0.2, 0.2]
    wobble = measured(tmp_path, [shot(n, code=code) for n, code in enumerate(codes)])
    np.testing.assert_allclose(wobble.changes[1:], [0.1, 0.0, 0.2, 0.3, 0.0], atol=1e-6)
    assert np.isnan(wobble.changes[0])
    assert (wobble.shares[1:] == 1).all()
    assert wobble.mean == pytest.approx(0.12)
    np.testing.assert_allclose(wobble.times, np.arange(6) / 10)
    np.testing.assert_allclose(wobble.starts, [0.0, 0.4])


def test_only_what_stands_still_counts(tmp_path):
    """The left half moves by a pixel, and its depth with it."""
    moved = TEXTURE.copy()
    moved[:, :24] = np.roll(TEXTURE[:, :24], 1, axis=1)
    first, second = shot(0), shot(1, image=moved)
    second.code[:, :, :24] += 0.7
    second.code[:, :, 24:] += 0.01
    wobble = measured(tmp_path, [first, second])
    np.testing.assert_allclose(wobble.changes[1], 0.01, atol=1e-6)
    assert wobble.shares[1] == 0.5


def test_a_surface_without_contrast_may_move_unseen_and_does_not_count(tmp_path):
    flat = np.full((32, 48, 3), 90, np.uint8)
    wobble = measured(tmp_path, [shot(n, image=flat, code=n) for n in range(3)])
    assert np.isnan(wobble.changes).all()
    assert np.isnan(wobble.mean)


def test_noise_of_the_coding_is_no_motion(tmp_path):
    rng = np.random.default_rng(1)
    noisy = [(TEXTURE + rng.normal(0, 0.5, TEXTURE.shape)).clip(0, 255) for _ in range(3)]
    shots = [shot(n, image=image.astype(np.uint8)) for n, image in enumerate(noisy)]
    assert (measured(tmp_path, shots).shares[1:] == 1).all()


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (1080, 1920)])
def test_any_size_is_measured(tmp_path, size):
    image = np.random.default_rng(2).integers(0, 256, (*size, 3), dtype=np.uint8)
    wobble = measured(tmp_path, [shot(n, image=image, code=n) for n in range(2)])
    assert np.isnan(wobble.changes[1]) or wobble.changes[1] == pytest.approx(1, abs=1e-5)


def test_one_frame_has_no_change(tmp_path):
    wobble = measured(tmp_path, [shot(0)])
    assert len(wobble.changes) == 1
    assert np.isnan(wobble.mean)


def test_a_segment_is_measured_by_what_lies_on_disk_of_the_one_before(tmp_path):
    shots = [shot(n, code=0.1 * n * n) for n in range(8)]
    whole = measured(tmp_path, shots)
    again = Wobble(path=tmp_path / "walk_report.png", work=tmp_path)
    again.write(1, shots[4:])
    again.finish(2, seconds=Fraction(1))
    np.testing.assert_array_equal(again.changes, whole.changes)
