"""From a batch and its prediction to what is drawn of it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from ppvd.batch import DepthBatch
from ppvd.callbacks.panel import PanelSample
from ppvd.geometry import Alignment


def panel_samples(
    batch: DepthBatch, index: int, prediction: Tensor, alignment: Alignment
) -> Iterator[PanelSample]:
    """Yield what is drawn of one sample: an image, or a clip's first and last frame.

    Arguments are those of ``aligned_sample``.
    """
    sample = aligned_sample(batch, index, prediction, alignment)
    yield from [sample] if sample.depth.ndim == 4 else sample.ends()


def aligned_sample(
    batch: DepthBatch, index: int, prediction: Tensor, alignment: Alignment
) -> PanelSample:
    """Return one sample on the CPU, an image or a whole clip.

    Args:
        batch: The truth.
        index: Place of the sample in the batch.
        prediction: Unaligned, ``(B, [T,] 1, H, W)``.
        alignment: How it becomes metres; a clip is aligned as a whole.
    """
    one = slice(index, index + 1)
    depth, valid = batch["depth"][one].cpu(), batch["valid"][one].cpu()
    return PanelSample(
        image=batch["image"][one].float().cpu(),
        depth=depth,
        valid=valid,
        sky=batch["sky"][one].cpu(),
        intrinsics=batch["intrinsics"][one].cpu(),
        prediction=alignment(prediction[one].cpu(), depth, valid).float(),
        key=batch["key"][index],
    )


def expect_prediction(outputs: object, *, needed_by: str) -> Mapping[str, Any]:
    """Return the result of an evaluation step.

    Raises:
        ValueError: If it is no dict with a prediction.
    """
    if not isinstance(outputs, Mapping) or "prediction" not in outputs:
        raise ValueError(
            f"validation_step and test_step must return a dict with 'prediction' for {needed_by}, "
            f"got {type(outputs).__name__}"
        )
    return outputs


def file_name(*parts: str) -> str:
    """Join words to a name that every file system takes."""
    return re.sub(r"[^\w.-]+", "-", "_".join(parts))
