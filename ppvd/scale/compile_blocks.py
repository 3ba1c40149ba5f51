"""Compilation of what runs most: the blocks, each on its own."""

from lightning.pytorch import Callback, LightningModule, Trainer

from ppvd.nn import Block


class CompileBlocks(Callback):
    """Compile every block of the network with ``torch.compile``, before weights are shared out.

    Blocks of one width and size share one compilation, so it takes a fraction of the whole
    network's time; names in checkpoints stay as they are; it composes with DDP, FSDP, bfloat16 and
    ``checkpoint_blocks``.

    Args:
        backend: What compiles.
        mode: Of the inductor; ``None`` is its default.
    """

    def __init__(self, *, backend: str = "inductor", mode: str | None = None) -> None:
        self.backend = backend
        self.mode = mode

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:  # noqa: ARG002
        """Mark the blocks; each compiles when it first runs."""
        for part in pl_module.modules():
            if isinstance(part, Block):
                part.compile(backend=self.backend, mode=self.mode, dynamic=False)
