"""Checkpoint files that are whole, or not there: a crash at any moment leaves the previous one."""

import zipfile
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.fabric.utilities.types import _PATH
from lightning.pytorch import Trainer

from ppvd.scale.folder_checksums import require_whole_folder
from ppvd.whole import appearing_whole


class WholeCheckpoints(TorchCheckpointIO):
    """Write under a passing name beside the file, then rename; look at checksums when reading.

    Lightning's own writing passes through the system's folder for temporary files, from where
    a file moves by copying, so that a crash leaves half of it in the place of the previous one.
    """

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: _PATH,
        storage_options: object | None = None,
    ) -> None:
        """Write a checkpoint; passing files of a run that was killed are removed.

        Args:
            checkpoint: What to save.
            path: Where to; on another file system, Lightning's writing must do.
            storage_options: Must be ``None``.
        """
        if "://" in str(path) or storage_options is not None:
            super().save_checkpoint(checkpoint, path, storage_options)
            return
        file = Path(path)
        for left in file.parent.glob(f".{file.name}.*"):
            left.unlink()
        with appearing_whole(file) as passing:
            torch.save(checkpoint, passing)

    def load_checkpoint(self, path: _PATH, *args: Any, **options: Any) -> dict[str, Any]:  # noqa: ANN401
        """Read a checkpoint.

        Raises:
            ValueError: If a checksum in it is not that of its bytes.
        """
        require_whole(Path(path))
        content: dict[str, Any] = super().load_checkpoint(path, *args, **options)
        return content


def keep_whole(trainer: Trainer) -> None:
    """Let a trainer that was given no other way of writing checkpoints write whole ones."""
    if type(trainer.strategy.checkpoint_io) is TorchCheckpointIO:
        trainer.strategy.checkpoint_io = WholeCheckpoints()


def require_whole(file: Path) -> None:
    """Compare the checksums that ``torch.save`` writes, which ``torch.load`` passes over.

    Args:
        file: The checkpoint, see ``require_whole_folder`` if it is a folder; what is no zip file is
            left to ``torch.load``.

    Raises:
        ValueError: If one differs.
    """
    if file.is_dir():
        require_whole_folder(file)
        return
    if not zipfile.is_zipfile(file):
        return
    with zipfile.ZipFile(file) as archive:
        damaged = archive.testzip()
    if damaged:
        raise ValueError(f"{file} must be as it was written, but {damaged} in it is damaged")
