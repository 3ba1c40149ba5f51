"""The head: tokens to pixels of a velocity."""

from typing import Literal

from torch import Tensor, nn

from ppvd.nn.demands import require_above_zero, require_choice
from ppvd.nn.grid import TokenGrid
from ppvd.nn.modulation import modulated_norm

Prediction = Literal["velocity", "clean"]


class Head(nn.Linear):
    """One linear map from a token to the pixels of its patch; starts at zero (released code).

    Args:
        width: Channels ``D`` of a token.
        patch: Side of a patch in pixels.
        prediction: What the pixels are.
        min_time: Floor of the time by which a clean sample's velocity is divided.
    """

    def __init__(self, width: int, patch: int, *, prediction: Prediction, min_time: float) -> None:
        require_choice("prediction", prediction, ("velocity", "clean"))
        require_above_zero(patch=patch, min_time=min_time)
        super().__init__(width, patch**2)
        self.patch, self.prediction, self.min_time = patch, prediction, min_time

    def reset_parameters(self) -> None:
        """Start at zero."""
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)

    def velocity(
        self,
        tokens: Tensor,
        modulation: tuple[Tensor, Tensor],
        grid: TokenGrid,
        noisy: Tensor,
        time: Tensor | float,
    ) -> Tensor:
        """Paint the velocity at ``noisy``, float32, ``(B, [T,] 1, H, W)``.

        Args:
            tokens: ``(B, [T,] N, D)``.
            modulation: Shift and scale of their norm.
            grid: Where they lie.
            noisy: Noisy sample ``x_t``, ``(B, [T,] 1, H, W)``.
            time: Path time, ``(B,)``, ``(1,)`` or one number.
        """
        painted = grid.paint(self(modulated_norm(tokens, *modulation)), self.patch).float()
        if self.prediction == "velocity":
            return painted
        if not isinstance(time, Tensor):
            return (noisy - painted) / max(time, self.min_time)
        floored = time.float().clamp(min=self.min_time)
        return (noisy - painted) / floored.view(-1, *(1 for _ in noisy.shape[1:]))
