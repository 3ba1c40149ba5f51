"""`make demo-video`: clips are rendered, PPVD goes on from the demo's PPD, both are compared.

The same clips are given to PPD frame by frame, with one noise for all frames: what a model of
images can do. A film shows a walk that training has not seen beside both depths.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.demo import LAST, build_shards, fit, once

if TYPE_CHECKING:
    from ppvd.geometry.align import Space

CLIPS = Path("data_shards/demo_video")
VIDEO_RUNS = Path("lightning_logs/demo_video")
VIDEO_RECIPES = Path("experiments/demo_video")
OUTPUT = Path("outputs/demo_video")
WALK = OUTPUT / "walk.mp4"
SIDE = 64
COLUMNS = {
    "abs_rel": "AbsRel",
    "delta1": "delta1",
    "temporal_gradient": "flicker m",
    "scale_drift": "scale drift",
    "seam_jump": "seam jump",
}


def main() -> None:
    """Run what has not been run, and print the table."""
    # Imported here: processes that render clips import this module anew, without Lightning.
    from benchmarks.demo_film import write_comparison, write_walk

    encoder, ppd = image_model()
    build_clips("train", "--count 400 --frames-per-clip 24")
    build_clips("test", "--count 12 --frames-per-clip 48")
    ppvd = video_model(encoder, ppd)
    runs = {"PPVD": test("ppvd", ppvd), "PPD, frame by frame": test("ppd", ppd)}
    print_table(runs)
    write_walk(WALK, side=SIDE)
    film = OUTPUT / "walk_compared.mp4"
    spaces: dict[Path, Space] = {depth("ppvd", ppvd): "disparity", depth("ppd", ppd): "log"}
    write_comparison(film, spaces, side=SIDE)
    print(
        f"\nimage, truth, PPVD, PPD:       {film}\n"
        f"strips and slices of clips:    {runs['PPVD']}/panels\n"
        f"curves:                        .venv/bin/tensorboard --logdir {VIDEO_RUNS}\n"
        f"your own video:                .venv/bin/ppvd depth CLIP.mp4 --model {ppvd}"
    )


def image_model() -> tuple[Path, Path]:
    """Train the image demo's encoder and PPD, unless that is done; return their checkpoints."""
    build_shards()
    encoder = fit("encoder") / LAST
    return encoder, fit("ppd", f"--model.init_args.encoder.init_args.weights={encoder}") / LAST


def build_clips(split: str, length: str) -> None:
    """Render a set of clips, unless it is there."""
    words = f"synthetic --world yard {length} --size {SIDE} {SIDE} --split {split} --workers 2"
    folder = CLIPS / split
    once(folder / "demo.json", ["shards", "build", *words.split(), "--out", str(folder)])


def video_model(encoder: Path, ppd: Path) -> Path:
    """Train PPVD from the image model's weights and return its checkpoint."""
    words = [
        *("fit", "-c", str(VIDEO_RECIPES / "ppvd.yaml"), "--experiment=demo_video/ppvd"),
        f"--model.init_args.encoder.init_args.weights={encoder}",
        f"--model.init_args.initial_weights={ppd}",
    ]
    return once(VIDEO_RUNS / "ppvd" / "demo.json", words) / LAST


def test(name: str, model: Path) -> Path:
    """Test a model on the clips and return the run's folder."""
    recipe, folder = str(VIDEO_RECIPES / "test.yaml"), f"test_{name}"
    options = [f"--experiment=demo_video/{folder}", f"--ckpt_path={model}"]
    return once(VIDEO_RUNS / folder / "demo.json", ["test", "-c", recipe, *options])


def depth(name: str, model: Path) -> Path:
    """Predict the depth of the walk and return the file of it."""
    folder = OUTPUT / name
    options = ["--model", str(model), "--write", "preview,npz", "--out", str(folder)]
    once(folder / "demo.json", ["depth", str(WALK), *options])
    return folder / f"{WALK.stem}_depth.npz"


def print_table(runs: dict[str, Path]) -> None:
    """Print the scores of the models on the clips, in Markdown."""
    print(f"\n| held-out walks | {' | '.join(COLUMNS.values())} |\n|---|{'--:|' * len(COLUMNS)}")
    for title, run in runs.items():
        metrics = json.loads((run / "results.json").read_text())["metrics"]
        cells = [f"{metrics[f'test/walks/{name}']:.3f}" for name in COLUMNS]
        print(f"| {title} | {' | '.join(cells)} |")
    print(
        "\nOne scale and shift a clip. Flicker: error of the change of depth from frame to frame,"
        "\nwhere the truth changes little, metres; drift: of the scale over a clip; seam jump: of"
        "\ndepth where windows meet. Less is better, but for delta1."
    )


if __name__ == "__main__":
    main()
