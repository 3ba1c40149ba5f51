"""Exact means over images: the state that every metric of this package keeps."""

import zlib
from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor
from torchmetrics import Metric

from ppvd.metrics.table import KEY_BYTES, encode_keys

Reduction = Literal["image_mean", "pixel_pool", "none"]


class ImageMeans(Metric):
    """Averages several values over images, whatever the batches and processes they came in.

    The state is a float64 sum for each value and the weight of the images in it, reduced by
    summation, so that uneven batches and uneven ranks leave the mean exact. Subclasses compute
    the values of each image in ``update`` and hand them to ``add``.

    Two traps of torchmetrics are closed here. ``MetricCollection`` lets metrics with equal state
    names share one state when their first batch happens to agree: the names carry a fingerprint
    of ``identity``. And ``.to(dtype)`` and ``set_dtype`` cast states: these keep their own dtype.

    Args:
        names: Keys of the means in the result.
        skipped_name: Key of the number of images that were skipped.
        identity: Text that differs between metrics that compute different things.
        counters: Keys of further numbers of images, such as those with a degenerate fit.
        table: Whether ``compute`` returns the values of each image in place of their mean, and
            under ``key`` the images' keys (``decode_keys`` reads them): a row an image, those
            skipped too, with nan.
    """

    is_differentiable = False
    higher_is_better = None
    full_state_update = False

    def __init__(
        self,
        names: Sequence[str],
        *,
        skipped_name: str,
        identity: str,
        counters: Sequence[str] = (),
        table: bool = False,
    ) -> None:
        super().__init__()
        self.names = tuple(names)
        self.skipped_name = skipped_name
        self.counters = tuple(counters)
        self.table = table
        stem = f"{type(self).__name__}_{zlib.crc32(f'{identity} {table}'.encode()):08x}"
        sums = ("total", "weight", "skipped", *(["counted"] if counters else []))
        self._state_names = tuple(f"{stem}_{name}" for name in sums)
        zeros = (
            torch.zeros(len(self.names), dtype=torch.double),
            torch.zeros((), dtype=torch.double),
            torch.zeros((), dtype=torch.long),
            torch.zeros(len(self.counters), dtype=torch.long),
        )
        for name, zero in zip(self._state_names, zeros, strict=False):
            self.add_state(name, zero, dist_reduce_fx="sum")
        self._list_names = (f"{stem}_rows", f"{stem}_keys") if table else ()
        for name in self._list_names:
            self.add_state(name, [], dist_reduce_fx="cat")

    def add(
        self,
        values: dict[str, Tensor],
        counts: Tensor,
        *,
        weight: Tensor | None = None,
        flags: dict[str, Tensor] | None = None,
        key: Sequence[str] | None = None,
    ) -> None:
        """Add one batch.

        Args:
            values: For each of ``names``, the value of each image, ``(B,)``.
            counts: True where the image counts, bool, ``(B,)``; the others are counted as skipped
                and their values, nan or not, are left out.
            weight: Of each image in the means, ``(B,)``; 1 by default.
            flags: For each of ``counters``, whether the image is one of them, bool, ``(B,)``.
            key: The images' names in the table.
        """
        table = torch.stack([values[name].double() for name in self.names], dim=1)  # (B, K)
        share = counts.double() if weight is None else weight.double().where(counts, 0.0)
        summed = (share[:, None] * table.where(counts[:, None], 0.0)).sum(dim=0)
        batch = [summed, share.sum(), (~counts).sum()]
        if self.counters:
            given = flags or {}
            batch.append(torch.stack([given[name].sum() for name in self.counters]))
        for name, value in zip(self._state_names, batch, strict=True):
            setattr(self, name, getattr(self, name) + value)
        if self.table:
            rows, keys = (getattr(self, name) for name in self._list_names)
            rows.append(table.where(counts[:, None], torch.nan))
            keys.append(encode_keys(key or [""] * len(table)).to(table.device))

    def compute(self) -> dict[str, Tensor]:
        """Return each mean over the images that counted, nan without any, and the number skipped.

        Returns:
            Float64 scalars under ``names``, integer scalars under ``skipped_name`` and
            ``counters``; with a table, ``(N,)`` under ``names`` and uint8 under ``key``.
        """
        total, weight, skipped, *counted = (getattr(self, name) for name in self._state_names)
        counts = {self.skipped_name: skipped}
        if counted:
            counts |= dict(zip(self.counters, counted[0], strict=True))
        if self.table:
            return self._table() | counts
        means: Tensor = total / weight
        return self.finish(dict(zip(self.names, means, strict=True))) | counts

    def finish(self, means: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the results from the means; subclasses whose result is no mean override it."""
        return means

    def _table(self) -> dict[str, Tensor]:
        rows, keys = (_joined(getattr(self, name)) for name in self._list_names)
        if not len(rows):
            rows, keys = self._empty_lists()
        return dict(zip(self.names, rows.unbind(dim=1), strict=True)) | {"key": keys}

    def _empty_lists(self) -> tuple[Tensor, Tensor]:
        rows = torch.zeros(0, len(self.names), dtype=torch.double, device=self.device)
        return rows, torch.zeros(0, KEY_BYTES, dtype=torch.uint8, device=self.device)

    def _sync_dist(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Let a process without images take part in the gathering with empty lists of rows."""
        for name, empty in zip(self._list_names, self._empty_lists(), strict=False):
            if not getattr(self, name):
                setattr(self, name, [empty])
        super()._sync_dist(*args, **kwargs)

    def _apply(self, fn: Callable[[Tensor], Tensor], exclude_state: Sequence[str] = ()) -> "Metric":
        """Follow a move to another device, and keep out of casts to another dtype."""
        ours = (*self._state_names, *self._list_names)
        super()._apply(fn, exclude_state=(*exclude_state, *ours))
        for name in ours:
            value = getattr(self, name)
            moved = [v.to(self.device) for v in value] if isinstance(value, list) else None
            setattr(self, name, value.to(self.device) if moved is None else moved)
        self._computed = None  # a result remembered from before would have been cast
        return self


def _joined(rows: Tensor | list[Tensor]) -> Tensor:
    """Return one tensor of rows: a list before processes are joined, a tensor after."""
    if isinstance(rows, list):
        return torch.cat(rows) if rows else torch.zeros(0)
    return rows
