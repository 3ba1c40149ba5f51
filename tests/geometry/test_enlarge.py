import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ppvd.geometry import dilate, enlarge_depth, intrinsics_from_fov, unproject
from ppvd.geometry.surface import joined_pairs

SIZES = [(37, 53), (24, 30), (10, 7), (1, 1)]


def source_block(shape, row, column, size):
    """First corner, and bilinear weights of the second, of the block around an output pixel."""
    y = min(max((row + 0.5) * shape[0] / size[0] - 0.5, 0.0), shape[0] - 1.0)
    x = min(max((column + 0.5) * shape[1] / size[1] - 0.5, 0.0), shape[1] - 1.0)
    top, left = min(int(y), shape[0] - 2), min(int(x), shape[1] - 2)
    return (top, left), (y - top, x - left)


def reference_joined(line, *, max_gap, relative):
    """Which neighbours along one line lie on one surface, pair by pair."""
    steps = np.diff(1.0 / line if relative else line)
    joined = []
    for i, (first, second) in enumerate(itertools.pairwise(line)):
        gap = max(first, second) / min(first, second) - 1 if relative else abs(first - second)
        others = [steps[j] for j in (i - 1, i + 1) if 0 <= j < len(steps)]
        alike = bool(others) and all(abs(s - steps[i]) <= abs(steps[i]) / 3 for s in others)
        joined.append(gap <= max_gap or (gap <= 5 * max_gap and alike))
    return joined


def smooth_with_steps(relative, generator):
    """A map with steps below, around and far above the gap, and with slanted stretches."""
    steps = 0.4 * torch.randn(12, 15, generator=generator, dtype=torch.double) ** 3
    steps[3:6] = 0.1 * torch.rand(3, 1, generator=generator, dtype=torch.double)
    walk = torch.cumsum(0.3 * steps, dim=1)
    return 3.0 / (2.0 + walk - walk.min()) if relative else walk


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("axis", [0, 1])
def test_pairs_are_joined_as_the_definition_says(relative, axis):
    depth = smooth_with_steps(relative, torch.Generator().manual_seed(0)).transpose(0, 1 - axis)
    joined = joined_pairs(depth[None, None], max_gap=0.05, relative=relative)[1 - axis][0, 0]
    lines = depth.transpose(0, 1 - axis).numpy()
    got = joined.transpose(0, 1 - axis)
    expected = [reference_joined(line, max_gap=0.05, relative=relative) for line in lines]
    np.testing.assert_array_equal(got[:, :-1].numpy(), expected)
    assert got[:, -1].all()
    assert 0.2 < np.mean(expected) < 0.9
    steep = joined_pairs(depth[None, None], max_gap=1e-9, relative=relative)[1 - axis]
    assert not torch.equal(steep[0, 0], joined)


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("guided", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_every_pixel_is_an_average_of_one_side(size, guided, relative):
    generator = torch.Generator().manual_seed(0)
    depth = smooth_with_steps(relative, generator)
    guide = torch.rand(1, 3, *size, generator=generator) if guided else None
    out = enlarge_depth(depth[None, None], size, relative=relative, guide=guide)[0, 0].numpy()
    across, down = (
        pairs[0, 0].numpy()
        for pairs in joined_pairs(depth[None, None], max_gap=0.05, relative=relative)
    )
    seen = {"surface": 0, "edge": 0}
    for row, column in itertools.product(range(size[0]), range(size[1])):
        (top, left), (y, x) = source_block(depth.shape, row, column, size)
        block = depth[top : top + 2, left : left + 2].numpy()
        pairs = [across[top, left], across[top + 1, left], down[top, left], down[top, left + 1]]
        if all(pairs):
            seen["surface"] += 1
            weights = np.outer([1 - y, y], [1 - x, x])
            unit = np.reciprocal if relative else np.array
            expected = unit((unit(block) * weights).sum())
            assert out[row, column] == pytest.approx(expected, rel=1e-6, abs=1e-6)
        else:
            seen["edge"] += 1
            assert any(
                side.min() - 1e-9 <= out[row, column] <= side.max() + 1e-9
                for side in connected(block, pairs)
            )
    assert all(seen.values()) or size == (1, 1)


def connected(block, pairs):
    """Values of the corners that each corner reaches over joined pairs."""
    links = [((0, 0), (0, 1)), ((1, 0), (1, 1)), ((0, 0), (1, 0)), ((0, 1), (1, 1))]
    for corner in itertools.product((0, 1), (0, 1)):
        side = {corner}
        for _ in range(2):
            for (first, second), joined in zip(links, pairs, strict=True):
                if joined and side & {first, second}:
                    side |= {first, second}
        yield np.array([block[place] for place in side])


@pytest.mark.parametrize("guided", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_pixels_with_steps_on_all_sides_are_copied(size, guided):
    generator = torch.Generator().manual_seed(1)
    levels = torch.randint(0, 8, (2, 1, 12, 15), generator=generator)
    depth = 1.5 ** levels.float()
    guide = torch.rand(2, 3, *size, generator=generator) if guided else None
    out = enlarge_depth(depth, size, guide=guide)
    assert set(out.flatten().tolist()) <= set(depth.flatten().tolist())


def test_a_step_edge_stays_two_valued_and_in_place():
    depth = torch.full((1, 1, 8, 8), 2.0)
    depth[..., 4:] = 5.0
    out = enlarge_depth(depth, (32, 32))
    assert (out[..., :16] == 2.0).all()
    assert (out[..., 16:] == 5.0).all()


def test_a_thin_pole_keeps_its_width_and_depth():
    depth = torch.full((1, 1, 9, 9), 6.0)
    depth[..., 4] = 2.0
    out = enlarge_depth(depth, (36, 36))
    assert set(out.flatten().tolist()) == {2.0, 6.0}
    assert ((out == 2.0).sum(dim=-1) == 4).all()


def test_each_side_of_an_edge_is_smooth_along_it():
    ramp = torch.linspace(2.0, 2.3, 8)[:, None].expand(8, 4)
    depth = torch.cat([ramp, ramp + 4.0], dim=1)[None, None]
    out = enlarge_depth(depth, (64, 64))
    torch.testing.assert_close(out[..., :32], bilinear_disparity(depth[..., :4], (64, 32)))
    torch.testing.assert_close(out[..., 32:], bilinear_disparity(depth[..., 4:], (64, 32)))


@pytest.mark.parametrize("normal", [(0.6, -0.5, 1.0), (0.0, 1.0, -0.05), (1.0, 0.0, 0.66)])
def test_a_slanted_plane_stays_a_plane(normal):
    direction = torch.tensor(normal).view(1, 3, 1, 1)
    small = intrinsics_from_fov(48, 64, horizontal_fov_deg=60.0)[None]
    large = intrinsics_from_fov(192, 256, horizontal_fov_deg=60.0)[None]
    rays = unproject(torch.ones(1, 1, 48, 64), small)
    slope = (rays * direction).sum(dim=1, keepdim=True)
    depth = (3.0 / slope).where(slope > 0.1, 0.0)  # nothing above the horizon
    out = enlarge_depth(depth, (192, 256))
    distance = (unproject(out, large) * direction).sum(dim=1, keepdim=True)
    # Beyond the outermost centres values are repeated; the horizon is an edge, and the last pair
    # of pixels before it has no further step that would tell its slant from a second edge.
    inside = torch.zeros_like(out).bool()
    inside[..., 4:-4, 4:-4] = True
    inside &= ~dilate(F.interpolate(depth, (192, 256)) == 0.0, 8)
    assert inside.float().mean() > 0.25
    torch.testing.assert_close(
        distance[inside], torch.full_like(distance[inside], 3.0), rtol=1e-4, atol=0.0
    )


def bilinear_disparity(depth, size):
    return 1.0 / F.interpolate(1.0 / depth, size, mode="bilinear")


def test_equals_bilinear_where_there_is_no_edge():
    depth = torch.empty(2, 1, 9, 11).uniform_(5.0, 5.1)
    for size in SIZES:
        torch.testing.assert_close(enlarge_depth(depth, size), bilinear_disparity(depth, size))
        torch.testing.assert_close(
            enlarge_depth(depth, size, max_gap=1.0, relative=False),
            F.interpolate(depth, size, mode="bilinear"),
        )


def test_same_size_is_the_identity():
    depth = torch.empty(2, 1, 9, 11).uniform_(0.5, 50.0)
    assert torch.equal(enlarge_depth(depth, (9, 11)), depth)


def test_gap_in_metres_is_relative_and_in_codes_absolute():
    depth = torch.tensor([10.0, 10.4]).reshape(1, 1, 1, 2)
    assert len(enlarge_depth(depth, (1, 8)).unique()) > 2
    assert len(enlarge_depth(depth, (1, 8), relative=False).unique()) == 2
    code = torch.tensor([-0.01, 0.01]).reshape(1, 1, 1, 2)
    assert len(enlarge_depth(code, (1, 8), max_gap=0.03, relative=False).unique()) > 2


def test_holes_do_not_bleed():
    depth = torch.full((1, 1, 6, 6), 3.0)
    depth[..., 2:4, 2:4] = 0.0
    assert set(enlarge_depth(depth, (40, 40)).flatten().tolist()) == {0.0, 3.0}


def test_a_guide_puts_the_edge_where_the_picture_has_it():
    depth = torch.full((1, 1, 8, 8), 2.0)
    depth[..., 4:] = 5.0
    guide = torch.zeros(1, 3, 64, 64)
    guide[..., 29:] = 1.0  # the true edge lies 3 output pixels left of the source pixel's border
    out = enlarge_depth(depth, (64, 64), guide=guide)
    assert (out[..., :29] == 2.0).all()
    assert (out[..., 29:] == 5.0).all()


def test_a_guide_leaves_surfaces_alone():
    depth = torch.empty(1, 1, 8, 8).uniform_(5.0, 5.1)
    guide = torch.rand(1, 3, 40, 24)
    torch.testing.assert_close(
        enlarge_depth(depth, (40, 24), guide=guide), enlarge_depth(depth, (40, 24))
    )


def test_enlarging_never_waits_for_the_device(forbid_syncs):
    depth, guide = torch.rand(2, 1, 6, 8), torch.rand(2, 3, 30, 40)
    with forbid_syncs():
        enlarge_depth(depth, (30, 40), guide=guide)


def test_bad_arguments_are_named():
    depth = torch.ones(1, 1, 4, 4)
    with pytest.raises(ValueError, match=r"depth must be floating point of shape \(B, 1, H, W\)"):
        enlarge_depth(depth[0], (8, 8))
    with pytest.raises(ValueError, match="sizes must be positive"):
        enlarge_depth(depth, (0, 8))
    with pytest.raises(ValueError, match="max_gap must be positive, got 0"):
        enlarge_depth(depth, (8, 8), max_gap=0.0)
    with pytest.raises(ValueError, match=r"guide must have shape \(1, 3, 8, 8\)"):
        enlarge_depth(depth, (8, 8), guide=torch.ones(1, 3, 4, 4))
