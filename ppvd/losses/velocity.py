"""Flow matching: the squared error of the velocity (Eq. 3)."""

from torch import Tensor, nn

from ppvd.losses.step import FlowStep, mean_over_valid


class VelocityError(nn.Module):
    """Mean squared error of the velocity over valid pixels (Eq. 3)."""

    def forward(self, step: FlowStep) -> Tensor:
        """Return the error, a float32 scalar; zero when nothing is valid."""
        difference = step.predicted_velocity.float() - step.velocity.float()
        return mean_over_valid(difference.square(), step.valid)
