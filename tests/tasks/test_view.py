from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from ppvd.tasks import PPD
from ppvd.tasks.view import ReleasedPhotoView

GOLDEN = Path(__file__).parents[1] / "golden" / "released" / "sizes_a.safetensors"


def formula_image(height, width):
    """The image that the released code was asked to resize, as sRGB in [0, 1]."""
    y, x = np.mgrid[:height, :width]
    bgr = np.stack([(7 * y + 3 * x) % 256, (y * y + 5 * x) % 251, (x * x + 11 * y) % 241], -1)
    return torch.from_numpy(bgr[..., ::-1].copy()).movedim(-1, 0)[None].float() / 255


@pytest.mark.parametrize(("name", "size"), [("up", (60, 90)), ("down", (1500, 1100))])
def test_photographs_are_resized_to_the_released_pixels(name, size):
    golden = load_file(GOLDEN)
    shrunk = ReleasedPhotoView().shrink(formula_image(*size))
    assert list(shrunk.shape[-2:]) == golden[f"out.{name}.shape"][:2].tolist()
    bgr = (255 * shrunk[0, :, ::16, ::16]).round().movedim(0, -1).flip(-1)
    # Other builds of OpenCV may round otherwise.
    assert (bgr - golden[f"out.{name}.resized_sub"].float()).abs().max() <= 1
    theirs = golden[f"out.{name}.tensor_sub"]
    step = 32
    assert (shrunk[..., ::step, ::step] - theirs).abs().max() < 1.01 / 255


def test_depth_is_enlarged_across_edges_as_released():
    code, image = torch.rand(1, 1, 3, 4), torch.rand(1, 3, 7, 9)
    enlarged = ReleasedPhotoView().enlarge(code, image)
    assert torch.equal(enlarged, F.interpolate(code, (7, 9), mode="bilinear"))


@pytest.mark.usefixtures("files")
@pytest.mark.filterwarnings("ignore:.*float16.*")
def test_released_parity_of_photographs_differs_by_half_precision_and_resizing_alone():
    image = torch.rand(2, 3, 40, 60)
    theirs = PPD.from_pretrained("ppd-moge2", parity="released", pixels=32 * 48)
    ours = PPD.from_pretrained("ppd-moge2", pixels=32 * 48)
    view = ReleasedPhotoView(pixels=32 * 48)
    with torch.no_grad():
        expected = view.enlarge(ours.predict_code(view.shrink(image), keys=["a", "b"]), image)
        found = theirs.predict(image, keys=["a", "b"])
        ordinary = ours.predict(image, keys=["a", "b"])
    assert found.dtype is torch.float32
    difference = (found - expected).abs().max() / expected.std()
    assert 1e-6 < difference < 2e-2
    assert (ordinary - expected).abs().max() > 0.1 * expected.std()


def test_another_parity_is_refused(files):
    with pytest.raises(ValueError, match="parity must be released or None, got 'same'"):
        PPD.from_pretrained(files / "ppd_moge.pth", parity="same")
