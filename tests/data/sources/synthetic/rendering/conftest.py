"""A camera at eye level that looks along +y, and rays worked out without the renderer."""

from dataclasses import dataclass

import numpy as np
import pytest

from ppvd.data.sources.synthetic.rendering import render
from ppvd.data.sources.synthetic.scene import Camera, Light, Scene, Sky

EYE = (0.0, 0.0, 1.5)


@dataclass
class Studio:
    """Renders solids before one camera."""

    camera: Camera
    light: Light
    sky: Sky
    size: tuple[int, int] = (48, 64)

    def picture(self, *solids):
        scene = Scene("street", solids, (), self.camera, self.light, self.sky)
        return render(scene, *self.size)

    def rays(self, picture):
        """Return origin and directions ``(H, W, 3)`` whose parameter is planar depth."""
        v, u = np.mgrid[: self.size[0], : self.size[1]].astype(float)
        pixels = np.stack([u, v, np.ones_like(u)], axis=-1)
        local = pixels @ np.linalg.inv(picture.intrinsics).T
        return picture.pose[:3, 3], local @ picture.pose[:3, :3].T


def equip(*, yaw=0.0, pitch=0.0, roll=0.0, view_deg):
    light = Light((30.0, -40.0, 80.0), (1.0, 1.0, 1.0), (0.3, 0.3, 0.3), shadow=0.9, bounce=0.5)
    sky = Sky((0.8, 0.8, 0.9), (0.3, 0.5, 0.8), clouds=0.3, haze_m=1e6, seed=0.0)
    return Studio(Camera(EYE, yaw, pitch, roll, view_deg), light, sky)


@pytest.fixture
def studio():
    return equip(view_deg=80.0)


@pytest.fixture
def tilted():
    return equip(yaw=0.2, pitch=-0.15, roll=0.1, view_deg=70.0)


@pytest.fixture
def wide():
    return equip(view_deg=140.0)
