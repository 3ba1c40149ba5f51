"""From frames to the batch that tasks consume."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ppvd.batch import DepthBatch
from ppvd.data.frame import Frame


def collate(frames: Sequence[Frame], *, sources: Sequence[str]) -> DepthBatch:
    """Return the batch of ``frames``, which must have one size.

    Its image is still uint8, 0 to 255: a quarter of the bytes crosses from the workers and to the
    device, where `with_floats` completes the batch.

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
        image=_stacked([np.stack(cv2.split(frame.image)) for frame in frames]),
        depth=_stacked([frame.depth for frame in frames])[:, None],
        valid=_stacked([frame.valid for frame in frames])[:, None],
        sky=_stacked([frame.sky for frame in frames])[:, None],
        intrinsics=_stacked([frame.intrinsics for frame in frames]).float(),
        key=[frame.key for frame in frames],
        source=list(sources),
    )


def collate_clips(
    clips: Sequence[Sequence[Frame]], *, keys: Sequence[str], sources: Sequence[str]
) -> DepthBatch:
    """Return the batch of ``clips``, with a frame axis after the first.

    Args:
        clips: ``B`` clips of ``T`` frames, all of one size.
        keys: Name of each clip.
        sources: Name of the source of each.

    Raises:
        ValueError: If the clips differ in length or size.
    """
    lengths = sorted({len(clip) for clip in clips})
    if len(lengths) != 1:
        raise ValueError(
            f"clips of a batch must have one length, got {lengths} frames: set eval_batch_size to 1"
        )
    flat = collate([frame for clip in clips for frame in clip], sources=sources)

    def split(frames: Tensor) -> Tensor:
        return frames.reshape(len(clips), lengths[0], *frames.shape[1:])

    return DepthBatch(
        image=split(flat["image"]),
        depth=split(flat["depth"]),
        valid=split(flat["valid"]),
        sky=split(flat["sky"]),
        intrinsics=split(flat["intrinsics"]),
        key=list(keys),
        source=list(sources),
    )


def with_floats(batch: DepthBatch) -> DepthBatch:
    """Return ``batch`` with an image in [0, 1], float32, made where its uint8 image lies."""
    return DepthBatch(**{**batch, "image": batch["image"].float().div_(255)})


def image_to_tensor(image: NDArray[np.uint8]) -> Tensor:
    """Return ``image``, uint8 ``(..., H, W, 3)``, as float32 ``(..., 3, H, W)`` in [0, 1]."""
    return _planes(image).float().div_(255)


def _planes(image: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, -1, -3)))


def _stacked(arrays: Sequence[NDArray[np.generic]]) -> Tensor:
    return torch.from_numpy(np.stack(arrays))
