"""What the published encoders have in common: a file of their authors that makes them."""

import re
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Generic, Self, TypeVar

import torch
from torch import Tensor

from ppvd.semantics.base import SemanticEncoder
from ppvd.semantics.checkpoint import read_state_dict
from ppvd.semantics.image_input import ImageInput
from ppvd.semantics.strict import fill_strictly, some

Size = TypeVar("Size")


class PublishedEncoder(SemanticEncoder, Generic[Size]):
    """An encoder whose parts carry the names that its authors gave them.

    It is as large as its file: given ``weights``, the tensors tell the size unless ``size``
    does. Every tensor of its own must be in the file, and every tensor of the file must be one
    of its own or one that is known to serve something else. On the meta device nothing is read.

    A subclass sets the class attributes and says how it is sized, built, drawn and run.

    Args:
        weights: Published file, or the encoder's own state dict. ``None``: weights as drawn.
        size: Numbers of the network. ``None``: the file's, or ``full_size`` without a file.

    Attributes:
        prefixes: What may stand before the names in a file, with what ours have instead; the
            first that any name begins with counts.
        unused: Pattern of the names in a file that serve something else, such as heads.
        input: Brings an image before the network.

    Raises:
        ValueError: If ``weights`` cannot be read or does not fit.
    """

    prefixes: ClassVar[Mapping[str, str]]
    unused: ClassVar[str]
    input: ImageInput

    def __init__(self, weights: str | Path | None, size: Size | None) -> None:
        super().__init__()
        self.weights = weights
        device = torch.get_default_device()
        if weights is None or device.type == "meta":
            self.build(size or self.full_size())
            return
        state = self.own_names(read_state_dict(weights), where=str(weights))
        with torch.device("meta"):  # no weights are drawn that the file replaces
            self.build(size or self.read_size(state, None))
        self.to_empty(device=device)
        self._fill(state, str(weights))

    @classmethod
    def from_published(
        cls, state_dict: Mapping[str, Tensor], *, num_heads: int | None = None
    ) -> Self:
        """Make the encoder of a published state dict.

        Args:
            state_dict: Tensors under their published names.
            num_heads: Attention heads, which no tensor tells; ``None``: heads of 64 channels.

        Returns:
            The encoder, float32, on the CPU; it shares no memory with ``state_dict``.

        Raises:
            ValueError: If a name is missing, unknown, or of the wrong shape.
        """
        state = cls.own_names(state_dict, where="the state dict")
        with torch.device("meta"):
            encoder = cls(None, size=cls.read_size(state, num_heads))
        encoder = encoder.to_empty(device="cpu")
        encoder._fill(state, "the state dict")
        return encoder

    @classmethod
    def own_names(cls, state_dict: Mapping[str, Tensor], *, where: str) -> dict[str, Tensor]:
        """Return what the encoder needs of a published state dict, under its own names.

        Args:
            state_dict: Tensors under their published names.
            where: What to call them in an error.

        Raises:
            ValueError: If a name is unknown, or none is known.
        """
        unused = re.compile(cls.unused)
        names = [name for name in state_dict if not unused.fullmatch(name)]
        prefix = next((p for p in cls.prefixes if any(n.startswith(p) for n in names)), None)
        if prefix is None:
            raise ValueError(
                f"{where} must hold a {cls.__name__} under {sorted(cls.prefixes)}, "
                f"got {some(state_dict)}"
            )
        unknown = [name for name in names if not name.startswith(prefix)]
        if unknown:
            raise ValueError(f"{where} must hold a {cls.__name__} alone, got {some(unknown)} too")
        own = cls.prefixes[prefix]
        return {own + name.removeprefix(prefix): state_dict[name] for name in names}

    def reset_parameters(self) -> None:
        """Fill the weights from the file, or draw them where there is none."""
        if self.weights is None:
            self.input.reset_parameters()
            self.draw()
            return
        state = self.own_names(read_state_dict(self.weights), where=str(self.weights))
        self._fill(state, str(self.weights))

    @abstractmethod
    def build(self, size: Size) -> None:
        """Set ``width``, ``input`` and the parts, with weights drawn."""

    @abstractmethod
    def draw(self) -> None:
        """Draw the weights of all parts anew."""

    @classmethod
    @abstractmethod
    def full_size(cls) -> Size:
        """Return the size of the paper's encoder."""

    @classmethod
    @abstractmethod
    def read_size(cls, state: Mapping[str, Tensor], num_heads: int | None) -> Size:
        """Read the size off the encoder's own tensors."""

    def _fill(self, state: Mapping[str, Tensor], where: str) -> None:
        self.input.reset_parameters()
        fill_strictly(self, state, where=where)
