from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from ppvd.geometry import (
    crop_intrinsics,
    flip_intrinsics,
    intrinsics_from_fov,
    project,
    scale_intrinsics,
    unproject,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "metrics" / "points"
K = torch.tensor([[50.0, 0.7, 20.0], [0.0, 40.0, 11.0], [0.0, 0.0, 1.0]], dtype=torch.double)


def points_on_a_scene():
    """Random points in front of a camera, shaped as a 6 by 7 map of points."""
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(3, 6, 7, generator=generator, dtype=torch.double)
    points[2] = points[2].abs() + 1.0
    return points


def test_projection_undoes_unprojection():
    depth = torch.empty(2, 1, 5, 8, dtype=torch.double).uniform_(0.5, 9.0)
    pixels = project(unproject(depth, K.expand(2, 3, 3)), K.expand(2, 3, 3))
    v, u = torch.meshgrid(torch.arange(5.0), torch.arange(8.0), indexing="ij")
    torch.testing.assert_close(pixels, torch.stack([u, v]).double().expand(2, 2, 5, 8))


def test_points_satisfy_the_pinhole_equation():
    points = points_on_a_scene()
    homogeneous = torch.einsum("ij,jhw->ihw", K, points)
    torch.testing.assert_close(project(points, K), homogeneous[:2] / homogeneous[2:])


@pytest.mark.parametrize("case", ["odd", "holes"])
def test_points_equal_the_released_ones(case):
    golden = load_file(GOLDEN / f"{case}.safetensors")
    valid = golden["in.mask"].bool()
    points = unproject(golden["in.gt"][None], golden["in.K"].float())
    torch.testing.assert_close(
        points[:, valid].T, golden["out.ppd.depth2pcd_gt"], rtol=1e-5, atol=1e-5
    )


def test_clips_and_batches_share_the_rule():
    depth = torch.rand(2, 3, 1, 4, 5, dtype=torch.double)
    cameras = K * torch.rand(2, 3, 1, 1, dtype=torch.double)
    points = unproject(depth, cameras)
    assert points.shape == (2, 3, 3, 4, 5)
    torch.testing.assert_close(points[1, 2], unproject(depth[1, 2], cameras[1, 2]))


def test_scaling_moves_pixels_as_resizing_does():
    # A ramp of column numbers, resized, says where each new pixel's centre was.
    ramp = torch.arange(32.0).expand(1, 1, 24, 32)
    resized = F.interpolate(ramp, (48, 128), mode="bilinear")[0, 0, 0]
    scaled = scale_intrinsics(K, scale_x=4.0, scale_y=2.0)
    u = project(points_on_a_scene(), K)[0]
    new = project(points_on_a_scene(), scaled)
    inner = torch.arange(8, 100)
    torch.testing.assert_close((inner + 0.5) / 4.0 - 0.5, resized[inner])
    torch.testing.assert_close(new[0], (u + 0.5) * 4.0 - 0.5)
    torch.testing.assert_close(new[1], (project(points_on_a_scene(), K)[1] + 0.5) * 2.0 - 0.5)


def test_cropping_moves_pixels_by_the_corner():
    old, new = (project(points_on_a_scene(), k) for k in (K, crop_intrinsics(K, top=3, left=5)))
    torch.testing.assert_close(new, old - torch.tensor([5.0, 3.0]).double().view(2, 1, 1))


def test_flipping_mirrors_the_scene():
    points = points_on_a_scene()
    mirrored = points * torch.tensor([-1.0, 1.0, 1.0]).double().view(3, 1, 1)
    old, new = project(points, K), project(mirrored, flip_intrinsics(K, width=40))
    torch.testing.assert_close(new[0], 39.0 - old[0])
    torch.testing.assert_close(new[1], old[1])
    torch.testing.assert_close(flip_intrinsics(flip_intrinsics(K, width=40), width=40), K)


@pytest.mark.parametrize(
    "edit",
    [
        lambda k: scale_intrinsics(k, scale_x=0.5, scale_y=3.0),
        lambda k: crop_intrinsics(k, top=1, left=2),
        lambda k: flip_intrinsics(k, width=64),
    ],
)
def test_numpy_and_torch_agree_and_keep_dtype_and_argument(edit):
    batch = K.float().expand(2, 3, 3).clone()
    array = batch.numpy().copy()
    got = edit(array)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, edit(batch).numpy())
    np.testing.assert_array_equal(array, batch.numpy())


def test_field_of_view_spans_the_image_edge_to_edge():
    k = intrinsics_from_fov(480, 640, horizontal_fov_deg=90.0)
    edge = torch.tensor([-1.0, 0.0, 1.0]).view(3, 1, 1)
    assert project(edge, k).flatten().tolist() == pytest.approx([-0.5, 239.5])


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"depth must have shape \(..., 1, H, W\)"):
        unproject(torch.ones(2, 4, 5), K)
    with pytest.raises(ValueError, match=r"points must have shape \(..., 3, H, W\)"):
        project(torch.ones(2, 4, 5), K)
    with pytest.raises(ValueError, match=r"intrinsics must have shape \(..., 3, 3\)"):
        unproject(torch.ones(1, 4, 5), K[:2])
    with pytest.raises(ValueError, match="intrinsics must be floating point"):
        crop_intrinsics(np.eye(3, dtype=np.int64), top=1, left=1)
    with pytest.raises(ValueError, match="scale_x and scale_y must be positive"):
        scale_intrinsics(K, scale_x=0.0, scale_y=1.0)
    with pytest.raises(ValueError, match="horizontal_fov_deg must lie within"):
        intrinsics_from_fov(4, 4, horizontal_fov_deg=180.0)
