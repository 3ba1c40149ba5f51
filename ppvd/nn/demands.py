"""What the network demands of its numbers and inputs; each failure names the argument."""

from torch import Tensor

from ppvd.nn.condition import Condition
from ppvd.nn.propagation import Propagation


def require_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise `ValueError` unless ``value`` is one of ``choices``."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value}")


def require_above_zero(**numbers: float) -> None:
    """Raise `ValueError` unless every number is above 0."""
    for name, value in numbers.items():
        if not value > 0:
            raise ValueError(f"{name} must be above 0, got {value}")


def require_heads(width: int, num_heads: int) -> None:
    """Raise `ValueError` unless heads divide the width and have channels for both axes."""
    if num_heads < 1 or width % (4 * num_heads):
        raise ValueError(f"width must be divisible by 4 * num_heads = {4 * num_heads}, got {width}")


def require_blocks(depth: int, split: int, *, temporal: int, checkpoint: int) -> None:
    """Raise `ValueError` unless there are blocks on both sides of ``split`` and enough of them."""
    if depth < 2:
        raise ValueError(f"depth must be at least 2, got {depth}")
    if not 0 < split < depth:
        raise ValueError(f"split must be between 1 and depth - 1 = {depth - 1}, got {split}")
    for name, count in (("temporal", temporal), ("checkpoint", checkpoint)):
        if not 0 <= count <= depth:
            raise ValueError(f"{name}_blocks must be in 0..{depth}, got {count}")


def require_image(image: Tensor, divisor: int) -> None:
    """Raise `ValueError` unless this is an image or clip with sides divisible by ``divisor``."""
    if image.ndim not in (4, 5) or image.shape[-3] != 3:
        raise ValueError(f"image must be (B, 3, H, W) or (B, T, 3, H, W), got {[*image.shape]}")
    for name, size in (("height", image.shape[-2]), ("width", image.shape[-1])):
        if size % divisor:
            raise ValueError(f"image {name} must be divisible by {divisor}, got {size}")


def require_frames(image: Tensor, propagation: Propagation | None) -> None:
    """Raise `ValueError` unless a clip has at least one of the reference frames."""
    if image.ndim == 5 and propagation is not None:
        first, num_frames = min(propagation.references), image.shape[1]
        if first >= num_frames:
            raise ValueError(
                f"clips must have more than {first} frames, of which references are "
                f"{propagation.references}, got {num_frames}"
            )


def require_features(features: Tensor | None, image: Tensor, semantic_width: int) -> None:
    """Raise `ValueError` unless the features have the width the network was built for."""
    if features is not None and features.shape[:-3] != image.shape[:-3]:
        raise ValueError(
            f"features must be of the same {'clips' if image.ndim == 5 else 'images'}, "
            f"{[*image.shape[:-3]]}, got {[*features.shape[:-3]]}"
        )
    channels = 0 if features is None else features.shape[-3]
    if channels != semantic_width:
        raise ValueError(
            f"features must have semantic_width = {semantic_width} channels, "
            f"got {channels}; build the network for the encoder in use"
        )


def require_same_size(noisy: Tensor, condition: Condition, divisor: int) -> None:
    """Raise `ValueError` unless the noisy sample covers the image's pixels and frames."""
    grid, frames = condition.coarse.grid, condition.tokens.shape[1:-2]
    height, width = grid.height * divisor, grid.width * divisor
    if noisy.shape[-2:] != (height, width):
        raise ValueError(
            f"noisy must have the size of the image, {height} x {width}, "
            f"got {noisy.shape[-2]} x {noisy.shape[-1]}"
        )
    if noisy.shape[1:-3] != frames:
        expected = ", ".join(map(str, ("B", *frames, 1, height, width)))
        raise ValueError(f"noisy must be ({expected}) as the image is, got {[*noisy.shape]}")
