"""Resize depth maps without ever averaging the two sides of a depth edge."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ppvd.geometry.surface import joined_pairs

# Colour difference (root of summed squares, sRGB in [0, 1]) that weighs as much as one source
# pixel of distance in the choice of a side (ours; 0.05 to 0.2 do equally well).
GUIDE_CONTRAST = 0.1

# The nearest source row (or column) of each output one, the second nearest, and its weight.
_Axis = tuple[Tensor, Tensor, Tensor]


def enlarge_depth(
    depth: Tensor,
    size: tuple[int, int],
    *,
    max_gap: float = 0.05,
    relative: bool = True,
    guide: Tensor | None = None,
) -> Tensor:
    """Resize maps: bilinear on a surface, one side only at an edge.

    An edge lies between two source pixels, neighbours in a row or a column, whose gap exceeds
    ``max_gap``, unless the map goes on at the same slant on both sides (``joined_pairs``). Each
    output pixel starts from one of the four source pixels around it and averages, with bilinear
    weights made to sum to one, only those of the other three that are joined to it without an
    edge. Where none is, it is a copy. Metres are averaged as inverse depth, in which planes are
    straight; codes as they are.

    The start is the nearest source pixel; with ``guide``, the one that best agrees in colour and
    place. That puts edges where the picture has them, finer than a source pixel: on a real
    photograph with true depth (Middlebury motorcycle, factors 2 to 4) it lowers the error near
    edges by a quarter to a third.

    Args:
        depth: Finite maps ``(B, 1, H, W)``: metres, or codes with ``relative=False``. Zeros, as
            truth has them in holes, are a side of their own.
        size: Output height and width in pixels, larger or smaller; the outer borders stay in
            place. Shrinking samples, it does not smooth: that would average edges.
        max_gap: Largest step within one surface. The default is 5 % (ours). For codes, in the
            map's own unit; a code spans about 1 from near to far, so 0.03 is a like choice.
        relative: Gap as ``max(a, b) / min(a, b) - 1``, for metres; else as ``|a - b|``.
        guide: The photograph at output size, sRGB in [0, 1], ``(B, 3, *size)``.

    Returns:
        ``(B, 1, *size)``, dtype of ``depth``.

    Raises:
        ValueError: If the shape is not ``(B, 1, H, W)``, ``size`` or ``max_gap`` not positive,
            or ``guide`` not of the output size.
    """
    _check(depth, size, max_gap, guide)
    rows, columns = _axis(depth, 2, size[0]), _axis(depth, 3, size[1])
    values = _corners(depth, rows, columns)  # (4, B, 1, h, w)
    weights = _bilinear_weights(rows, columns).expand(values.shape)
    # Pairs across: nearest row, second row. Pairs down: nearest column, second column.
    pairs = _pairs(*joined_pairs(depth, max_gap=max_gap, relative=relative), rows, columns)
    if guide is not None:
        small = F.interpolate(guide, depth.shape[-2:], mode="area")
        start = _best_start(_corners(small, rows, columns), guide, rows, columns)
        # Corner k's neighbours in its row, in its column and across are k ^ 1, k ^ 2 and k ^ 3.
        order = start ^ torch.arange(4, device=depth.device).view(4, 1, 1, 1, 1)
        values, weights = values.gather(0, order), weights.gather(0, order)
        swap = torch.stack([start & 2, start & 2, start & 1, start & 1]) != 0
        swapped = pairs.reshape(2, 2, *pairs.shape[1:]).flip(1).reshape(pairs.shape)
        pairs = torch.where(swap, swapped, pairs)
    shares = _shares(weights, pairs)
    return _average(values, shares, inverse=relative).to(depth.dtype)


def _axis(depth: Tensor, axis: int, length: int) -> _Axis:
    """Place ``length`` output rows (or columns) among the source's.

    The second's weight is at most 0.5; beyond the border both are the border itself.
    """
    source = depth.shape[axis]
    position = torch.arange(length, device=depth.device, dtype=torch.float64)
    position = ((position + 0.5) * (source / length) - 0.5).clamp(0.0, source - 1.0)
    near = (position + 0.5).floor().clamp_max(source - 1.0)
    far = torch.where(position < near, near - 1.0, near + 1.0).clamp(0.0, source - 1.0)
    weight = (position - near).abs().to(torch.promote_types(depth.dtype, torch.float32))
    return near.long(), far.long(), weight


def _corners(maps: Tensor, rows: _Axis, columns: _Axis) -> Tensor:
    """Gather the nearest, the next in its row, in its column, and across: ``(4, B, C, h, w)``."""
    return torch.stack([maps[:, :, row][..., column] for row in rows[:2] for column in columns[:2]])


def _bilinear_weights(rows: _Axis, columns: _Axis) -> Tensor:
    """Return the weights of the corners, in their order, ``(4, 1, 1, h, w)``."""
    down, across = rows[2][:, None], columns[2]
    vertical, horizontal = (1.0 - down, down), (1.0 - across, across)
    return torch.stack([v * h for v in vertical for h in horizontal])[:, None, None]


def _pairs(joined_across: Tensor, joined_down: Tensor, rows: _Axis, columns: _Axis) -> Tensor:
    """Gather which of the four pairs among the corners are joined, ``(4, B, 1, h, w)``."""
    left, top = torch.minimum(*columns[:2]), torch.minimum(*rows[:2])
    across = [joined_across[:, :, row][..., left] for row in rows[:2]]
    down = [joined_down[:, :, top][..., column] for column in columns[:2]]
    return torch.stack(across + down)


def _best_start(colours: Tensor, guide: Tensor, rows: _Axis, columns: _Axis) -> Tensor:
    """Return the index, ``(B, 1, h, w)``, of the corner nearest in colour and place."""
    contrast = (colours - guide).square().sum(dim=2, keepdim=True) / GUIDE_CONTRAST**2
    down, across = rows[2][:, None], columns[2]
    places = [(r, c) for r in (down, 1.0 - down) for c in (across, 1.0 - across)]
    distance = torch.stack([row.square() + column.square() for row, column in places])
    return (contrast + distance[:, None, None]).argmin(dim=0)


def _shares(weights: Tensor, pairs: Tensor) -> Tensor:
    """Return the shares of the three corners beside the start; the start has the rest.

    A neighbour joins over a joined pair. The diagonal joins over a neighbour that has joined, and
    not if an edge parts it from the other one that has.
    """
    beside, below_to_diagonal, below, beside_to_diagonal = pairs
    diagonal = (beside | below) & (beside_to_diagonal | ~beside) & (below_to_diagonal | ~below)
    shares = weights[1:].where(torch.stack([beside, below, diagonal]), 0.0)
    # Nothing has weight only where a guided start lies opposite a pixel that is hit exactly.
    shared: Tensor = shares / (weights[0] + shares.sum(dim=0)).clamp_min(1e-6)
    return shared


def _average(values: Tensor, shares: Tensor, *, inverse: bool) -> Tensor:
    """Average start and corners; written as a step from the start, so that a copy is exact."""
    start, others = values[0], values[1:]
    if not inverse:
        return start + (shares * (others - start)).where(shares > 0.0, 0.0).sum(dim=0)
    excess = ((start - others) / others).where((shares > 0.0) & (others > 0.0), 0.0)
    return start / (1.0 + (shares * excess).sum(dim=0))


def _check(depth: Tensor, size: tuple[int, int], max_gap: float, guide: Tensor | None) -> None:
    if depth.ndim != 4 or depth.shape[1] != 1 or not depth.is_floating_point():
        raise ValueError(
            f"depth must be floating point of shape (B, 1, H, W), got {depth.dtype} of shape "
            f"{tuple(depth.shape)}"
        )
    if min(size) < 1 or min(depth.shape[-2:]) < 1:
        raise ValueError(f"sizes must be positive, got {tuple(depth.shape[-2:])} to {size}")
    if not (max_gap > 0.0 and math.isfinite(max_gap)):
        raise ValueError(f"max_gap must be positive, got {max_gap}")
    if guide is not None and tuple(guide.shape) != (len(depth), 3, *size):
        raise ValueError(
            f"guide must have shape {(len(depth), 3, *size)}, got {tuple(guide.shape)}"
        )
