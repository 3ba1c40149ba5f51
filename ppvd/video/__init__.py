"""Video in and out: frames of files, pipes and folders; depth as files, a segment at a time."""

from ppvd.video.camera import Camera
from ppvd.video.draw import CODE_LIMITS, CODE_STEP, side_by_side, sixteen_bits
from ppvd.video.encode import COLOUR_ENCODING, DEPTH_ENCODING, Encoding
from ppvd.video.file import VideoFile
from ppvd.video.frame import FrameSource, Shot, VideoFrame
from ppvd.video.job import ClipJob, ClipPredictor, ClipStoppedError
from ppvd.video.outputs import ArrayOutput, ClipOutput, FrameOutput, VideoOutput
from ppvd.video.plot import Curve, draw_curves
from ppvd.video.progress import ClipProgress
from ppvd.video.series import FrameSeries
from ppvd.video.wobble import Wobble

__all__ = [
    "CODE_LIMITS",
    "CODE_STEP",
    "COLOUR_ENCODING",
    "DEPTH_ENCODING",
    "ArrayOutput",
    "Camera",
    "ClipJob",
    "ClipOutput",
    "ClipPredictor",
    "ClipProgress",
    "ClipStoppedError",
    "Curve",
    "Encoding",
    "FrameOutput",
    "FrameSeries",
    "FrameSource",
    "Shot",
    "VideoFile",
    "VideoFrame",
    "VideoOutput",
    "Wobble",
    "draw_curves",
    "side_by_side",
    "sixteen_bits",
]
