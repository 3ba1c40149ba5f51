"""Depth codes as pictures: exact ones for programs, coloured ones to look at."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ppvd.geometry import colourise
from ppvd.video.frame import Picture, Shot

# Codes that 16 bits span. A model's codes span about [-0.5, 0.5] in its first window; what comes
# nearer or goes farther later lies outside, and the step is still 0.00006 of that range.
CODE_LIMITS = (-2.0, 2.0)
NUM_STEPS = 65534  # Values 1 to 65535 carry codes; 0 is invalid.
CODE_STEP = (CODE_LIMITS[1] - CODE_LIMITS[0]) / NUM_STEPS
# Widest coloured video; more is scaled down.
MAX_WIDTH_PX = 3840


def sixteen_bits(code: Tensor) -> NDArray[np.uint16]:
    """Return codes ``(1, H, W)`` as values of 16 bits, ``(H, W)``.

    ``code = CODE_LIMITS[0] + (value - 1) * CODE_STEP``; codes beyond the limits are put on
    them, and 0 stands for codes that are not finite.
    """
    known = code.isfinite()
    values = ((code.double() - CODE_LIMITS[0]) / CODE_STEP).clamp(0, NUM_STEPS).round() + 1
    return values.where(known, 0.0)[0].numpy().astype(np.uint16)


def side_by_side(shot: Shot, *, near_is_high: bool) -> Picture:
    """Return the frame beside its depth, near warm; sides are even.

    All frames are coloured alike, by the range of the first window: nothing flickers that does
    not flicker in depth.
    """
    ends = torch.tensor(-0.5), torch.tensor(0.5)
    colours = colourise(shot.code[None], limits=ends, near_is_high=near_is_high)[0]
    pair = np.concatenate([shot.frame.image, colours.permute(1, 2, 0).numpy()], axis=1)
    height, width, _ = pair.shape
    if width > MAX_WIDTH_PX:
        size = MAX_WIDTH_PX, max(1, round(height * MAX_WIDTH_PX / width))
        pair = cv2.resize(pair, size, interpolation=cv2.INTER_AREA)
    padding = [(0, side % 2) for side in pair.shape[:2]]
    return np.pad(pair, [*padding, (0, 0)], mode="edge").astype(np.uint8, copy=False)
