"""The files that ``ppvd depth`` makes of a clip."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from ppvd.callbacks import DepthFiles
from ppvd.cli.mistakes import UsageError
from ppvd.geometry import DepthCodec
from ppvd.video import (
    COLOUR_ENCODING,
    DEPTH_ENCODING,
    ArrayOutput,
    ClipOutput,
    FrameOutput,
    FrameSource,
    Shot,
    VideoFile,
    VideoOutput,
    side_by_side,
    sixteen_bits,
)
from ppvd.whole import appearing_whole, write_png


def clip_outputs(
    name: str,
    source: FrameSource,
    codec: DepthCodec,
    files: DepthFiles,
    *,
    asked: argparse.Namespace,
    work: Path,
) -> list[ClipOutput]:
    """Return the outputs that were asked for; arguments as in ``write_clip``.

    Raises:
        UsageError: If EXR is asked for and cannot be written here.
    """
    folder: Path = asked.out
    depth = partial(files.depth, codec=codec)
    sound = Path(source.name) if isinstance(source, VideoFile) else None
    coloured = partial(side_by_side, near_is_high=near_is_high(codec))
    makers: dict[str, Callable[[], ClipOutput]] = {
        "video": lambda: VideoOutput(
            path=folder / f"{name}_depth.mkv",
            work=work,
            draw=lambda shot: sixteen_bits(shot.code),
            encoding=DEPTH_ENCODING,
            rate=source.rate,
        ),
        "preview": lambda: VideoOutput(
            path=folder / f"{name}_preview.mp4",
            work=work,
            draw=coloured,
            encoding=COLOUR_ENCODING,
            rate=source.rate,
            sound=sound if sound is not None and sound.is_file() else None,
        ),
        "npz": lambda: ArrayOutput(path=folder / f"{name}_depth.npz", work=work, depth=depth),
        "png": lambda: FrameOutput(folder / f"{name}_png", ".png", _write_png),
        "exr": lambda: FrameOutput(folder / f"{name}_exr", ".exr", _exr_writer(depth)),
        "ply": lambda: FrameOutput(
            folder / f"{name}_ply",
            ".ply",
            lambda path, shot: files.write_cloud(path, shot.code, shot.frame.tensor(), codec=codec),
        ),
    }
    return [makers[kind]() for kind in asked.write]


def near_is_high(codec: DepthCodec) -> bool:
    """Tell whether codes grow towards the camera, as disparity does."""
    near, far = codec.forward(torch.tensor([1.0, 2.0]))
    return bool(near > far)


def _write_png(path: Path, shot: Shot) -> None:
    write_png(path, sixteen_bits(shot.code))


def _exr_writer(depth: Callable[[Tensor], Tensor]) -> Callable[[Path, Shot], None]:
    try:
        import OpenEXR
    except ImportError as error:
        raise UsageError("writing EXR needs OpenEXR: pip install 'ppvd[raw]'") from error

    def write(path: Path, shot: Shot) -> None:
        header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
        with appearing_whole(path) as passing:
            OpenEXR.File(header, {"Z": depth(shot.code)[0].numpy()}).write(str(passing))

    return write
