"""Depth against formulas that share no code with the renderer."""

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from ppvd.data.sources.synthetic.scene import Material, Opening, Shape, Solid
from ppvd.data.sources.synthetic.world.shapes import ball, box, lattice, rod

GREY = Material((0.5, 0.5, 0.5))


def turned_axes(seed):
    """Return a random rotation as rows."""
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return tuple(map(tuple, q if np.linalg.det(q) > 0 else -q))


def first_root(a, b, c):
    """Return the smaller root of ``a t^2 + 2 b t + c``, NaN where there is none."""
    square = b * b - a * c
    return (-b - np.sqrt(np.where(square > 0, square, np.nan))) / a


def expect(picture, depth):
    """Compare with the analytic ``depth``, NaN for no hit."""
    hit = np.isfinite(depth)
    np.testing.assert_array_equal(picture.valid, hit)
    np.testing.assert_array_equal(picture.sky, ~hit)
    np.testing.assert_allclose(picture.depth[hit], depth[hit], rtol=2e-7)
    assert 0.02 < hit.mean() < 0.98


@pytest.mark.parametrize("name", ["studio", "wide"])
def test_a_wall_at_three_metres_is_three_metres_deep_everywhere(name, request):
    """Planar depth, not distance along the ray, which grows by 2.9 in the corners of `wide`."""
    studio = request.getfixturevalue(name)
    picture = studio.picture(box((0.0, 3.5, 1.5), (100.0, 1.0, 100.0), GREY))
    np.testing.assert_array_equal(picture.depth, np.float32(3.0))
    assert picture.valid.all()
    assert not picture.sky.any()


def test_a_ball_follows_the_quadratic_formula(tilted):
    centre = np.array([-0.7, 4.0, 1.0])
    picture = tilted.picture(ball(tuple(centre), (0.8, 0.8, 0.8), GREY))
    origin, rays = tilted.rays(picture)
    to = origin - centre
    expect(picture, first_root((rays**2).sum(-1), rays @ to, to @ to - 0.64))


def test_an_ellipsoid_is_a_stretched_ball(tilted):
    axes, half = np.array(turned_axes(1)), np.array([0.4, 1.2, 0.7])
    solid = Solid(Shape.BALL, (-0.5, 4.0, 1.0), tuple(half), GREY, axes=tuple(map(tuple, axes)))
    picture = tilted.picture(solid)
    origin, rays = tilted.rays(picture)
    to, rays = axes @ (origin - solid.centre) / half, rays @ axes.T / half
    expect(picture, first_root((rays**2).sum(-1), rays @ to, to @ to - 1.0))


def disc(to, rays, axis, at, radius):
    """Return the parameter of a disc across ``axis`` at height ``at``, NaN outside."""
    t = (at - to @ axis) / (rays @ axis)
    point = to + t[..., None] * rays
    away = point - (point @ axis)[..., None] * axis
    return np.where((t > 0) & ((away**2).sum(-1) <= radius**2), t, np.nan)


@pytest.mark.parametrize("end", [0.5, 0.2, 1e-9])
@pytest.mark.parametrize("direction", [(0.0, 0.0, 1.0), (0.5, -0.8, 0.3), (-0.3, 0.9, -0.6)])
def test_a_cone_or_cylinder_is_its_side_and_two_discs(tilted, end, direction):
    axis = np.array(direction) / np.linalg.norm(direction)
    start, length, radius = np.array([-0.8, 4.0, 1.0]), 1.3, 0.5
    picture = tilted.picture(
        rod(tuple(start), tuple(start + length * axis), radius, GREY, end_radius=end)
    )
    origin, rays = tilted.rays(picture)
    to, growth = origin - start, (end - radius) / length
    # |p - (p.a) a|^2 = (radius + growth p.a)^2 along p = to + t ray.
    to_a, ray_a = to @ axis, rays @ axis
    flat_to, flat_ray = to - to_a * axis, rays - ray_a[..., None] * axis
    a = (flat_ray**2).sum(-1) - (growth * ray_a) ** 2
    b = flat_ray @ flat_to - growth * ray_a * (radius + growth * to_a)
    c = flat_to @ flat_to - (radius + growth * to_a) ** 2
    square = b * b - a * c
    found = [disc(to, rays, axis, 0.0, radius), disc(to, rays, axis, length, end)]
    for sign in (-1.0, 1.0):
        t = (-b + sign * np.sqrt(np.where(square > 0, square, np.nan))) / a
        height = to_a + t * ray_a
        found.append(np.where((t > 0) & (height >= 0) & (height <= length), t, np.nan))
    expect(picture, np.fmin.reduce(found))


@pytest.mark.parametrize("taper", [(1.0, 1.0), (0.3, 0.6), (0.0, 1.0), (1.3, 1.2)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_box_is_the_hull_of_its_corners(tilted, taper, seed):
    axes, half = np.array(turned_axes(seed)), np.array([0.5, 0.8, 0.6])
    centre = (-0.6, 4.0, 1.0)
    solid = Solid(Shape.BOX, centre, tuple(half), GREY, axes=tuple(map(tuple, axes)), taper=taper)
    picture = tilted.picture(solid)
    corners = [
        half * (x * (taper[0] if z > 0 else 1.0), y * (taper[1] if z > 0 else 1.0), z)
        for x in (-1, 1)
        for y in (-1, 1)
        for z in (-1, 1)
    ]
    planes = ConvexHull(np.array(corners) @ axes + centre, qhull_options="QJ1e-12").equations
    origin, rays = tilted.rays(picture)
    enter, leave = np.full(rays.shape[:2], -np.inf), np.full(rays.shape[:2], np.inf)
    for plane in planes:
        along, off = rays @ plane[:3], origin @ plane[:3] + plane[3]
        enter = np.where(along < 0, np.maximum(enter, -off / along), enter)
        leave = np.where(along > 0, np.minimum(leave, -off / along), leave)
    expect(picture, np.where((enter < leave) & (enter > 0), enter, np.nan))


def test_a_room_is_seen_from_inside_and_through_its_opening(tilted):
    half = np.array([3.0, 5.0, 1.6])
    hole = Opening(2, (-0.4, -0.2), (0.3, 0.7))
    room = Solid(Shape.ROOM, (0.0, 3.0, 1.5), tuple(half), GREY, openings=(hole,))
    picture = tilted.picture(room)
    origin, rays = tilted.rays(picture)
    sides = np.sign(rays) * half - (origin - room.centre)
    leave = (sides / rays).min(-1)
    at = (origin - room.centre + leave[..., None] * rays) / half
    through = (at[..., 1] > 1 - 1e-9) & (at[..., 0] > -0.4) & (at[..., 0] < 0.3)
    through &= (at[..., 2] > -0.2) & (at[..., 2] < 0.7)
    expect(picture, np.where(through, np.nan, leave))


def test_a_room_from_outside_shows_its_far_side(studio):
    room = Solid(Shape.ROOM, (0.0, 6.0, 1.5), (1.0, 2.0, 1.0), GREY)
    picture = studio.picture(room)
    middle = picture.depth[24, 32]
    assert middle == pytest.approx(8.0)
    assert picture.sky[0, 0]


def test_a_lattice_is_pickets_and_rails_of_one_plane(studio):
    fence = lattice((0.0, 3.0, 1.5), (3.0, 1.2), GREY, period_m=0.4, fill=0.5)
    picture = studio.picture(fence)
    _, rays = studio.rays(picture)
    x, z = 3.0 * rays[..., 0], 3.0 * rays[..., 2]
    solid = (x / 0.4) % 1.0 < 0.5
    solid |= np.abs(np.abs(z / 0.6) - 0.62) < 0.07
    expect(picture, np.where(solid & (abs(x) < 1.5) & (abs(z) < 0.6), 3.0, np.nan))


def test_the_ground_reaches_to_the_horizon_and_is_unknown_far_away(studio):
    ground = Solid(Shape.GROUND, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), GREY)
    picture = studio.picture(ground)
    _, rays = studio.rays(picture)
    below = rays[..., 2] < 0
    np.testing.assert_array_equal(picture.sky, ~below)
    np.testing.assert_allclose(picture.depth[below], -1.5 / rays[..., 2][below], rtol=2e-7)
    studio.size = (1201, 64)
    far = studio.picture(ground)
    unknown = ~far.valid & ~far.sky
    assert unknown.any()
    assert (far.depth[unknown] == 0).all()
    assert far.depth.max() < 600.0


def test_solids_behind_or_around_the_camera_are_not_seen(studio):
    behind = ball((0.0, -3.0, 1.5), (1.0, 1.0, 1.0), GREY)
    around = [
        ball((0.0, 0.0, 1.5), (1.0, 1.0, 1.0), GREY),
        box((0.0, 0.0, 1.5), (1.0, 1.0, 1.0), GREY),
        rod((0.0, 0.0, 0.0), (0.0, 0.0, 3.0), 0.5, GREY),
    ]
    assert studio.picture(behind, *around).sky.all()


def test_what_crosses_the_image_plane_is_seen_in_front(studio):
    beside = box((1.0, 0.0, 1.5), (0.2, 8.0, 1.04), GREY)
    picture = studio.picture(beside)
    _, rays = studio.rays(picture)
    depth = 0.9 / rays[..., 0]
    hit = (rays[..., 0] > 0) & (depth < 4.0) & (abs(depth * rays[..., 2]) < 0.52)
    expect(picture, np.where(hit, depth, np.nan))
