"""Tensors by name into a module: all that it has and nothing else."""

from collections.abc import Collection, Mapping

from torch import Tensor, nn

NAMES_SHOWN = 8  # of each kind, in an error


def fill_strictly(module: nn.Module, state: Mapping[str, Tensor], *, where: str) -> None:
    """Copy tensors into a module whose names and shapes they must have.

    Args:
        module: Module to fill; left as it was, or half filled, where an error is raised.
        state: Tensors under the module's own names, of any floating precision.
        where: What to call the tensors in an error.

    Raises:
        ValueError: If names or shapes differ.
    """
    try:
        report = module.load_state_dict(state, strict=False)
    except RuntimeError as error:
        differences = "; ".join(map(str.strip, str(error).splitlines()[1 : 1 + NAMES_SHOWN]))
        raise ValueError(
            f"weights in {where} must have the shapes of this {type(module).__name__}, "
            f"got {differences}"
        ) from error
    if report.missing_keys or report.unexpected_keys:
        raise ValueError(
            f"weights in {where} must have exactly the names of this {type(module).__name__}, "
            f"got missing {some(report.missing_keys)}, "
            f"unexpected {some(report.unexpected_keys)}; compare its depth and options"
        )


def some(names: Collection[str]) -> str:
    """List the first of many names for an error."""
    shown = sorted(names)[:NAMES_SHOWN]
    more = len(names) - len(shown)
    return f"{shown}" + (f" and {more} more" if more else "")
