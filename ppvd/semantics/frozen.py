"""An encoder that listens to nobody: outside the optimiser, the checkpoint and every average."""

from collections.abc import Callable
from itertools import chain
from typing import Self

import torch
from torch import Tensor

from ppvd.semantics.base import SemanticEncoder, describe


class Frozen(SemanticEncoder):
    """Hold an encoder so that training, saving and averaging never see it.

    The encoder is not a submodule. So it has no parameters or buffers for optimisers, DDP, FSDP
    or EMA, and no entry in the state dict: strict loading of a task works without it.
    What should reach it still does: ``.to`` and its kin move it, it follows the image to its
    device (sharded strategies move parameters only), and it is pickled along for spawned workers.
    A deep copy *shares* it: an averaged copy of a task costs no second encoder.

    Args:
        encoder: The encoder; set to evaluation, without gradients, for good.

    Attributes:
        encoder: The encoder itself.
        width: Its number of channels.
    """

    encoder: SemanticEncoder

    def __init__(self, encoder: SemanticEncoder) -> None:
        super().__init__()
        self.__dict__["encoder"] = encoder.eval().requires_grad_(False)
        self.width = encoder.width

    def forward(self, image: Tensor) -> Tensor:
        """Describe images or clips, without a graph, whichever of the two the encoder sees.

        Args:
            image: sRGB colour in [0, 1], ``(B, [T,] 3, H, W)``.

        Returns:
            Features ``(B, [T,] D', h, w)``, detached.
        """
        if self._device() not in (None, image.device):
            self.encoder.to(image.device)
        with torch.no_grad():
            return describe(self.encoder, image)

    def extra_repr(self) -> str:
        """Name the encoder, which the tree of submodules does not show."""
        count = sum(parameter.numel() for parameter in self.encoder.parameters())
        return f"{type(self.encoder).__name__}, width={self.width}, {count:,} weights"

    def __deepcopy__(self, memo: dict[int, object]) -> "Frozen":
        memo[id(self)] = twin = Frozen(self.encoder).train(self.training)
        return twin

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        was_meta = self._is_meta()
        self.encoder._apply(fn)  # type: ignore[no-untyped-call]
        if was_meta and not self._is_meta():
            with torch.no_grad():
                self.encoder.reset_parameters()
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def _device(self) -> torch.device | None:
        tensors = chain(self.encoder.parameters(), self.encoder.buffers())
        return next((tensor.device for tensor in tensors), None)

    def _is_meta(self) -> bool:
        device = self._device()
        return device is not None and device.type == "meta"
