import numpy as np
import pytest

from ppvd.data.planes import PlaneVotes, plane_votes
from ppvd.data.sources.synthetic import render_frame

SIZE = (96, 128)
K = np.array([[110.0, 0, 63.5], [0, 110.0, 47.5], [0, 0, 1]])
ALL = np.ones(SIZE, np.bool_)


def slanted_wall():
    """z of the plane 0.3 X + 0.2 Y + Z = 3, by hand."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    x, y = (columns - 63.5) / 110, (rows - 47.5) / 110
    return 3 / (0.3 * x + 0.2 * y + 1), np.sqrt(x**2 + y**2 + 1)


@pytest.mark.parametrize("dtype", [np.float64, np.float16])
def test_a_wall_tells_z_from_the_length_of_the_ray(dtype):
    z, length = slanted_wall()
    votes = plane_votes(z.astype(dtype).astype(np.float32), ALL, K)
    assert votes.planar > 100
    assert votes.distance == 0
    votes = plane_votes((z * length).astype(dtype).astype(np.float32), ALL, K)
    assert votes.distance > 100
    assert votes.planar == 0


def test_rendered_rooms_hold_z_and_would_give_away_the_ray():
    total, swapped = PlaneVotes(), PlaneVotes()
    for seed in range(3):
        frame = render_frame(seed, size=(120, 160))
        fx, _, cx = frame.intrinsics[0]
        rows, columns = np.mgrid[:120, :160]
        x, y = (columns - cx) / fx, (rows - frame.intrinsics[1, 2]) / frame.intrinsics[1, 1]
        distance = frame.depth * np.sqrt(x**2 + y**2 + 1).astype(np.float32)
        total += plane_votes(frame.depth, frame.valid, frame.intrinsics)
        swapped += plane_votes(distance, frame.valid, frame.intrinsics)
    assert total.planar > 100 * max(total.distance, 1)
    assert swapped.distance > 100 * max(swapped.planar, 1)


@pytest.mark.parametrize("strip", [np.s_[:, 40:50], np.s_[40:50]])
def test_a_strip_of_either_direction_is_enough(strip):
    z, _ = slanted_wall()
    valid = np.zeros(SIZE, np.bool_)
    valid[strip] = True
    votes = plane_votes(np.where(valid, z, 0).astype(np.float32), valid, K)
    assert votes.planar > 5


def test_holes_noise_and_tiny_maps_say_nothing():
    z, _ = slanted_wall()
    z = z.astype(np.float32)
    sparse = np.zeros(SIZE, np.bool_)
    sparse[::2, ::2] = True
    assert plane_votes(np.where(sparse, z, 0), sparse, K) == PlaneVotes()
    noise = np.random.default_rng(0).normal(1, 0.02, SIZE).astype(np.float32)
    assert plane_votes(z * noise, ALL, K) == PlaneVotes()
    assert plane_votes(z[:20, :20], ALL[:20, :20], K) == PlaneVotes()
