import numpy as np
import pytest
import scipy.ndimage
import torch

from ppvd.geometry import Alignment
from ppvd.metrics import DepthErrors
from ppvd.protocols import Pixels, Protocol


def batch(depth, *, valid=None):
    """A batch whose picture tells the row and the column of each pixel."""
    depth = torch.as_tensor(depth, dtype=torch.float32)
    height, width = depth.shape[-2:]
    rows = torch.arange(height)[:, None].expand(height, width) / 255
    columns = torch.arange(width).expand(height, width) / 255
    picture = torch.stack([rows, columns, rows]).expand(*depth.shape[:-3], 3, height, width)
    camera = torch.tensor([[50.0, 0, 7.0], [0, 60.0, 5.0], [0, 0, 1]])
    return {
        "image": picture,
        "depth": depth,
        "valid": depth > 0 if valid is None else valid,
        "sky": torch.zeros(depth.shape, dtype=torch.bool),
        "intrinsics": camera.expand(*depth.shape[:-3], 3, 3),
        "pose": torch.eye(4).expand(*depth.shape[:-3], 4, 4),
        "key": [f"set/{index}" for index in range(len(depth))],
        "source": ["set"] * len(depth),
    }


def values(*metres):
    return torch.tensor(metres).reshape(1, 1, 1, -1)


def test_truth_at_a_limit_counts_only_where_it_is_said_to():
    given = batch(values(0.0, 0.1, 0.101, 9.99, 10.0, 10.01))
    open_ends = Protocol(name="p", near_m=0.1, far_m=10.0)
    assert open_ends.prepare(given)["valid"].flatten().tolist() == [0, 0, 1, 1, 0, 0]
    closed = Protocol(name="p", near_m=0.1, far_m=10.0, inclusive=True)
    assert closed.prepare(given)["valid"].flatten().tolist() == [0, 1, 1, 1, 1, 0]


def test_no_protocol_makes_invalid_pixels_count():
    given = batch(values(1.0, 2.0), valid=torch.tensor([[[[True, False]]]]))
    assert Protocol(name="p").prepare(given)["valid"].flatten().tolist() == [1, 0]


def test_a_crop_cuts_picture_truth_and_camera_alike():
    given = batch(torch.arange(1.0, 81.0).reshape(1, 1, 8, 10))
    seen = Protocol(name="p", crop=Pixels(rows=(2, -1), columns=(3, 9))).prepare(given)
    assert seen["depth"].shape == (1, 1, 5, 6)
    assert seen["depth"][0, 0, 0, 0] == given["depth"][0, 0, 2, 3]
    assert (seen["image"][0, :, 0, 0] * 255).round().tolist() == [2, 3, 2]
    assert seen["intrinsics"][0, :2, 2].tolist() == [4.0, 3.0]


def test_a_scored_part_masks_and_cuts_nothing():
    given = batch(torch.ones(1, 1, 8, 10))
    seen = Protocol(name="p", scored=Pixels(rows=(2, 4), columns=(3, 6))).prepare(given)
    assert seen["depth"].shape == (1, 1, 8, 10)
    assert seen["valid"].nonzero()[:, 2:].amin(0).tolist() == [2, 3]
    assert int(seen["valid"].sum()) == 6


def test_resized_truth_is_made_of_old_values_alone():
    depth = torch.arange(1.0, 49.0).reshape(1, 1, 6, 8)
    seen = Protocol(name="p", size=(3, 4)).prepare(batch(depth))
    assert torch.equal(seen["depth"], depth[..., ::2, ::2])
    assert seen["image"].shape == (1, 3, 3, 4)
    assert seen["intrinsics"][0, 0, 0] == 25.0


def test_steep_pixels_are_scipy_s():
    rng = np.random.default_rng(0)
    depth = (2 + 0.05 * rng.random((12, 15))).astype(np.float32)
    depth[:, 8:] += 1
    slopes = sum(np.abs(scipy.ndimage.sobel(depth.astype(np.float64), axis)) for axis in (0, 1))
    seen = Protocol(name="p", max_slope_m=0.3).prepare(batch(depth[None, None]))
    assert 0 < (slopes <= 0.3).sum() < depth.size
    assert np.array_equal(seen["valid"][0, 0].numpy(), slopes <= 0.3)


def test_the_first_frames_of_a_video_are_taken_and_of_images_all():
    clip = batch(torch.ones(1, 5, 1, 4, 6))
    protocol = Protocol(name="p", num_frames=3)
    seen = protocol.prepare(clip)
    maps = ("image", "depth", "valid", "sky", "intrinsics", "pose")
    assert {seen[name].shape[1] for name in maps} == {3}
    assert protocol.prepare(batch(torch.ones(5, 1, 4, 6)))["depth"].shape[0] == 5


def test_the_hash_follows_what_decides_a_number_and_not_the_name():
    plain = Protocol(name="p", far_m=10.0)
    assert plain.hash == Protocol(name="q", far_m=10.0).hash
    others = [
        Protocol(name="p", far_m=11.0),
        Protocol(name="p", far_m=10.0, crop=Pixels(rows=(0, 1), columns=(0, 1))),
        Protocol(name="p", far_m=10.0, crop=Pixels(rows=(0, 2), columns=(0, 1))),
        Protocol(name="p", far_m=10.0, alignment=Alignment(space="depth")),
        Protocol(name="p", far_m=10.0, metrics={"errors": DepthErrors}),
        Protocol(name="p", far_m=10.0, metrics={"errors": lambda fit: DepthErrors(fit, eps=1e-5)}),
        Protocol(name="p", far_m=10.0, average_over="frames"),
        Protocol(name="p", far_m=10.0, resize="nearest"),
    ]
    hashes = {plain.hash, *(other.hash for other in others)}
    assert len(hashes) == 1 + len(others)
    assert all(len(text) == 12 for text in hashes)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"near_m": -1.0}, "near_m must not be negative, got -1.0"),
        ({"far_m": 1e-4}, "far_m must exceed near_m 0.001 m, got 0.0001"),
        ({"num_frames": 0}, "num_frames must be at least 1, got 0"),
        ({"size": (0, 4)}, r"size must be positive, got \[0, 4\]"),
        ({"max_slope_m": 0.0}, "max_slope_m must be positive, got 0.0"),
        ({"metrics": {}}, "metrics must name at least one metric"),
    ],
)
def test_what_makes_no_protocol_is_refused(settings, complaint):
    with pytest.raises(ValueError, match=complaint):
        Protocol(name="p", **settings)
