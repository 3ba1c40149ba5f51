"""What a loss is given: one training step, in names."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class CodeStep:
    """One training step of a regressor on a batch of ``B`` depth maps or clips of ``T`` maps.

    Attributes:
        clean: Depth code ``x_0``, ``(B, [T,] 1, H, W)``.
        predicted_clean: The network's estimate of it, shape of ``clean``.
        valid: True where the code is to be learnt, bool, shape of ``clean``.
    """

    clean: Tensor
    predicted_clean: Tensor
    valid: Tensor


@dataclass(frozen=True, kw_only=True)
class FlowStep(CodeStep):
    """One training step of the flow; ``predicted_clean`` is the data end of the predicted line.

    Attributes:
        velocity: True velocity ``v_t`` (Eq. 2), shape of ``clean``.
        predicted_velocity: The network's velocity, shape of ``clean``.
        time: Path time in [0, 1], one for each image or clip, ``(B,)``.
        tokens: Tokens tapped inside the network, ``(B, [T,] D, h, w)``, if a loss asked for them.
        features: The encoder's features, ``(B, [T,] D', h', w')``, if there is an encoder.
    """

    velocity: Tensor
    predicted_velocity: Tensor
    time: Tensor
    tokens: Tensor | None = None
    features: Tensor | None = None


def error_where_valid(prediction: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    """Return ``prediction - truth`` in float32, zero where nothing is measured.

    What lies outside ``valid``, even NaN, touches neither the value nor a gradient.
    """
    return (prediction.float() - truth.float()).where(valid, 0.0)


def sum_per_valid(errors: Tensor, valid: Tensor) -> Tensor:
    """Return the sum of ``errors`` over the number of valid pixels, zero when there are none."""
    return errors.sum() / valid.sum().clamp(min=1)
