"""Checkpoints that are written while the training goes on."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from lightning.fabric.utilities.types import _PATH
from lightning_utilities.core.apply_func import apply_to_collection
from torch import Tensor

from ppvd.scale.whole_checkpoints import WholeCheckpoints


class AsyncCheckpoints(WholeCheckpoints):
    """Copy the state to main memory, and write and remove files in a thread, in turn.

    A step waits for the copy alone, and for the checkpoint before if that is still being written:
    never more than one copy is held. Older files go once the newer one is there, and stay if its
    writing fails. The failure ends the training at the next checkpoint or at its end. (Lightning's
    own plugin keeps the copy on the device, and removes the older file at once.)
    """

    def __init__(self) -> None:
        super().__init__()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="checkpoints")
        self._under_way: list[Future[None]] = []

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: _PATH,
        storage_options: object | None = None,
    ) -> None:
        """Begin to write a checkpoint.

        Args:
            checkpoint: What to save; it may change afterwards.
            path: Where to.
            storage_options: Must be ``None``.

        Raises:
            OSError: If an earlier one could not be written; other errors as they came.
        """
        self.wait()
        copy = apply_to_collection(checkpoint, Tensor, _in_main_memory)
        self._in_turn(super().save_checkpoint, copy, path, storage_options)

    def remove_checkpoint(self, path: _PATH) -> None:
        """Remove a checkpoint once all that was asked for before is done."""
        self._in_turn(super().remove_checkpoint, path)

    def load_checkpoint(self, path: _PATH, *args: Any, **options: Any) -> dict[str, Any]:  # noqa: ANN401
        """Read a checkpoint once all are written; see ``WholeCheckpoints``."""
        self.wait()
        return super().load_checkpoint(path, *args, **options)

    def teardown(self) -> None:
        """Wait for all files at the end of a training."""
        self.wait()

    def wait(self) -> None:
        """Wait for what is under way, and raise what went wrong in it."""
        under_way, self._under_way = self._under_way, []
        wait(under_way)
        for future in under_way:
            future.result()

    def _in_turn(self, action: Callable[..., None], *arguments: object) -> None:
        before = self._under_way[-1:]

        def act() -> None:
            for future in before:
                future.result()  # Done by now; what follows a failure is left undone.
            action(*arguments)

        self._under_way.append(self._thread.submit(act))


def _in_main_memory(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", copy=True)
