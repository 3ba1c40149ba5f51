"""``ppvd score``: predictions of any model under any protocol."""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import yaml

from ppvd.cli.mistakes import UsageError, did_you_mean
from ppvd.cli.parser import VerbParser

FORMATS = {
    "marigold": "MarigoldFiles",
    "moge": "MoGeFiles",
    "vda": "VideoDepthAnythingFiles",
    "da3": "DepthAnything3Files",
    "depthcrafter": "DepthCrafterFiles",
    "npz": "NpzFiles",
    "png16": "Png16Files",
    "exr": "ExrFiles",
}
HUB = "transformers:"
DESCRIPTION = """\
Score predictions that another program has saved, or a model of the Hugging Face hub.

A prediction is aligned in what it is affine in: depth, disparity, or log(depth + 1). Which one that
is, the format says; --unit overrules it. Numbers that run the wrong way, or are called metres and
are none, stop the scoring with a sentence.
"""
EXAMPLES = """\
formats (files are found by the names of the samples):
  marigold      <folders>/pred_<picture>.npy          affine depth
  moge          <picture>/depth.exr                   depth up to scale
  vda           <video>_depths.npz, or .npy by frame  disparity
  da3           <scene>/exports/mini_npz/results.npz  depth
  depthcrafter  <video>.npz                           disparity
  npz           <name>.npz, array depth, disparity, log or metres
  png16         <name>.png, 16 bits                   metres (--per-metre)
  exr           <name>.exr                            affine depth

examples:
  ppvd score out/marigold --format marigold --benchmark benchmarks/mono_zeroshot.yaml --only nyuv2
  ppvd score out/vda --format vda --benchmark benchmarks/video_zeroshot.yaml --resize bilinear
  ppvd score --model transformers:LiheYoung/depth-anything-small-hf \\
      --benchmark benchmarks/mono_zeroshot.yaml --protocols benchmarks/protocols/marigold.yaml

All further options are those of `ppvd test`.
"""


def main(words: list[str]) -> None:
    """Run ``ppvd score`` with the words after it.

    Raises:
        UsageError: If the words cannot be understood.
        ValueError: If predictions are missing, or cannot be what they are said to be.
    """
    asked, others = _parser().parse_known_args(words)
    from ppvd.cli.lightning import run

    with tempfile.TemporaryDirectory() as folder:
        overlays = [_only(asked, Path(folder))] if asked.only else []
        files = [f"-c={file}" for file in (asked.benchmark, *overlays)]
        run("test", [*files, *_model(asked), *others])


def _model(asked: argparse.Namespace) -> list[str]:
    if (asked.folder is None) == (asked.model is None):
        raise UsageError("give either a folder of predictions or --model transformers:REPO")
    if asked.model is not None:
        return _hub_model(asked)
    if asked.format is None:
        raise UsageError(f"--format must be one of {', '.join(FORMATS)} for a folder")
    files = {"folder": asked.folder, "unit_name": asked.unit, "per_metre": asked.per_metre}
    given = [f"--model.init_args.files.init_args.{n}={v}" for n, v in files.items() if v]
    resize = [f"--model.init_args.resize={asked.resize}"] if asked.resize else []
    files_class = f"--model.init_args.files=ppvd.{FORMATS[asked.format]}"
    return ["--model=ppvd.SavedDepth", files_class, *given, *resize]


def _hub_model(asked: argparse.Namespace) -> list[str]:
    if not asked.model.startswith(HUB):
        raise UsageError(f"--model must be {HUB}REPO, got {asked.model}; ours: ppvd test")
    repo = asked.model.removeprefix(HUB)
    unit = [f"--model.init_args.unit_name={asked.unit}"] if asked.unit else []
    return ["--model=ppvd.TransformersDepth", f"--model.init_args.repo={repo}", *unit]


def _only(asked: argparse.Namespace, folder: Path) -> Path:
    """Write a recipe that leaves only some data sets of the benchmark."""
    recipe: dict[str, Any] = yaml.safe_load(Path(asked.benchmark).read_text(encoding="utf-8"))
    sets: dict[str, Any] = recipe["data"]["init_args"]["test"]
    for name in asked.only:
        if name not in sets:
            nearest = did_you_mean(name, sets) or f"; it has {', '.join(sets)}"
            raise UsageError(f"--only must name sets of {asked.benchmark}, got {name}{nearest}")
    data = {**recipe["data"], "init_args": {"test": {name: sets[name] for name in asked.only}}}
    file = folder / "only.yaml"
    file.write_text(yaml.safe_dump({"data": data}), encoding="utf-8")
    return file


def _parser() -> argparse.ArgumentParser:
    parser = VerbParser(
        "ppvd score",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("folder", nargs="?", metavar="PRED_DIR", help="folder of predictions")
    add("--benchmark", required=True, metavar="YAML", help="data sets and their protocols")
    add("--only", nargs="+", metavar="SET", help="only these data sets of the benchmark")
    add("--format", choices=FORMATS, help="how the predictions were saved")
    add("--model", metavar="transformers:REPO", help="a model for depth estimation instead")
    add("--unit", choices=("depth", "disparity", "log", "metres"), help="what the numbers mean")
    add("--resize", choices=("nearest", "bilinear"), help="for maps of another size than the truth")
    add("--per-metre", type=float, metavar="N", help="steps of a metre in png16 (1000)")
    return parser
