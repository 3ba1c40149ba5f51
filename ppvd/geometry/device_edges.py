"""Canny edges where the depth maps are, by kornia, without a way through the CPU."""

import torch
import torch.nn.functional as F
from kornia.filters import canny
from torch import Tensor


def device_canny(
    values: Tensor, valid: Tensor, *, low_threshold: float, high_threshold: float
) -> Tensor:
    """Return the edge pixels of each map, as ``cv2.Canny`` with L2 gradients finds them.

    Args:
        values: Maps of depth or log depth, ``(B, 1, H, W)``; each is drawn in grey levels from its
            least valid value to its greatest, and holes take a nearest valid pixel's.
        valid: True where ``values`` counts, bool, same shape.
        low_threshold: Lower gradient threshold in grey levels.
        high_threshold: Upper gradient threshold in grey levels.

    Returns:
        Bool, same shape and device; all false for maps that are constant or have nothing valid.
    """
    low = values.masked_fill(~valid, torch.inf).flatten(1).amin(dim=1)[:, None, None, None]
    high = values.masked_fill(~valid, -torch.inf).flatten(1).amax(dim=1)[:, None, None, None]
    drawn = high > low
    span = torch.where(drawn, high - low, 1.0)
    grey = (255.0 * (values - low) / span).round().clamp(0.0, 255.0).float()
    grey = fill_from_nearest(grey.masked_fill(~(valid & drawn), 0.0), valid)
    # A kernel of one pixel: OpenCV does not blur.
    _, edges = canny(grey / 255.0, low_threshold / 255.0, high_threshold / 255.0, (1, 1))
    return (edges > 0.0) & drawn


def fill_from_nearest(values: Tensor, valid: Tensor) -> Tensor:
    """Give each invalid pixel the value of a nearest valid one, by jump flooding.

    Nearest up to the few pixels that jump flooding gets wrong; the number of steps hangs on the
    size alone, so the host never waits. Maps with nothing valid stay as they are.

    Args:
        values: ``(B, 1, H, W)``.
        valid: Bool, same shape.
    """
    height, width = values.shape[-2:]
    rows = torch.arange(height, device=values.device)[:, None].expand(height, width)
    columns = torch.arange(width, device=values.device).expand(height, width)
    here = torch.stack([rows, columns]).float().expand(len(values), 2, height, width)
    source = here.where(valid, torch.inf)
    reach = 2 ** max(max(height, width) - 1, 1).bit_length()
    steps = [reach >> k for k in range(1, reach.bit_length())]
    for step in [*steps, 1]:  # a last round of ones mends most of what is wrong
        source = _nearer(source, here, step)
    place = (source[:, :1] * width + source[:, 1:]).where(source[:, :1].isfinite(), 0.0).long()
    fetched = values.flatten(1).gather(1, place.flatten(1)).reshape(values.shape)
    return fetched.where(source[:, :1].isfinite(), values)


def _nearer(source: Tensor, here: Tensor, step: int) -> Tensor:
    """Take over a neighbour's source, ``step`` pixels away, where it is nearer than one's own."""
    height, width = source.shape[-2:]
    padded = F.pad(source, (step,) * 4, value=torch.inf)
    for top in (0, step, 2 * step):
        for left in (0, step, 2 * step):
            other = padded[..., top : top + height, left : left + width]
            nearer = _distance(other, here) < _distance(source, here)
            source = other.where(nearer, source)
    return source


def _distance(source: Tensor, here: Tensor) -> Tensor:
    return (source - here).square().sum(dim=1, keepdim=True)
