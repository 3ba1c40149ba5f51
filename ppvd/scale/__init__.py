"""Training on many devices: how weights are spread, and how a run is saved and continued."""

from ppvd.scale.async_checkpoints import AsyncCheckpoints
from ppvd.scale.compile_blocks import CompileBlocks
from ppvd.scale.export import export_weights
from ppvd.scale.fsdp2 import FSDP2
from ppvd.scale.stop_on_signal import StopOnSignal
from ppvd.scale.whole_checkpoints import WholeCheckpoints, keep_whole, require_whole

__all__ = [
    "FSDP2",
    "AsyncCheckpoints",
    "CompileBlocks",
    "StopOnSignal",
    "WholeCheckpoints",
    "export_weights",
    "keep_whole",
    "require_whole",
]
