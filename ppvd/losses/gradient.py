"""Gradient matching: edges of the prediction lie where those of the truth lie (Eq. 10)."""

import torch
from torch import Tensor, nn

from ppvd.losses.step import CodeStep, error_where_valid, sum_per_valid


class GradientMatching(nn.Module):
    """Absolute error of the spatial differences of the clean code, summed over scales.

    The paper adopts it in finetuning (III-F); form and scales are the released code's, which
    weighs it with alpha = 0.2. There a scale at which nothing is valid makes the loss NaN;
    here that scale adds nothing.

    Args:
        strides: Each scale keeps every ``stride``-th pixel, without blurring.

    Raises:
        ValueError: If a stride is below 1 or there is none.
    """

    def __init__(self, strides: tuple[int, ...] = (1, 2, 4, 8)) -> None:
        super().__init__()
        if not strides or min(strides) < 1:
            raise ValueError(f"strides must be at least 1, and there must be one, got {strides}")
        self.strides = tuple(strides)

    def forward(self, step: CodeStep) -> Tensor:
        """Return the loss, a float32 scalar; zero when nothing is valid."""
        error = error_where_valid(step.predicted_clean, step.clean, step.valid)
        scales = [
            _change_of_error(error[..., ::s, ::s], step.valid[..., ::s, ::s]) for s in self.strides
        ]
        return torch.stack(scales).sum()


def _change_of_error(error: Tensor, valid: Tensor) -> Tensor:
    """Sum how ``error`` changes between valid neighbours, over the number of valid pixels."""
    changes = []
    for axis in (-1, -2):
        length = error.shape[axis] - 1
        both = valid.narrow(axis, 0, length) & valid.narrow(axis, 1, length)
        changes.append(error.diff(dim=axis).abs().where(both, 0.0).sum())
    return sum_per_valid(torch.stack(changes), valid)
