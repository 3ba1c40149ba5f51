"""What a loss is given: one training step of the flow, in names."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class FlowStep:
    """One training step on a batch of ``B`` depth maps.

    Attributes:
        clean: Depth code ``x_0``, ``(B, 1, H, W)``.
        velocity: True velocity ``v_t`` (Eq. 2), ``(B, 1, H, W)``.
        predicted_velocity: The network's velocity, ``(B, 1, H, W)``.
        predicted_clean: Data end of the predicted line, ``(B, 1, H, W)``.
        time: Path time in [0, 1], ``(B,)``.
        valid: True where the code is a measurement, bool, ``(B, 1, H, W)``.
        tokens: Tokens tapped inside the network, ``(B, D, h, w)``, if a loss asked for them.
        features: The encoder's features, ``(B, D', h', w')``, if there is an encoder.
    """

    clean: Tensor
    velocity: Tensor
    predicted_velocity: Tensor
    predicted_clean: Tensor
    time: Tensor
    valid: Tensor
    tokens: Tensor | None = None
    features: Tensor | None = None


def mean_over_valid(error: Tensor, valid: Tensor) -> Tensor:
    """Return the mean of ``error`` over all valid pixels of the batch, a float32 scalar.

    Zero, with a graph, when nothing is valid; what lies outside ``valid`` never matters.
    """
    kept = error.float().where(valid, 0.0)
    return kept.sum() / valid.sum().clamp(min=1)
