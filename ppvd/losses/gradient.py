"""Gradient matching: edges of the prediction lie where those of the truth lie (Eq. 10)."""

from torch import Tensor, nn

from ppvd.losses.step import FlowStep


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

    def forward(self, step: FlowStep) -> Tensor:
        """Return the loss, a float32 scalar; zero when nothing is valid."""
        difference = (step.predicted_clean.float() - step.clean.float()).where(step.valid, 0.0)
        weight = step.valid.float()
        scales = [
            _difference_at_scale(difference[..., ::s, ::s], weight[..., ::s, ::s])
            for s in self.strides
        ]
        return sum(scales[1:], start=scales[0])


def _difference_at_scale(difference: Tensor, weight: Tensor) -> Tensor:
    """Sum the change of ``difference`` between valid neighbours, over the valid pixels."""
    total = difference.new_zeros(())
    for axis in (-1, -2):
        change = difference.diff(dim=axis).abs()
        length = change.shape[axis]
        pair = weight.narrow(axis, 1, length) * weight.narrow(axis, 0, length)
        total = total + (change * pair).sum()
    return total / weight.sum().clamp(min=1)
