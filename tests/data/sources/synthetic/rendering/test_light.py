from types import SimpleNamespace

import numpy as np

from ppvd.data.sources.synthetic.rendering.lighting import blurred, key_light
from ppvd.data.sources.synthetic.rendering.noise import noise, scatter
from ppvd.data.sources.synthetic.scene import Light, Material, Pattern, Shape, Solid
from ppvd.data.sources.synthetic.world.shapes import ball, box, placed

GREY = Material((0.5, 0.5, 0.5), grain=0.0)
GROUND = Solid(Shape.GROUND, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), GREY, casts=False)


def test_shadows_on_the_floor_are_where_rays_to_the_light_are_blocked(tilted):
    lamp, centre, radius = np.array([2.0, 1.0, 4.0]), np.array([0.2, 3.5, 0.6]), 0.4
    tilted.light = Light(tuple(lamp), (1.0, 1.0, 1.0), (0.2, 0.2, 0.2), 1.0, 0.5)
    thrower = ball(tuple(centre), (radius,) * 3, GREY)
    lit = tilted.picture(GROUND, Solid(**_without_shadow(thrower))).image[..., 0].astype(int)
    shaded = tilted.picture(GROUND, thrower)
    origin, rays = tilted.rays(shaded)
    point = origin + shaded.depth[..., None] * rays
    floor = shaded.valid & (np.abs(point[..., 2]) < 1e-4)
    to = lamp - point
    near = np.clip(((centre - point) * to).sum(-1) / (to**2).sum(-1), 0.0, 1.0)
    gap = np.linalg.norm(point + near[..., None] * to - centre, axis=-1)
    darker = lit - shaded.image[..., 0] > 0.25 * lit
    inside, outside = floor & (gap < 0.7 * radius), floor & (gap > 1.5 * radius)
    assert inside.sum() > 30
    assert darker[inside].all()
    assert not darker[outside].any()


def test_what_is_below_the_floor_casts_no_shadow_on_it(studio):
    buried = ball((0.0, 4.0, -3.0), (1.5, 1.5, 1.5), GREY)
    np.testing.assert_array_equal(
        studio.picture(GROUND, buried).image, studio.picture(GROUND).image
    )


def test_a_lamp_gives_half_as_much_at_its_reach_as_close_by():
    surface = SimpleNamespace(toward=np.ones(3), distance=np.array([1e-6, 2.0, 6.0]))
    lamp = Light((0.0, 0.0, 2.0), (1.0,) * 3, (0.0,) * 3, shadow=1.0, bounce=1.0, reach_m=2.0)
    np.testing.assert_allclose(key_light(surface, lamp), [2.0, 1.0, 0.2], rtol=1e-6)
    sun = Light((0.0, 0.0, 500.0), (1.0,) * 3, (0.0,) * 3, shadow=1.0, bounce=1.0)
    np.testing.assert_array_equal(key_light(surface, sun), 1.0)


def _without_shadow(solid):
    names = ("shape", "centre", "half", "material", "axes", "taper", "openings")
    return {name: getattr(solid, name) for name in names} | {"casts": False}


def test_faces_turned_to_the_light_are_brighter(studio):
    studio.light = Light((-40.0, -30.0, 1.5), (1.0, 1.0, 1.0), (0.1, 0.1, 0.1), 0.9, 1.0)
    cube = placed([box((0.0, 0.0, 0.0), (1.5, 1.5, 1.5), GREY)], at=(0.0, 4.0, 1.5), yaw=np.pi / 4)
    row = studio.picture(*cube).image[24, :, 0].astype(int)
    left, right = row[27], row[37]
    assert left > right + 30


def test_far_things_fade_into_the_haze(studio):
    studio.sky = type(studio.sky)((0.8, 0.8, 0.9), (0.3, 0.5, 0.8), 0.0, 50.0, 0.0)
    walls = [box((0.0, y + 0.5, 1.5), (1e4, 1.0, 1e4), GREY) for y in (2.0, 60.0, 590.0)]
    colours = [studio.picture(wall).image[20:28, 28:36].reshape(-1, 3).mean(0) for wall in walls]
    target = np.array([0.8, 0.8, 0.9]) * 255.0
    gaps = [np.abs(colour - target).mean() for colour in colours]
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 6.0


def test_a_blurred_shadow_stays_on_what_receives_it():
    shadow, receives = np.zeros((9, 9), np.bool_), np.ones((9, 9), np.bool_)
    shadow[4, 4], receives[:, 6:] = True, False
    soft = blurred(shadow, receives, times=2)
    assert soft[4, 4] == soft.max() < 1.0
    assert soft[4, 5] > 0.0
    assert (soft[:, 6:] == 0.0).all()
    full = blurred(receives, receives, times=2)
    np.testing.assert_allclose(full[receives], 1.0, atol=1e-6)


def test_noise_is_periodic_smooth_and_fades_with_its_footprint():
    u = np.linspace(0.0, 1.0, 400, dtype=np.float32)
    v = np.full_like(u, 0.3)
    sharp = noise(u, v, np.full_like(u, 1e-4))
    np.testing.assert_allclose(sharp, noise(u + 3.0, v - 2.0, np.full_like(u, 1e-4)), atol=2e-2)
    assert np.abs(np.diff(sharp)).max() < 0.3
    spreads = [noise(u, v, np.full_like(u, f)).std() for f in (1e-4, 0.02, 0.1)]
    assert spreads[0] > spreads[1] > spreads[2]
    assert abs(sharp.mean()) < 0.25
    assert sharp.dtype == np.float32


def test_cells_get_numbers_of_their_own():
    first, second = (a.ravel().astype(np.float32) for a in np.mgrid[:20, :20])
    values = scatter(first, second, np.zeros_like(first))
    assert values.min() >= 0.0
    assert values.max() < 1.0
    assert np.unique(values).size > 250
    assert not np.array_equal(values, scatter(first, second, np.ones_like(first)))


def test_every_pattern_paints_more_than_its_main_colour(studio):
    for pattern in Pattern:
        if pattern == Pattern.PLAIN:
            continue
        paint = Material((0.2, 0.4, 0.6), (0.9, 0.1, 0.1), pattern, 0.4, 0.4, grain=0.0)
        image = studio.picture(box((0.0, 3.5, 1.5), (4.0, 1.0, 2.4), paint)).image[12:36, 16:48]
        assert image.reshape(-1, 3).std(0).max() > 4.0, pattern.name
