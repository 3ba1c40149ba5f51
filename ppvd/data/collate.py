"""From frames to the batch that tasks consume."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ppvd.batch import DepthBatch
from ppvd.data.frame import Frame


def collate(frames: Sequence[Frame], *, sources: Sequence[str]) -> DepthBatch:
    """Return the batch of ``frames``, which must have one size.

    Args:
        frames: ``B`` frames.
        sources: Name of the source of each.

    Raises:
        ValueError: If the frames differ in size.
    """
    sizes = sorted({frame.depth.shape for frame in frames})
    if len(sizes) != 1:
        raise ValueError(
            f"images of a batch must have one size, got height and width {sizes}:"
            " set eval_batch_size to 1"
        )
    return DepthBatch(
        image=image_to_tensor(np.stack([frame.image for frame in frames])),
        depth=_stacked([frame.depth for frame in frames])[:, None],
        valid=_stacked([frame.valid for frame in frames])[:, None],
        sky=_stacked([frame.sky for frame in frames])[:, None],
        intrinsics=_stacked([frame.intrinsics for frame in frames]).float(),
        key=[frame.key for frame in frames],
        source=list(sources),
    )


def image_to_tensor(image: NDArray[np.uint8]) -> Tensor:
    """Return ``image``, uint8 ``(..., H, W, 3)``, as float32 ``(..., 3, H, W)`` in [0, 1]."""
    channels_first = np.ascontiguousarray(np.moveaxis(image, -1, -3))
    return torch.from_numpy(channels_first).float().div_(255)


def _stacked(arrays: Sequence[NDArray[np.generic]]) -> Tensor:
    return torch.from_numpy(np.stack(arrays))
