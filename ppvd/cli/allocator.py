"""How this process keeps memory: arrays of one size come and go with every batch."""

import ctypes
import sys

# Parameters of mallopt(3), which glibc has and other C libraries do not.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
# Larger blocks are given back at once; of smaller ones' memory, at most so much is kept unused.
_LARGEST_BLOCK, _MOST_KEPT = 2**28, 2**31 - 1


def keep_freed_memory() -> None:
    """Let freed arrays' memory serve the next ones instead of going back to the system.

    The system clears every page that it hands out again, which took a fifth of a training step on
    the CPU and a tenth of the time of reading data (ours). Forked workers keep the setting.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK)
        mallopt(_TRIM_THRESHOLD, _MOST_KEPT)
