"""Metric depth to the range of the network and back (paper section III-F, Eq. 8)."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from ppvd.geometry.quantiles import masked_quantiles

# Smallest width of the range, in the codec's own unit (released code).
MIN_RANGE = 1e-6
# Depths below a millimetre are read as a millimetre when their inverse is taken (ours).
MIN_DEPTH_M = 1e-3


@dataclass(frozen=True, slots=True)
class DepthRange:
    """The two ends of Eq. 8, one pair for each map (or each clip).

    Attributes:
        low: ``d_min`` in the codec's own unit, ``(B, 1, ..., 1)``; code -0.5.
        high: ``d_max``, shape of ``low``, greater than ``low``; code +0.5.
    """

    low: Tensor
    high: Tensor


@dataclass(frozen=True, kw_only=True)
class DepthCodec(ABC):
    """An invertible map from metres to codes of about [-0.5, 0.5] (Eq. 8).

    The ends of the range are quantiles of each map over its valid pixels nearer than
    ``far_m`` (all its valid pixels where none is nearer; the range (0, 1) where none is valid).
    No gradient flows through them. Input with a frame axis, ``(B, T, 1, H, W)``, gets one range
    for the whole clip.

    Args:
        quantiles: Quantiles that land on -0.5 and +0.5. The paper says "percentiles"; 0.02 and
            0.98 follow the released code.
        far_m: Depths from here on, in metres, do not take part in the quantiles (released code).
        clamp: Limits of the fraction ``(d - d_min) / (d_max - d_min)``; ``None`` is Eq. 8 to the
            letter and exactly invertible, but its codes have no bound: a flat wall with a small
            window in it puts the window at any distance from the wall's [-0.5, 0.5].
        invalid_code: Code of pixels without a measurement. The middle of the range (ours) is the
            weakest edge a hole can have; ``None`` encodes the depth stored there (released code).
        sky_code: Code of sky pixels, where the caller passes a sky mask. The default is the far
            end of the range, where the released code puts sky; without a mask, sky is treated
            as invalid.

    Raises:
        ValueError: If the quantiles do not increase within [0, 1], ``far_m`` is not positive,
            or the clamp is empty.
    """

    quantiles: tuple[float, float] = (0.02, 0.98)
    far_m: float = 80.0
    clamp: tuple[float, float] | None = None
    invalid_code: float | None = 0.0
    sky_code: float = 0.5

    def __post_init__(self) -> None:
        low, high = self.quantiles
        if not 0.0 <= low < high <= 1.0:
            raise ValueError(f"quantiles must increase within [0, 1], got {self.quantiles}")
        if not self.far_m > 0.0:
            raise ValueError(f"far_m must be positive metres, got {self.far_m}")
        if self.clamp is not None and not self.clamp[0] < self.clamp[1]:
            raise ValueError(f"clamp must increase, got {self.clamp}")

    @abstractmethod
    def forward(self, depth: Tensor) -> Tensor:
        """Map metres to the unit in which Eq. 8 is affine, element by element."""

    @abstractmethod
    def inverse(self, values: Tensor) -> Tensor:
        """Undo ``forward``; total, and never negative."""

    def encode(
        self, depth: Tensor, valid: Tensor, *, sky: Tensor | None = None
    ) -> tuple[Tensor, DepthRange]:
        """Return the codes of ``depth`` and the range that decodes them.

        Args:
            depth: Metres, ``(B, [T,] 1, H, W)``; halves are widened to float32.
            valid: True where ``depth`` is a measurement, bool, shape of ``depth``.
            sky: True where the ray meets nothing, bool, shape of ``depth``; these pixels get
                ``sky_code``. To train on them, join this mask to the loss mask; to leave sky
                out, pass nothing.

        Returns:
            Codes of the shape of ``depth``, and their ``DepthRange``.

        Raises:
            ValueError: If a mask is not bool or differs from ``depth`` in shape.
        """
        _check_mask("valid", valid, depth)
        depth = depth.to(torch.promote_types(depth.dtype, torch.float32))
        values = self.forward(depth)
        bounds = self._range(depth, values, valid)
        code = (values - bounds.low) / (bounds.high - bounds.low)  # Eq. 8
        if self.clamp is not None:
            code = code.clamp(*self.clamp)
        code = code - 0.5
        if self.invalid_code is not None:
            code = code.masked_fill(~valid, self.invalid_code)
        if sky is not None:
            _check_mask("sky", sky, depth)
            code = code.masked_fill(sky, self.sky_code)
        return code, bounds

    def decode(self, code: Tensor, bounds: DepthRange) -> Tensor:
        """Return metres, shape of ``code``, from codes and the range ``encode`` returned.

        ``decode(encode(depth))`` is ``depth`` at valid pixels that no clamp has touched.
        """
        code = code.to(torch.promote_types(code.dtype, torch.float32))
        return self.inverse((code + 0.5) * (bounds.high - bounds.low) + bounds.low)

    @property
    @abstractmethod
    def unit(self) -> str:
        """The unit in which codes are affine, as a formula of ``depth`` in metres."""

    def range_between(self, near_m: float, far_m: float) -> DepthRange:
        """Return the range whose ends stand for two depths, in metres, whichever end is near."""
        ends = self.forward(torch.tensor([near_m, far_m])).sort().values
        return DepthRange(*ends)

    @torch.no_grad()
    def _range(self, depth: Tensor, values: Tensor, valid: Tensor) -> DepthRange:
        near = valid & (depth < self.far_m)
        used = torch.where(_any(near), near, valid)
        low, high = masked_quantiles(values, used, self.quantiles)
        seen = _any(valid)
        low, high = torch.where(seen, low, 0.0), torch.where(seen, high, 1.0)
        return DepthRange(low, torch.maximum(high, low + MIN_RANGE))


@dataclass(frozen=True, kw_only=True)
class LogDepthCodec(DepthCodec):
    """Eq. 8 on ``log(d + offset_m)``, the paper's choice for images: 0.5 is far.

    Args:
        offset_m: The epsilon of section III-F, metres ("e.g., 1").
        clamp: As in ``DepthCodec``. (-0.5, 1.0) follows the released code: the far side is cut
            at the upper quantile, the near side half a range beyond the lower one.

    Raises:
        ValueError: If ``offset_m`` is not positive.
    """

    offset_m: float = 1.0
    clamp: tuple[float, float] | None = (-0.5, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.offset_m > 0.0:
            raise ValueError(f"offset_m must be positive metres, got {self.offset_m}")

    @property
    def unit(self) -> str:
        """Logarithm."""
        return f"log(depth + {self.offset_m:g})"

    def forward(self, depth: Tensor) -> Tensor:
        """Return ``log(depth + offset_m)``."""
        return torch.log(depth + self.offset_m)

    def inverse(self, values: Tensor) -> Tensor:
        """Return ``exp(values) - offset_m``, at least 0 metres."""
        return (torch.exp(values) - self.offset_m).clamp_min(0.0)


@dataclass(frozen=True, kw_only=True)
class DisparityCodec(DepthCodec):
    """Eq. 8 on inverse depth, the paper's choice for video: 0.5 is near.

    The paper gives no more than the word, and no training code is released: everything but the
    inverse mirrors ``LogDepthCodec`` so that near and far keep their roles (ours).

    Args:
        max_depth_m: Depth of the codes that decode to no positive disparity, metres.
        clamp: As in ``DepthCodec``; the released limits, mirrored.
        sky_code: As in ``DepthCodec``; the far end is -0.5 here.

    Raises:
        ValueError: If ``max_depth_m`` is not positive.
    """

    max_depth_m: float = 1000.0
    clamp: tuple[float, float] | None = (0.0, 1.5)
    sky_code: float = -0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.max_depth_m > 0.0:
            raise ValueError(f"max_depth_m must be positive metres, got {self.max_depth_m}")

    @property
    def unit(self) -> str:
        """Disparity."""
        return "1 / depth"

    def forward(self, depth: Tensor) -> Tensor:
        """Return ``1 / depth`` in 1/m; depths under a millimetre count as a millimetre."""
        return depth.clamp_min(MIN_DEPTH_M).reciprocal()

    def inverse(self, values: Tensor) -> Tensor:
        """Return ``1 / values``, at most ``max_depth_m``."""
        return values.clamp_min(1.0 / self.max_depth_m).reciprocal()


def _any(mask: Tensor) -> Tensor:
    """Tell for each batch element whether any entry is true, ``(B, 1, ..., 1)``."""
    return mask.flatten(1).any(dim=1).reshape((-1,) + (1,) * (mask.ndim - 1))


def _check_mask(name: str, mask: Tensor, depth: Tensor) -> None:
    if mask.dtype != torch.bool or mask.shape != depth.shape:
        raise ValueError(
            f"{name} must be a bool mask of depth's shape {tuple(depth.shape)}, "
            f"got {mask.dtype} of shape {tuple(mask.shape)}"
        )
