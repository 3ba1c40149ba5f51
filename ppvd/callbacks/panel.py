"""One sample on one sheet: image, truth, prediction and error, whole and close up at an edge."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ppvd.callbacks.drawing import Picture, framed, resized, side_by_side, stacked, titled
from ppvd.geometry import DepthCanny, colourise, flying_points, masked_quantiles

TILE_PX = 288  # width of each of the four pictures
CLOSE_UP = 4  # the close-up shows a quarter of each side
WORST_ERROR = 0.25  # relative error that gets the brightest colour
QUANTILES = (0.02, 0.98)
CAPTION = "depth: near is warm, far is cold, white is sky, grey has no truth.  error: black is none"


@dataclass(frozen=True, slots=True)
class PanelSample:
    """What is drawn of one sample; tensors on the CPU, each with a batch axis of 1.

    A sample of a clip has a frame axis after it, until `ends` picks frames to draw.

    Attributes:
        image: sRGB in [0, 1], ``(1, 3, H, W)``.
        depth: Truth in metres, ``(1, 1, H, W)``.
        valid: Where it holds, bool, ``(1, 1, H, W)``.
        sky: Where the ray meets nothing, bool, ``(1, 1, H, W)``.
        intrinsics: Pixels of this image, ``(1, 3, 3)``.
        prediction: Depth aligned to the truth, metres, ``(1, 1, H, W)``.
        key: Name of the sample.
    """

    image: Tensor
    depth: Tensor
    valid: Tensor
    sky: Tensor
    intrinsics: Tensor
    prediction: Tensor
    key: str

    def ends(self) -> list["PanelSample"]:
        """Return the first and the last frame of a clip, each a sample of its own."""
        return [self._frame(number) for number in sorted({0, self.depth.shape[1] - 1})]

    def _frame(self, number: int) -> "PanelSample":
        return PanelSample(
            image=self.image[:, number],
            depth=self.depth[:, number],
            valid=self.valid[:, number],
            sky=self.sky[:, number],
            intrinsics=self.intrinsics[:, number],
            prediction=self.prediction[:, number],
            key=f"{self.key}-{number:03d}",
        )

    def flying(self) -> Tensor:
        """Return the pixels whose predicted point hangs between surfaces, ``(1, 1, H, W)``."""
        edges = DepthCanny()(self.depth, self.valid)
        return flying_points(self.prediction, self.depth, edges, self.valid) & self.valid


class Window(NamedTuple):
    """A rectangle of pixels."""

    top: int
    left: int
    height: int
    width: int

    def cut(self, picture: Picture) -> Picture:
        """Return this part of a picture."""
        rows = slice(self.top, self.top + self.height)
        return picture[rows, self.left : self.left + self.width]


def draw_panel(sample: PanelSample) -> Picture:
    """Draw a sample: four pictures in a row, and below them the same, closer.

    Prediction and truth share one scale of colours, that of the truth's depths.

    Returns:
        Red, green, blue, uint8, ``(H', W', 3)``.
    """
    error = _relative_error(sample)
    pictures = {
        f"image {sample.key}": _picture((sample.image.clamp(0, 1) * 255).round().byte()),
        "truth": _depth(sample.depth, sample, known=sample.valid, sky=sample.sky),
        "prediction, aligned": _depth(sample.prediction, sample, known=None, sky=None),
        _error_title(error, sample.valid): _error(error, sample.valid),
    }
    window = strongest_edges(sample.depth, sample.valid)
    closer = [f"close-up x{CLOSE_UP}", "truth", _flying_title(sample), "error"]
    scale = TILE_PX / sample.depth.shape[-1]
    frame = [round(scale * side) for side in window]
    whole = [framed(resized(picture, TILE_PX), *frame) for picture in pictures.values()]
    close = [resized(window.cut(picture), TILE_PX) for picture in pictures.values()]
    rows = [_row(list(pictures), whole), _row(closer, close)]
    return stacked(rows, CAPTION)


def strongest_edges(depth: Tensor, valid: Tensor) -> Window:
    """Find the window of a quarter of each side with the strongest depth edges in it.

    The strength of an edge is the step in log depth between neighbours, at most 1.

    Args:
        depth: Metres, ``(1, 1, H, W)``, positive where valid.
        valid: Where ``depth`` holds, bool, same shape.

    Returns:
        The window; at the top left if there is no edge at all.
    """
    log = depth.float().where(valid, 1.0).log()
    strength = torch.zeros_like(log)
    for axis in (-2, -1):
        step = log.diff(dim=axis).abs().clamp_max(1.0)
        known = valid.narrow(axis, 1, step.shape[axis]) & valid.narrow(axis, 0, step.shape[axis])
        strength.narrow(axis, 0, step.shape[axis]).add_(step * known)
    height, width = (max(1, side // CLOSE_UP) for side in depth.shape[-2:])
    total = _window_sums(strength.double(), height, width)
    top, left = divmod(int(total.argmax()), total.shape[-1])
    return Window(top, left, height, width)


def _window_sums(values: Tensor, height: int, width: int) -> Tensor:
    """Sum every window by running sums: pooling would cost the window's area for each pixel."""
    sums = F.pad(values, (1, 0, 1, 0)).cumsum(-1).cumsum(-2)
    rows = sums[..., height:, :] - sums[..., :-height, :]
    # Rounding leaves a window without edges some 1e-12 from zero, which must not win.
    return (rows[..., width:] - rows[..., :-width]).round(decimals=6)


def _row(titles: list[str], pictures: list[Picture]) -> Picture:
    return side_by_side([titled(p, title) for p, title in zip(pictures, titles, strict=True)])


def _depth(
    depth: Tensor, sample: PanelSample, *, known: Tensor | None, sky: Tensor | None
) -> Picture:
    truth = sample.depth.float().where(sample.valid, 1.0).log()
    low, high = masked_quantiles(truth, sample.valid, QUANTILES)
    log = depth.float().clamp_min(1e-6).log()
    return _picture(colourise(log, valid=known, sky=sky, limits=(low, high)))


def _relative_error(sample: PanelSample) -> Tensor:
    truth = sample.depth.float().where(sample.valid, 1.0)
    return ((sample.prediction.float() - truth).abs() / truth).where(sample.valid, 0.0)


def _error(error: Tensor, valid: Tensor) -> Picture:
    limits = (torch.tensor(0.0), torch.tensor(WORST_ERROR))
    return _picture(
        colourise(error, valid=valid, limits=limits, near_is_high=True, palette="inferno")
    )


def _error_title(error: Tensor, valid: Tensor) -> str:
    mean = float(error.sum() / valid.sum().clamp_min(1))
    return f"error 0 to {WORST_ERROR:.0%}, mean {mean:.1%}"


def _flying_title(sample: PanelSample) -> str:
    share = float(sample.flying().sum() / sample.valid.sum().clamp_min(1))
    return f"prediction, {share:.2%} of points fly"


def _picture(colours: Tensor) -> Picture:
    picture: Picture = colours[0].permute(1, 2, 0).contiguous().numpy()
    return picture
