"""Any vision backbone of Hugging Face's transformers, tried without code."""

import inspect
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from ppvd.semantics.base import SemanticEncoder
from ppvd.semantics.image_input import (
    CELL,
    IMAGENET_MEAN,
    IMAGENET_STD,
    ImageInput,
    Interpolation,
)


class TransformersEncoder(SemanticEncoder):
    """Describe an image by the last hidden state of a backbone from ``transformers``.

    Its class and special tokens are dropped: the patch tokens are the last ones, in rows. A
    backbone that returns maps is taken as it is. Positions are interpolated where it can.
    ``facebook/dinov3-vitl16-pretrain-lvd1689m``, for one, needs nothing but its name.

    On the meta device its configuration is read, and its weights are not.

    Args:
        model: Repository on the hub or a folder, to read both configuration and weights from;
            with ``config`` the type of a model, such as ``dinov2``, with weights drawn.
        config: Arguments of the model type's configuration, if it is not read.
        patch: Pixels along one side of what a feature describes. ``None``: the configuration's
            ``patch_size``, which is not that in a network of several stages.
        cell: Side, in pixels of the caller's image, of what one token describes.
        interpolation: How the image is resized where ``patch`` and ``cell`` differ.
        antialias: Whether shrinking smooths the image first.
        mean: Colour that becomes zero, by channel. ImageNet's.
        std: Spread that becomes one, by channel. ImageNet's.

    Attributes:
        width: Channels of the features, the configuration's ``hidden_size``.

    Raises:
        ImportError: If ``transformers`` is not installed.
        OSError: If the repository or folder cannot be read.
        ValueError: If the model type is unknown or its configuration tells no sizes.
    """

    def __init__(
        self,
        model: str,
        *,
        config: dict[str, Any] | None = None,
        patch: int | None = None,
        cell: int = CELL,
        interpolation: Interpolation = "bicubic",
        antialias: bool = False,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
    ) -> None:
        super().__init__()
        self.model, self.config = model, config
        self.backbone = _open(model, config)
        described = self.backbone.config
        self.width = _told(described, "hidden_size", model)
        self.patch = _told(described, "patch_size", model) if patch is None else patch
        self.input = ImageInput(
            patch=self.patch,
            cell=cell,
            interpolation=interpolation,
            antialias=antialias,
            mean=mean,
            std=std,
        )
        parameters = inspect.signature(self.backbone.forward).parameters
        interpolates = "interpolate_pos_encoding" in parameters
        self._options = {"interpolate_pos_encoding": True} if interpolates else {}

    def reset_parameters(self) -> None:
        """Read or draw the weights anew."""
        self.input.reset_parameters()
        fresh = dict(_tensors(_open(self.model, self.config)))
        with torch.no_grad():
            for name, tensor in _tensors(self.backbone):
                tensor.copy_(fresh[name])

    def forward(self, image: Tensor) -> Tensor:
        """Describe an image.

        Args:
            image: sRGB colour in [0, 1], ``(B, 3, H, W)``, both sides divisible by ``cell``.

        Returns:
            Features ``(B, D', H / cell, W / cell)``.

        Raises:
            ValueError: If ``cell`` does not divide the image.
        """
        fitted = self.input(image)
        hidden: Tensor = self.backbone(pixel_values=fitted, **self._options).last_hidden_state
        if hidden.ndim == 4:
            return hidden
        height, width = (side // self.patch for side in fitted.shape[-2:])
        patches = hidden[:, hidden.shape[1] - height * width :]
        return patches.transpose(1, 2).reshape(len(image), -1, height, width)


def _open(model: str, config: dict[str, Any] | None) -> nn.Module:
    """Read a model, or draw one from the arguments of its configuration."""
    try:
        from transformers import AutoConfig, AutoModel
    except ImportError as error:
        raise ImportError(
            "TransformersEncoder needs transformers; run: pip install 'ppvd[transformers]'"
        ) from error
    if config is None and torch.get_default_device().type != "meta":
        opened: nn.Module = AutoModel.from_pretrained(model, dtype=torch.float32)
        return opened
    if config is None:
        described = AutoConfig.from_pretrained(model)
    else:
        described = AutoConfig.for_model(model, **config)
    drawn: nn.Module = AutoModel.from_config(described)
    return drawn


def _told(config: object, name: str, model: str) -> int:
    if not isinstance(value := getattr(config, name, None), int):
        raise ValueError(f"the configuration of {model} must tell one {name}, got {value}")
    return value


def _tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield all tensors, those that no state dict holds included."""
    return chain(module.named_parameters(), module.named_buffers())
