"""From frames to the batch that tasks consume."""

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ppvd.batch import DepthBatch, PhotoBatch
from ppvd.data.coded import CodedFrame, metres
from ppvd.data.frame import Frame

_UNKNOWN = np.full((4, 4), np.nan)


class CodedBatch(PhotoBatch):
    """A `ppvd.batch.DepthBatch` on its way: five bytes a pixel, of which `with_floats` makes it.

    Attributes:
        codes: Depth in codes, uint16, ``(B, [T,] 1, H, W)``.
        curve: What the codes mean, float32, ``(B, [T,] 3)``: see `ppvd.data.coded.metres`.
        intrinsics: As in `ppvd.batch.DepthBatch`.
        pose: As in `ppvd.batch.DepthBatch`.
        source: As in `ppvd.batch.DepthBatch`.
    """

    codes: Tensor
    curve: Tensor
    intrinsics: Tensor
    pose: Tensor
    source: list[str]


# What loaders yield; its image is uint8, 0 to 255.
LoadedBatch = DepthBatch | CodedBatch


def collate(frames: Sequence[Frame | CodedFrame], *, sources: Sequence[str]) -> LoadedBatch:
    """Return the batch of ``frames``, which must have one size.

    Its image is still uint8, 0 to 255, and its depth uint16 where all frames' is: half of the bytes
    or fewer cross from the workers and to the device, where `with_floats` completes the batch.

    Args:
        frames: ``B`` frames.
        sources: Name of the source of each.

    Raises:
        ValueError: If the frames differ in size.
    """
    sizes = sorted({frame.image.shape[:2] for frame in frames})
    if len(sizes) != 1:
        raise ValueError(
            f"images of a batch must have one size, got height and width {sizes}:"
            " set eval_batch_size to 1"
        )
    image = _channels_first([frame.image for frame in frames])
    intrinsics = _stacked([frame.intrinsics for frame in frames]).float()
    pose = _stacked([_UNKNOWN if frame.pose is None else frame.pose for frame in frames]).float()
    key, source = [frame.key for frame in frames], list(sources)
    coded = [frame for frame in frames if isinstance(frame, CodedFrame)]
    if len(coded) == len(frames):
        return CodedBatch(
            image=image,
            codes=_stacked([frame.codes for frame in coded])[:, None],
            curve=torch.tensor([frame.curve for frame in coded]),
            intrinsics=intrinsics,
            pose=pose,
            key=key,
            source=source,
        )
    depth, valid, sky = (torch.stack(planes) for planes in zip(*map(_states, frames), strict=True))
    return DepthBatch(
        image=image,
        depth=depth,
        valid=valid,
        sky=sky,
        intrinsics=intrinsics,
        pose=pose,
        key=key,
        source=source,
    )


def _states(frame: Frame | CodedFrame) -> tuple[Tensor, ...]:
    """Return depth in metres, valid and sky, each ``(1, H, W)``."""
    if isinstance(frame, CodedFrame):
        return metres(_stacked([frame.codes]), torch.tensor(frame.curve))
    return tuple(_stacked([plane]) for plane in (frame.depth, frame.valid, frame.sky))


def collate_clips(
    clips: Sequence[Sequence[Frame | CodedFrame]], *, keys: Sequence[str], sources: Sequence[str]
) -> LoadedBatch:
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
    split = {
        name: value.reshape(len(clips), lengths[0], *value.shape[1:])
        for name, value in flat.items()
        if isinstance(value, Tensor)
    }
    return cast("LoadedBatch", {**split, "key": list(keys), "source": list(sources)})


def with_floats(batch: LoadedBatch) -> DepthBatch:
    """Return ``batch`` with an image in [0, 1] and depth in metres, made where it lies."""
    image = batch["image"].float().div_(255)
    if "codes" not in batch:
        return DepthBatch(**{**batch, "image": image})
    coded = cast("CodedBatch", batch)
    depth, valid, sky = metres(coded["codes"], coded["curve"])
    return DepthBatch(
        image=image,
        depth=depth,
        valid=valid,
        sky=sky,
        intrinsics=coded["intrinsics"],
        pose=coded["pose"],
        key=coded["key"],
        source=coded["source"],
    )


def image_to_tensor(image: NDArray[np.uint8]) -> Tensor:
    """Return ``image``, uint8 ``(..., H, W, 3)``, as float32 ``(..., 3, H, W)`` in [0, 1]."""
    return _planes(image).float().div_(255)


def _channels_first(images: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Return ``(B, 3, H, W)``: every picture is split right into its place."""
    height, width, channels = images[0].shape
    batch = np.empty((len(images), channels, height, width), np.uint8)
    for image, planes in zip(images, batch, strict=True):
        cv2.split(image, list(planes))
    return torch.from_numpy(batch)


def _planes(image: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, -1, -3)))


def _stacked(arrays: Sequence[NDArray[np.generic]]) -> Tensor:
    return torch.from_numpy(np.stack(arrays))
