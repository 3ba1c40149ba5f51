"""Reading on past what is bad, up to a limit."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ppvd.data.archive import read_samples
from ppvd.data.decode import RawSample
from ppvd.data.errors import BadSampleError, ShardError
from ppvd.data.plan import Piece
from ppvd.data.source import ShardSet

log = logging.getLogger(__name__)

# The log has them all; more in one error would bury what it says.
MAX_LISTED = 20


@dataclass(kw_only=True)
class Budget:
    """Counts what had to be left out, and says when it is too much.

    Args:
        num_planned: Samples that were to be read.
        max_bad_fraction: Share of them that may be bad, in [0, 1).
        on_loss: Told how many samples each tolerated error cost; None for nobody.
    """

    num_planned: int
    max_bad_fraction: float
    on_loss: Callable[[int], object] | None = None
    num_bad: int = field(default=0, init=False)
    _tolerated: list[str] = field(default_factory=list, init=False)

    def spend(self, error: ShardError, num_samples: int) -> None:
        """Take note of ``num_samples`` lost to ``error``.

        Raises:
            ShardError: Once the budget is spent, with a list of what was lost before.
        """
        self.num_bad += num_samples
        if self.num_bad > self.max_bad_fraction * self.num_planned:
            raise ShardError(
                f"{error} ({self.num_bad} bad of {self.num_planned} samples; max_bad_fraction is"
                f" {self.max_bad_fraction:g}){self._list()}"
            ) from error
        self._tolerated.append(str(error))
        if self.on_loss is not None:
            self.on_loss(num_samples)
        log.warning("left out %d of %d samples so far: %s", self.num_bad, self.num_planned, error)

    def _list(self) -> str:
        """Return the errors that were tolerated, a line each."""
        if not self._tolerated:
            return ""
        more = len(self._tolerated) - MAX_LISTED
        lines = ["; before it:", *self._tolerated[:MAX_LISTED]]
        return "\n  ".join(lines + [f"and {more} more, see the log"] * (more > 0))


def read_pieces(
    shards: ShardSet, plan: Sequence[Piece], *, on_bad: Callable[[ShardError, int], object]
) -> Iterator[RawSample]:
    """Yield the samples of ``plan`` that can be read.

    A bad sample costs itself, a bad shard all that it still owed.

    Args:
        shards: Set to read.
        plan: What to read of it.
        on_bad: Called with each error and the count of samples lost to it, such as
            `Budget.spend`; the reading goes on if it returns.
    """
    for piece in plan:
        entry, number = shards.manifest.shards[piece.shard], piece.start
        while number < piece.stop:
            try:
                for raw in read_samples(
                    entry,
                    root=shards.root,
                    start=number,
                    stop=piece.stop,
                    opener=shards.opener,
                ):
                    yield raw
                    number += 1
            except BadSampleError as error:
                on_bad(error, 1)
                number += 1
            except ShardError as error:
                on_bad(error, piece.stop - number)
                break
