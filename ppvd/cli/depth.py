"""``ppvd depth``: depth maps and point clouds of photographs, depth of video."""

import argparse
from copy import deepcopy
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from ppvd.cli.counted import counted
from ppvd.cli.mistakes import UsageError
from ppvd.cli.parser import VerbParser

if TYPE_CHECKING:
    import torch

    from ppvd.callbacks import DepthFiles
    from ppvd.data.photos import Photos
    from ppvd.tasks import DepthTask

PIXELS = 1024 * 768  # Largest area the paper evaluates at.
CLIP_KINDS = ("video", "preview", "png", "npz", "exr", "ply")
# Files of these kinds are video. Others, such as WebP, are pictures.
VIDEO_SUFFIXES = (
    *(".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts"),
    *(".nut", ".ogv", ".ts", ".webm", ".wmv", ".y4m"),
)
# Settings of a model by the options that replace them.
_SETTINGS = {
    "steps": "num_steps",
    "samples": "num_samples",
    "seed": "seed",
    "noise": "noise",
    "parity": "parity",
}


def main(words: list[str]) -> None:
    """Run ``ppvd depth`` with the words after it.

    Raises:
        ValueError: If a photograph or the model cannot be read; what was written stays whole.
    """
    asked = _parser().parse_args(words)
    clips = [word for word in asked.sources if _is_clip(word, asked.fps)]
    photographs = [word for word in asked.sources if word not in clips]

    from ppvd.callbacks import DepthFiles
    from ppvd.cli.clip import open_clips, write_clip
    from ppvd.data.photos import Photos

    photos = Photos(photographs) if photographs else None
    opened = open_clips(clips, fps=asked.fps)
    files = DepthFiles(near_m=asked.near, far_m=asked.far, field_of_view_deg=asked.fov)
    task, model = _model(asked)
    devices = _devices(asked.device, asked.devices)
    replicas = [deepcopy(task).to(device) for device in devices[1:]]
    task = task.to(devices[0])
    task.pixels = pixels = asked.pixels or task.pixels
    if photos is not None:
        _write_all(photos, task, files, asked.out)
    for name, source in opened.items():
        task.pixels = pixels
        write_clip(name, source, [task, *replicas], files, asked=asked, model=model)


def _is_clip(word: str, fps: Fraction | None) -> bool:
    """Tell video from photographs, by the name alone; folders are video if given a rate."""
    path = Path(word)
    return (
        word == "-"
        or is_camera(word)
        or path.suffix.lower() in VIDEO_SUFFIXES
        or (bool(fps) and path.is_dir())
    )


def is_camera(word: str) -> bool:
    """Tell whether a word names a camera: ``camera``, or ``camera:DEVICE``."""
    return word.split(":")[0] == "camera" and not Path(word).exists()


def _write_all(photos: "Photos", task: "DepthTask", files: "DepthFiles", out: Path) -> None:
    import torch
    from tqdm import tqdm

    pixels = task.pixels
    for index in tqdm(range(len(photos)), desc="depth", unit="photo", disable=None):
        photo = photos[index]
        image, key = photo["image"], photo["key"]
        too_large = image.shape[-2] * image.shape[-1] > PIXELS
        task.pixels = pixels or (PIXELS if too_large else None)
        with torch.inference_mode():
            code = task.predict(image[None].to(task.device), keys=[key])
        files.write(out, key, code[0], image, codec=task.codec)
    name = out / photos.keys[0]
    maps = counted(len(photos), "depth map")
    print(f"{maps} in {out}; look at {name}_preview.png and {name}.ply")


def _model(asked: argparse.Namespace) -> tuple["DepthTask", str]:
    """Return the model that was asked for and a description of it."""
    from ppvd.cli.explain import parameters
    from ppvd.cli.load import find

    found = find(asked.model, encoder=asked.encoder)
    changes = {name: getattr(asked, option) for option, name in _SETTINGS.items()}
    changes = {name: value for name, value in changes.items() if value is not None}
    for option, name in _SETTINGS.items():
        if name in changes and name not in parameters(found.class_path):
            raise UsageError(f"--{option} must be left out: {found.class_path} has no {name}")
    print(f"model: {found.description}")
    return found.build(**changes), found.description


def _devices(name: str, count: int) -> list["torch.device"]:
    """Return so many devices; copies on a CPU share its cores."""
    import torch

    num_present = torch.cuda.device_count()
    if name == "cuda" and not num_present:
        raise UsageError("--device must be cpu or auto here: there is no CUDA device")
    if name == "cpu" or not num_present:
        return [torch.device("cpu")] * count
    if count > num_present:
        raise UsageError(f"--devices must be at most {num_present} here, got {count}")
    return [torch.device("cuda", index) for index in range(count)]


def _parser() -> argparse.ArgumentParser:
    parser = VerbParser(
        prog="ppvd depth",
        allow_abbrev=False,
        description="Depth of photographs and of video, at their own size.",
        epilog=(
            "The depth of one image is known up to scale and shift of log(depth + 1), or of "
            "1 / depth from a model for video; --near and --far say which metres the ends of its "
            "range stand for."
        ),
    )
    add = parser.add_argument
    add(
        "sources",
        nargs="+",
        metavar="PHOTO|FOLDER|CLIP|-|camera",
        help="photographs, folders of them, video files, - for video from a pipe, or camera, "
        "camera:DEVICE for a camera, until Ctrl-C",
    )
    add(
        "--model",
        required=True,
        metavar="MODEL",
        help="a run's folder, a checkpoint, a published name (see: ppvd weights list) or its file",
    )
    add("--encoder", metavar="FILE", help="encoder of a published model; default: its own")
    add("--out", type=Path, default=Path("depth"), metavar="DIR", help="default: depth")
    add("--steps", type=_count, metavar="N", help="solver steps; default: the model's")
    add("--samples", type=_count, metavar="K", help="samples to average; default: the model's")
    add("--seed", type=int, metavar="S", help="seed of the noise; default: the model's")
    add(
        "--parity",
        choices=("released",),
        help="resize, round and enlarge as the released script does, to compare with its numbers",
    )
    add("--near", type=float, default=1.0, metavar="M", help="metres of the near end (1)")
    add("--far", type=float, default=10.0, metavar="M", help="metres of the far end (10)")
    add("--fov", type=float, default=60.0, metavar="DEG", help="horizontal field of view (60)")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto")
    add(
        "--pixels",
        type=_count,
        metavar="N",
        help=f"area the network looks at; default: the model's, else the photo's up to {PIXELS}",
    )
    clip = parser.add_argument_group("of video").add_argument
    clip(
        "--fps",
        type=_rate,
        metavar="N",
        help="take folders as the frames of a video, N a second, in the order of their numbers",
    )
    clip(
        "--write",
        type=_kinds,
        default=["video", "preview"],
        metavar="KIND,...",
        help="video (lossless, 16 bits), preview (image beside depth, with the sound), png (16 "
        "bits), npz, exr (metres), ply (a cloud a frame); default: video,preview",
    )
    clip(
        "--noise",
        choices=("released", "still"),
        help="noise that a video model samples frames from: of its own for each place in a window, "
        "or one for all, which flickers far less; default: the model's",
    )
    clip(
        "--batch-windows",
        type=_count,
        default=1,
        metavar="N",
        help="windows that go through a video model together; default: 1, which needs least memory",
    )
    clip(
        "--devices",
        type=_count,
        default=1,
        metavar="N",
        help="spread windows, or an image model's frames, over N GPUs; default: 1",
    )
    clip("--resume", action="store_true", help="go on with a job that was stopped")
    return parser


def _kinds(text: str) -> list[str]:
    kinds = list(dict.fromkeys(text.split(",")))
    if unknown := [kind for kind in kinds if kind not in CLIP_KINDS]:
        raise argparse.ArgumentTypeError(
            f"must list some of {', '.join(CLIP_KINDS)}, got {', '.join(unknown)}"
        )
    return kinds


def _rate(text: str) -> Fraction:
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if rate <= 0:
        raise argparse.ArgumentTypeError(
            f"must be frames a second, such as 24 or 30000/1001, got {text}"
        )
    return rate


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, got {text}")
    return int(text)
