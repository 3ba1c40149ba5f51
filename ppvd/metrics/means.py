"""Exact means over images: the state that every metric of this package keeps."""

import zlib
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torchmetrics import Metric


class ImageMeans(Metric):
    """Averages several values over images, whatever the batches and processes they came in.

    The state is a float64 sum for each value and integer counts, reduced by summation, so that
    uneven batches and uneven ranks leave the mean exact. Subclasses compute the values of each
    image in ``update`` and hand them to ``add``.

    Two traps of torchmetrics are closed here. ``MetricCollection`` lets metrics with equal state
    names share one state when their first batch happens to agree: the names carry a fingerprint
    of ``identity``. And ``.to(dtype)`` and ``set_dtype`` cast states: these keep their own dtype.

    Args:
        names: Keys of the means in the result.
        skipped_name: Key of the number of images that were skipped.
        identity: Text that differs between metrics that compute different things.
    """

    is_differentiable = False
    higher_is_better = None
    full_state_update = False

    def __init__(self, names: Sequence[str], *, skipped_name: str, identity: str) -> None:
        super().__init__()
        self.names = tuple(names)
        self.skipped_name = skipped_name
        stem = f"{type(self).__name__}_{zlib.crc32(identity.encode()):08x}"
        self._state_names = (f"{stem}_total", f"{stem}_averaged", f"{stem}_skipped")
        zeros = (
            torch.zeros(len(self.names), dtype=torch.double),
            torch.zeros((), dtype=torch.long),
            torch.zeros((), dtype=torch.long),
        )
        for name, zero in zip(self._state_names, zeros, strict=True):
            self.add_state(name, zero, dist_reduce_fx="sum")

    def add(self, values: dict[str, Tensor], counts: Tensor) -> None:
        """Add one batch.

        Args:
            values: For each of ``names``, the value of each image, ``(B,)``.
            counts: True where the image counts, bool, ``(B,)``; the others are counted as skipped
                and their values, nan or not, are left out.
        """
        table = torch.stack([values[name].double() for name in self.names], dim=1)  # (B, K)
        batch = (table.where(counts[:, None], 0.0).sum(dim=0), counts.sum(), (~counts).sum())
        for name, value in zip(self._state_names, batch, strict=True):
            setattr(self, name, getattr(self, name) + value)

    def compute(self) -> dict[str, Tensor]:
        """Return each mean over the images that counted, nan without any, and the number skipped.

        Returns:
            Float64 scalars under ``names``, an integer scalar under ``skipped_name``.
        """
        total, averaged, skipped = (getattr(self, name) for name in self._state_names)
        means: Tensor = total / averaged
        return dict(zip(self.names, means, strict=True)) | {self.skipped_name: skipped}

    def _apply(self, fn: Callable[[Tensor], Tensor], exclude_state: Sequence[str] = ()) -> "Metric":
        """Follow a move to another device, and keep out of casts to another dtype."""
        super()._apply(fn, exclude_state=(*exclude_state, *self._state_names))
        for name in self._state_names:
            setattr(self, name, getattr(self, name).to(self.device))
        self._computed = None  # a result remembered from before would have been cast
        return self
