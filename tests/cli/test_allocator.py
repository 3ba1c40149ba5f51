import subprocess
import sys

import pytest

from ppvd.cli import main

ROUNDS = 20
COUNT_FAULTS = f"""
import resource, sys
import numpy as np
from ppvd.cli.allocator import keep_freed_memory

if "keep" in sys.argv:
    keep_freed_memory()
batch = [np.ones(10_000_000, np.uint8) for _ in range(4)]
del batch
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({ROUNDS}):
    batch = [np.ones(10_000_000, np.uint8) for _ in range(4)]
    del batch
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*words):
    run = [sys.executable, "-c", COUNT_FAULTS, *words]
    return int(subprocess.run(run, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems keep their way")
def test_the_memory_of_a_freed_batch_serves_the_next():
    assert faults("keep") < faults() / 10


def test_elsewhere_nothing_happens(monkeypatch):
    from ppvd.cli import allocator

    monkeypatch.setattr(allocator.sys, "platform", "win32")
    monkeypatch.setattr(allocator.ctypes, "CDLL", None)
    allocator.keep_freed_memory()


def test_a_training_keeps_it(monkeypatch):
    kept = []
    monkeypatch.setattr("ppvd.cli.dispatch.keep_freed_memory", lambda: kept.append(True))
    with pytest.raises(SystemExit):
        main(["fit"])  # Without a recipe it is refused, but not before.
    assert kept
