"""Flow matching: the squared error of the velocity (Eq. 3)."""

from torch import Tensor, nn

from ppvd.losses.step import FlowStep, error_where_valid, sum_per_valid


class VelocityError(nn.Module):
    """Mean squared error of the velocity over valid pixels (Eq. 3)."""

    def forward(self, step: FlowStep) -> Tensor:
        """Return the error, a float32 scalar; zero when nothing is valid."""
        error = error_where_valid(step.predicted_velocity, step.velocity, step.valid)
        return sum_per_valid(error.square(), step.valid)
