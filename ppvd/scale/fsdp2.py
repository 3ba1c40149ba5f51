"""The strategy that shares weights, gradients and optimiser among all processes (FSDP2)."""

import shutil
from pathlib import Path
from typing import Any

from lightning.fabric.utilities.types import _PATH
from lightning.pytorch.strategies import ModelParallelStrategy
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save

from ppvd.callbacks.ema import RAW
from ppvd.scale.folder_checksums import require_whole_folder, write_checksums


class FSDP2(ModelParallelStrategy):
    """Give each process a share of every weight, on one machine or several.

    The task shards itself, see ``DepthTask.configure_model``; the frozen encoder is no part of it
    and stays whole on each device. A checkpoint is a folder that the processes write together; it
    appears whole or not at all, with checksums, can be read by any number of processes, and becomes
    one file by ``ppvd weights export``.

    Args:
        process_group_backend: ``nccl`` or ``gloo``; ``None`` is what suits the device.

    Attributes:
        saves_averages: That ``EMA`` may be used.
    """

    saves_averages = True

    def __init__(self, *, process_group_backend: str | None = None) -> None:
        super().__init__(
            data_parallel_size=1,
            tensor_parallel_size=1,
            process_group_backend=process_group_backend,
        )

    def setup_environment(self) -> None:
        """Make a mesh of all processes."""
        self._data_parallel_size = self.num_nodes * self.num_processes
        super().setup_environment()

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        filepath: _PATH,
        storage_options: object | None = None,
    ) -> None:
        """Write a folder under a passing name, and put it in its place once it is whole.

        A folder cannot replace another in one step: where one is there, it steps aside for the
        moment, and a crash in that very moment leaves it as ``<name>-previous.ckpt``.
        """
        path = Path(self.broadcast(str(filepath)))
        passing = path.with_name(f".{path.name}.passing")
        if self.is_global_zero:
            shutil.rmtree(passing, ignore_errors=True)  # of a run that was killed
        self.barrier()
        trained = checkpoint.pop(RAW, None)
        super().save_checkpoint(checkpoint, passing, storage_options)
        if trained is not None:
            save({RAW: trained}, checkpoint_id=passing / RAW)
        self.barrier()
        write_checksums(passing, rank=self.global_rank, world=self.world_size)
        self.barrier()
        if self.is_global_zero:
            _put(passing, path)
        self.barrier()

    def load_checkpoint(
        self, checkpoint_path: _PATH, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read each process's share, however many processes wrote it.

        Raises:
            ValueError: In every process, if a file's checksum is not that of its bytes.
        """
        path = Path(self.broadcast(str(checkpoint_path)))
        require_whole_folder(path)
        content = super().load_checkpoint(checkpoint_path, weights_only)
        if (path / RAW).is_dir():
            assert self.model is not None
            average = {n: t.detach().clone() for n, t in self.model.state_dict().items()}
            trained = {name: tensor.clone() for name, tensor in average.items()}
            load({RAW: trained}, checkpoint_id=path / RAW)
            content |= {"state_dict": average, RAW: trained}
        return content


def _put(passing: Path, path: Path) -> None:
    """Rename a folder, or what is in its place first."""
    previous = path.with_name(f"{path.stem}-previous{path.suffix}")
    shutil.rmtree(previous, ignore_errors=True)
    if path.is_dir():
        path.rename(previous)
    else:
        path.unlink(missing_ok=True)
    passing.rename(path)
    shutil.rmtree(previous, ignore_errors=True)
