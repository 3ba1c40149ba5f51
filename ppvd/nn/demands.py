"""What the network demands of its numbers and inputs; each failure names the argument."""

from torch import Tensor

from ppvd.nn.grid import TokenGrid


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
    if width % (4 * num_heads):
        raise ValueError(f"width must be divisible by 4 * num_heads = {4 * num_heads}, got {width}")


def require_blocks(depth: int, split: int, checkpoint_blocks: int) -> None:
    """Raise `ValueError` unless there are blocks on both sides of ``split`` and enough of them."""
    if depth < 2:
        raise ValueError(f"depth must be at least 2, got {depth}")
    if not 0 < split < depth:
        raise ValueError(f"split must be between 1 and depth - 1 = {depth - 1}, got {split}")
    if not 0 <= checkpoint_blocks <= depth:
        raise ValueError(f"checkpoint_blocks must be in 0..{depth}, got {checkpoint_blocks}")


def require_divisible(image: Tensor, divisor: int) -> None:
    """Raise `ValueError` unless both sides of the image are multiples of ``divisor``."""
    for name, size in (("height", image.shape[-2]), ("width", image.shape[-1])):
        if size % divisor:
            raise ValueError(f"image {name} must be divisible by {divisor}, got {size}")


def require_features(features: Tensor | None, semantic_width: int) -> None:
    """Raise `ValueError` unless the features have the width the network was built for."""
    channels = 0 if features is None else features.shape[1]
    if channels != semantic_width:
        raise ValueError(
            f"features must have semantic_width = {semantic_width} channels, "
            f"got {channels}; build the network for the encoder in use"
        )


def require_same_size(noisy: Tensor, grid: TokenGrid, divisor: int) -> None:
    """Raise `ValueError` unless the noisy sample covers the grid of the image's tokens."""
    height, width = grid.height * divisor, grid.width * divisor
    if noisy.shape[-2:] != (height, width):
        raise ValueError(
            f"noisy must have the size of the image, {height} x {width}, "
            f"got {noisy.shape[-2]} x {noisy.shape[-1]}"
        )
