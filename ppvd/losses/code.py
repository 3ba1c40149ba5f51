"""Regression: the error of the code itself, for networks that guess it in one step."""

from typing import Literal

from torch import Tensor, nn

from ppvd.losses.step import CodeStep, error_where_valid, sum_per_valid


class CodeError(nn.Module):
    """Mean error of the predicted clean code over valid pixels (ours).

    Args:
        norm: Absolute error, whose best guess is the median, or squared error, the mean.

    Raises:
        ValueError: If ``norm`` is neither.
    """

    def __init__(self, norm: Literal["absolute", "squared"] = "absolute") -> None:
        super().__init__()
        if norm not in ("absolute", "squared"):
            raise ValueError(f"norm must be absolute or squared, got {norm}")
        self.norm = norm

    def forward(self, step: CodeStep) -> Tensor:
        """Return the error, a float32 scalar; zero when nothing is valid."""
        error = error_where_valid(step.predicted_clean, step.clean, step.valid)
        size = error.abs() if self.norm == "absolute" else error.square()
        return sum_per_valid(size, step.valid)
