"""Regression: the error of the code itself, for networks that guess it in one step."""

from typing import Literal

from torch import Tensor, nn

from ppvd.losses.step import FlowStep, mean_over_valid


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

    def forward(self, step: FlowStep) -> Tensor:
        """Return the error, a float32 scalar; zero when nothing is valid."""
        difference = step.predicted_clean.float() - step.clean.float()
        error = difference.abs() if self.norm == "absolute" else difference.square()
        return mean_over_valid(error, step.valid)
