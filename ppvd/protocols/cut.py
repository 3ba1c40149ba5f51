"""Cutting and resizing picture, truth and camera of a batch together."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ppvd.batch import DepthBatch
from ppvd.geometry import crop_intrinsics, scale_intrinsics
from ppvd.protocols.region import Region


def cut_batch(batch: DepthBatch, region: Region) -> DepthBatch:
    """Return the part of a batch that a region shows."""
    box = region.box(*batch["depth"].shape[-2:])

    def part(maps: Tensor) -> Tensor:
        return maps[..., box.rows, box.columns]

    return {
        **batch,
        "image": part(batch["image"]),
        "depth": part(batch["depth"]),
        "valid": part(batch["valid"]),
        "sky": part(batch["sky"]),
        "intrinsics": crop_intrinsics(batch["intrinsics"], top=box.top, left=box.left),
    }


def resize_batch(batch: DepthBatch, size: tuple[int, int]) -> DepthBatch:
    """Return a batch at another height and width: pictures by area, truth by its nearest pixel.

    Pictures are averaged in 8 bits, as evaluations that do so read them.
    """
    height, width = batch["depth"].shape[-2:]
    if (height, width) == tuple(size):
        return batch
    return {
        **batch,
        "image": _by_area(batch["image"], size),
        "depth": _nearest(batch["depth"], size),
        "valid": _nearest(batch["valid"].byte(), size).bool(),
        "sky": _nearest(batch["sky"].byte(), size).bool(),
        "intrinsics": scale_intrinsics(
            batch["intrinsics"], scale_x=size[1] / width, scale_y=size[0] / height
        ),
    }


def _nearest(maps: Tensor, size: tuple[int, int]) -> Tensor:
    resized = F.interpolate(maps.flatten(0, -4), size, mode="nearest")
    return resized.reshape(*maps.shape[:-2], *size)


def _by_area(image: Tensor, size: tuple[int, int]) -> Tensor:
    frames = (255 * image.flatten(0, -4)).round().byte().movedim(1, -1).cpu().numpy()
    resized = [cv2.resize(frame, size[::-1], interpolation=cv2.INTER_AREA) for frame in frames]
    pictures = torch.from_numpy(np.stack(resized)).movedim(-1, 1).to(image) / 255
    return pictures.reshape(*image.shape[:-2], *size)
