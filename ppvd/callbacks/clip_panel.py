"""One clip as a strip of frames, as a slice through time, and as a moving picture."""

import io

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ppvd.callbacks.drawing import Picture, resized, side_by_side, stacked, titled
from ppvd.callbacks.panel import QUANTILES, PanelSample
from ppvd.geometry import colourise, masked_quantiles

TILE_PX = 160  # width of a frame in a strip
SLICE_PX = 288  # width of a row in a slice
NUM_TILES = 6
TIME_PX = 8  # height of a frame's row in a slice
TITLES = ("image", "truth", "prediction, aligned")


def draw_strip(sample: PanelSample) -> Picture:
    """Draw frames of a clip at even distances: images, truth and prediction below each other.

    All frames share one scale of colours, that of the clip's truth: what drifts changes colour.
    """
    num_frames = sample.depth.shape[1]
    numbers = np.linspace(0, num_frames - 1, min(NUM_TILES, num_frames)).round().astype(int)
    rows = []
    for title, frames in zip(TITLES, _pictures(sample), strict=True):
        names = [title if place == 0 else f"{n}" for place, n in enumerate(numbers)]
        tiles = [resized(frames[number], TILE_PX) for number in numbers]
        titles = zip(tiles, names, strict=True)
        rows.append(side_by_side([titled(tile, name) for tile, name in titles]))
    return stacked(rows, f"{sample.key}: near is warm")


def draw_slice(sample: PanelSample) -> Picture:
    """Draw the middle row of each frame below that of the frame before.

    Where depth flickers, the picture of the prediction has stripes across that its truth has not.
    """
    middle = sample.depth.shape[-2] // 2
    slices = [frames[:, middle].repeat(TIME_PX, axis=0) for frames in _pictures(sample)]
    tiles = [
        cv2.resize(picture, (SLICE_PX, len(picture)), interpolation=cv2.INTER_NEAREST)
        for picture in slices
    ]
    titles = zip(tiles, TITLES, strict=True)
    row = side_by_side([titled(np.asarray(tile, np.uint8), title) for tile, title in titles])
    return stacked([row], f"{sample.key}: row {middle} of each frame, time goes down")


def draw_video(sample: PanelSample) -> list[Picture]:
    """Draw each frame: image, truth and prediction beside each other."""
    return [
        side_by_side([resized(picture, TILE_PX) for picture in frame])
        for frame in zip(*_pictures(sample), strict=True)
    ]


def gif(pictures: list[Picture], *, fps: float = 8.0) -> bytes:
    """Return pictures of one size as an endless GIF, which TensorBoard plays."""
    frames = [Image.fromarray(picture) for picture in pictures]
    buffer = io.BytesIO()
    frames[0].save(
        buffer, "gif", save_all=True, append_images=frames[1:], duration=round(1e3 / fps), loop=0
    )
    return buffer.getvalue()


def _pictures(sample: PanelSample) -> list[Picture]:
    """Return image, truth and prediction of all frames, ``(T, H, W, 3)`` each."""
    log = sample.depth.float().where(sample.valid, 1.0).log()
    low, high = masked_quantiles(log, sample.valid, QUANTILES)
    limits = low.reshape(1, 1, 1, 1), high.reshape(1, 1, 1, 1)
    truth = colourise(log[0], valid=sample.valid[0], sky=sample.sky[0], limits=limits)
    predicted = colourise(sample.prediction[0].float().clamp_min(1e-6).log(), limits=limits)
    image = (sample.image[0].clamp(0, 1) * 255).round().byte()
    return [_channels_last(frames) for frames in (image, truth, predicted)]


def _channels_last(frames: Tensor) -> Picture:
    return np.ascontiguousarray(frames.to(torch.uint8).permute(0, 2, 3, 1).numpy())
