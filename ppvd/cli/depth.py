"""``ppvd depth``: depth maps and point clouds of photographs."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ppvd.cli.mistakes import UsageError
from ppvd.cli.parser import VerbParser

if TYPE_CHECKING:
    import torch

    from ppvd.callbacks import DepthFiles
    from ppvd.data.photos import Photos
    from ppvd.tasks import DepthTask

PIXELS = 1024 * 768  # Largest area the paper evaluates at.
_SETTINGS = {"steps": "num_steps", "samples": "num_samples", "seed": "seed", "parity": "parity"}


def main(words: list[str]) -> None:
    """Run ``ppvd depth`` with the words after it.

    Raises:
        ValueError: If a photograph or the model cannot be read; what was written stays whole.
    """
    asked = _parser().parse_args(words)

    from ppvd.callbacks import DepthFiles
    from ppvd.data.photos import Photos

    photos = Photos(asked.photos)
    files = DepthFiles(near_m=asked.near, far_m=asked.far, field_of_view_deg=asked.fov)
    task = _model(asked).to(_device(asked.device))
    task.pixels = asked.pixels or task.pixels
    _write_all(photos, task, files, asked.out)
    name = asked.out / photos.keys[0]
    print(f"{len(photos)} depth maps in {asked.out}; look at {name}_preview.png and {name}.ply")


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


def _model(asked: argparse.Namespace) -> "DepthTask":
    from ppvd.cli.explain import parameters
    from ppvd.cli.load import find

    found = find(asked.model, encoder=asked.encoder)
    changes = {name: getattr(asked, option) for option, name in _SETTINGS.items()}
    changes = {name: value for name, value in changes.items() if value is not None}
    for option, name in _SETTINGS.items():
        if name in changes and name not in parameters(found.class_path):
            raise UsageError(f"--{option} must be left out: {found.class_path} has no {name}")
    print(f"model: {found.description}")
    return found.build(**changes)


def _device(name: str) -> "torch.device":
    import torch

    present = torch.cuda.is_available()
    if name == "cuda" and not present:
        raise UsageError("--device must be cpu or auto here: there is no CUDA device")
    return torch.device("cuda" if name != "cpu" and present else "cpu")


def _parser() -> argparse.ArgumentParser:
    parser = VerbParser(
        prog="ppvd depth",
        allow_abbrev=False,
        description="Depth maps and point clouds of photographs, at their own size.",
        epilog=(
            "The depth of one image is known up to scale and shift of log(depth + 1), or of "
            "1 / depth from a model for video; --near and --far say which metres the ends of its "
            "range stand for."
        ),
    )
    add = parser.add_argument
    add("photos", nargs="+", metavar="PHOTO|FOLDER", help="photographs, or folders of them")
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
    return parser


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, got {text}")
    return int(text)
