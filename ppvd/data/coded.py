"""A frame whose depth stays in codes until it is on the device that trains."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ppvd.data.coding import INVALID_CODE, SKY_CODE, LinearU16, LogU16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CodedFrame:
    """A colour picture and its depth in 16-bit codes.

    Attributes:
        image: sRGB colour, uint8, ``(H, W, 3)``.
        codes: Depth as ``coding`` says, with its two special codes, uint16, ``(H, W)``.
        coding: What the codes mean.
        intrinsics: As in `ppvd.data.frame.Frame`.
        pose: As in `ppvd.data.frame.Frame`.
        key: As in `ppvd.data.frame.Frame`.
    """

    image: NDArray[np.uint8]
    codes: NDArray[np.uint16]
    coding: LogU16 | LinearU16
    intrinsics: NDArray[np.float64]
    pose: NDArray[np.float64] | None
    key: str

    @property
    def planes(self) -> dict[str, NDArray[np.uint16]]:
        """What belongs to pixels and must not be interpolated."""
        return {"codes": self.codes}

    @property
    def valid(self) -> NDArray[np.bool_]:
        """True where there is a measurement, ``(H, W)``."""
        valid: NDArray[np.bool_] = (self.codes != INVALID_CODE) & (self.codes != SKY_CODE)
        return valid

    @property
    def curve(self) -> tuple[float, float, float]:
        """Return ``base, rate, step``: code ``v`` is ``base * exp(rate * (v - 1)) + step * v`` m.

        One formula for both codings, so that a batch may hold either: the unused part is 0.
        """
        if isinstance(self.coding, LinearU16):
            return 0.0, 0.0, self.coding.scale
        return self.coding.near, self.coding.rate, 0.0


def metres(codes: Tensor, curve: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return depth, valid and sky of ``codes``.

    Args:
        codes: uint16, ``(..., 1, H, W)``.
        curve: `CodedFrame.curve` of each frame, ``(..., 3)``.

    Returns:
        Depth in metres, float32, 0 where not valid; valid and sky, bool; all of the codes' shape.
    """
    tables = _tables(curve.reshape(-1, 3))
    place = codes.int()
    sky = place == SKY_CODE
    first = tables.shape[1] * torch.arange(len(tables), device=codes.device, dtype=torch.int32)
    place.view(len(tables), -1).add_(first[:, None])
    depth = tables.flatten().index_select(0, place.flatten()).reshape(codes.shape)
    return depth, depth > 0, sky


def _tables(curve: Tensor) -> Tensor:
    """Return the depth of every code by each of ``N`` curves, ``(N, 65536)``.

    A frame has ten times as many pixels and more: to look a depth up takes a quarter of the time of
    an exponential.
    """
    base, rate, step = curve[..., None].unbind(1)
    value = torch.arange(SKY_CODE + 1, device=curve.device, dtype=torch.float32)
    tables = torch.exp(rate * (value - 1)).mul_(base).addcmul_(step, value)
    for code in (INVALID_CODE, SKY_CODE):
        tables[:, code] = 0
    return tables
