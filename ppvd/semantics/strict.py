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
    if differences := _differences(module, state):
        more = f" and {len(differences) - NAMES_SHOWN} more" * (len(differences) > NAMES_SHOWN)
        raise ValueError(
            f"weights in {where} must have the shapes of this {type(module).__name__}, "
            f"got {'; '.join(differences[:NAMES_SHOWN])}{more}; compare its width and options"
        )
    report = module.load_state_dict(state, strict=False)
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


def _differences(module: nn.Module, state: Mapping[str, Tensor]) -> list[str]:
    """List the shapes that differ, as ``name (2, 3) instead of (4, 3)``."""
    wanted = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in state.items()}
    return [
        f"{name} {found[name]} instead of {shape}"
        for name, shape in wanted.items()
        if name in found and found[name] != shape
    ]
