"""Share of predicted points that hang in the air between the two sides of a true depth edge."""

from collections.abc import Sequence

from torch import Tensor

from ppvd.geometry import Alignment, DepthCanny, dilate, flying_points
from ppvd.metrics.depth_errors import frame_keys
from ppvd.metrics.means import ImageMeans

_RELEASED_ALIGNMENT = Alignment()
_CANNY = DepthCanny()


class FlyingPixels(ImageMeans):
    """Share of the predicted points near true depth edges that fly, averaged over images.

    A point flies as ``flying_points`` defines it, by which panels and point clouds mark it too.
    ``compute()`` returns ``flying_pixel_ratio`` and ``num_without_edges``, the images left out
    because no valid pixel is near an edge.

    Args:
        alignment: How each prediction is carried to metres.
        canny: How edges are found.
        radius: Pixels around an edge, and around a point, that count (a square).
        tolerance: Relative distance from a surface that still counts as on it.
        table: As in ``ImageMeans``.

    Raises:
        ValueError: If ``radius`` is less than 1 or ``tolerance`` not positive.
    """

    NAMES = ("flying_pixel_ratio",)

    def __init__(
        self,
        alignment: Alignment = _RELEASED_ALIGNMENT,
        *,
        canny: DepthCanny = _CANNY,
        radius: int = 1,
        tolerance: float = 0.05,
        table: bool = False,
    ) -> None:
        if radius < 1:
            raise ValueError(f"radius must be at least 1 pixel, got {radius}")
        if not tolerance > 0.0:
            raise ValueError(f"tolerance must be positive, got {tolerance}")
        super().__init__(
            self.NAMES,
            skipped_name="num_without_edges",
            identity=f"{alignment} {canny} {radius} {tolerance}",
            table=table,
        )
        self.alignment = alignment
        self.canny = canny
        self.radius = radius
        self.tolerance = tolerance

    def update(
        self,
        prediction: Tensor,
        depth: Tensor,
        valid: Tensor,
        key: Sequence[str] | None = None,
    ) -> None:
        """Add a batch of images, or of clips; arguments as in ``DepthErrors.update``."""
        aligned = self.alignment(prediction, depth, valid)
        aligned, depth, valid = (maps.flatten(0, -4) for maps in (aligned, depth, valid))
        edges = self.canny(depth, valid)
        near = (dilate(edges, self.radius) & valid).flatten(1)
        flying = flying_points(
            aligned, depth, edges, valid, radius=self.radius, tolerance=self.tolerance
        )
        share = (flying.flatten(1) & near).sum(dim=1).double() / near.sum(dim=1)
        broken = (near & ~aligned.flatten(1).isfinite()).any(dim=1)
        values = {"flying_pixel_ratio": share.masked_fill(broken, float("nan"))}
        self.add(values, near.any(dim=1), key=frame_keys(key, prediction))
