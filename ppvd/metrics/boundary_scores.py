"""Boundary F1 averaged over images."""

from collections.abc import Sequence

from torch import Tensor

from ppvd.geometry import Alignment
from ppvd.metrics.boundaries import boundary_f1, broken_images, disc_boundary_f1
from ppvd.metrics.depth_errors import frame_keys
from ppvd.metrics.means import ImageMeans

_LEAST_SQUARES = Alignment()


class BoundaryF1(ImageMeans):
    """``boundary_f1`` after an alignment, averaged over images.

    ``compute()`` returns ``boundary_f1`` and ``num_without_boundaries``, the images left out
    because they have no true boundary.

    Args:
        alignment: How each prediction is carried to metres; a shift changes ratios of depth.
        parity: As in ``boundary_f1``; images without a boundary score 0.
        table: As in ``ImageMeans``.
    """

    NAMES = ("boundary_f1",)

    def __init__(
        self, alignment: Alignment = _LEAST_SQUARES, *, parity: bool = False, table: bool = False
    ) -> None:
        super().__init__(
            self.NAMES,
            skipped_name="num_without_boundaries",
            identity=f"{alignment} {parity}",
            table=table,
        )
        self.alignment = alignment
        self.parity = parity

    def update(
        self,
        prediction: Tensor,
        depth: Tensor,
        valid: Tensor,
        key: Sequence[str] | None = None,
    ) -> None:
        """Add a batch of images, or of clips; arguments as in ``DepthErrors.update``."""
        aligned = self.alignment(prediction, depth, valid)
        maps = [values.flatten(0, -4) for values in (aligned, depth, valid)]
        values = {"boundary_f1": boundary_f1(*maps, parity=self.parity)}
        self.add(values, _count(values, maps), key=frame_keys(key, prediction))


class DiscBoundaryF1(ImageMeans):
    """``disc_boundary_f1`` after an alignment, averaged over images.

    ``compute()`` returns ``disc_boundary_f1`` and ``num_without_boundaries``, as in
    ``BoundaryF1``.

    Args:
        alignment: How each prediction is carried to metres.
        radius: As in ``disc_boundary_f1``.
        parity: As in ``disc_boundary_f1``; images without a boundary score 0.
        table: As in ``ImageMeans``.

    Raises:
        ValueError: If ``radius`` is not at least 1.
    """

    NAMES = ("disc_boundary_f1",)

    def __init__(
        self,
        alignment: Alignment = _LEAST_SQUARES,
        *,
        radius: int = 1,
        parity: bool = False,
        table: bool = False,
    ) -> None:
        if radius < 1:
            raise ValueError(f"radius must be at least 1 pixel, got {radius}")
        super().__init__(
            self.NAMES,
            skipped_name="num_without_boundaries",
            identity=f"{alignment} {radius} {parity}",
            table=table,
        )
        self.alignment = alignment
        self.radius = radius
        self.parity = parity

    def update(
        self,
        prediction: Tensor,
        depth: Tensor,
        valid: Tensor,
        key: Sequence[str] | None = None,
    ) -> None:
        """Add a batch of images, or of clips; arguments as in ``DepthErrors.update``."""
        aligned = self.alignment(prediction, depth, valid)
        maps = [values.flatten(0, -4) for values in (aligned, depth, valid)]
        found = disc_boundary_f1(*maps, radius=self.radius, parity=self.parity)
        values = {"disc_boundary_f1": found}
        self.add(values, _count(values, maps), key=frame_keys(key, prediction))


def _count(values: dict[str, Tensor], maps: list[Tensor]) -> Tensor:
    """Tell which images count: those with a score, or with none because they are broken."""
    (score,) = values.values()
    prediction, _, valid = maps
    return valid.flatten(1).any(dim=1) & (~score.isnan() | broken_images(prediction, valid))
