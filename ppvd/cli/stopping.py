"""How a training ends that was asked to, and has saved itself."""

import sys
from collections.abc import Sequence

from lightning.fabric.utilities.rank_zero import rank_zero_only

from ppvd import slurm

TRY_LATER = 75  # EX_TEMPFAIL of sysexits.h


def leave_stopped(sentence: str, way_on: Sequence[str]) -> None:
    """Have Slurm start the job again; elsewhere say how the run goes on.

    Args:
        sentence: What has become of the run.
        way_on: How it goes on.

    Raises:
        SystemExit: With 75 outside of Slurm: the work is not done, and is to be tried later.
    """
    rank_zero_only(print)("; ".join([sentence, *way_on]), file=sys.stderr)
    if slurm.job() is None:
        raise SystemExit(TRY_LATER)
    # The other processes leave in peace: one that failed would end the first before it has asked.
    rank_zero_only(slurm.requeue)()
