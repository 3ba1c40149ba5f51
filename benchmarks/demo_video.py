"""`make demo-video`: walks are rendered, PPVD trains in two stages, and is compared.

It is compared with what sees frame by frame: the same network after the first stage, on pictures
alone, which is a PPD of disparity; and after the second, on the same clips without propagation.
All sample the frames of a clip from one noise, but for a row that does as the released code.
A film shows a walk that training has not seen.
"""

import json
import time
from pathlib import Path

from benchmarks.demo import LAST, build_shards, fit, once

CLIPS = Path("data_shards/demo_video")
VIDEO_RUNS = Path("lightning_logs/demo_video")
VIDEO_RECIPES = Path("experiments/demo_video")
OUTPUT = Path("outputs/demo_video")
WALK = OUTPUT / "walk.mp4"
SIDE = 64
LENGTHS = {
    "train": "--count 600 --frames-per-clip 32",
    "test": "--count 16 --frames-per-clip 48",
}
COLUMNS = {
    "abs_rel": "AbsRel",
    "delta1": "delta1",
    "temporal_gradient": "flicker m",
    "tae": "TAE",
    "scale_drift": "scale drift",
    "seam_jump": "seam jump",
}


def main() -> None:
    """Run what has not been run, and print the table."""
    # Imported here: processes that render clips import this module anew, without Lightning.
    from benchmarks.demo_film import write_comparison, write_walk

    start = time.perf_counter()
    build_shards()
    encoder = fit("encoder") / LAST
    build_clips("train")
    build_clips("test")
    prompt = f"--model.init_args.encoder.init_args.weights={encoder}"
    images = video_fit("images", prompt)
    first = f"--model.init_args.initial_weights={images}"
    frames, ppvd = (video_fit(name, prompt, first) for name in ("frames", "ppvd"))
    runs = {
        "PPD, frame by frame": score("images", images),
        "PPD, frame by frame, tuned on clips": score("frames", frames),
        "PPVD, noise as released": score("ppvd", ppvd, noise="released"),
        "PPVD": score("ppvd", ppvd),
    }
    print_table(runs)
    write_walk(WALK, side=SIDE)
    film = OUTPUT / "walk_compared.mp4"
    flicker = write_comparison(film, [depth("images", images), depth("ppvd", ppvd)], side=SIDE)
    print(
        f"\nthis took {(time.perf_counter() - start) / 60:.1f} minutes\n"
        f"image, truth, frame by frame, PPVD:  {film}\n"
        f"  flicker of that walk, metres:      {flicker[0]:.3f}, {flicker[1]:.3f}\n"
        f"strips and slices of clips:          {runs['PPVD']}/panels\n"
        f"curves:                              .venv/bin/tensorboard --logdir {VIDEO_RUNS}\n"
        f"your own video:                      .venv/bin/ppvd depth CLIP.mp4 --model {ppvd}"
    )


def build_clips(split: str) -> None:
    """Render a set of clips, unless it is there."""
    words = (
        f"synthetic --world walk {LENGTHS[split]} --size {SIDE} {SIDE} --split {split} --workers 2"
    )
    folder = CLIPS / split
    once(folder / "demo.json", ["shards", "build", *words.split(), "--out", str(folder)])


def video_fit(name: str, *options: str) -> Path:
    """Train by a recipe of the video demo and return its checkpoint."""
    words = ["fit", "-c", str(VIDEO_RECIPES / f"{name}.yaml"), f"--experiment=demo_video/{name}"]
    return once(VIDEO_RUNS / name / "demo.json", [*words, *options]) / LAST


def score(name: str, model: Path, *, noise: str = "still") -> Path:
    """Test a model on the clips and return the run's folder."""
    recipe, folder = str(VIDEO_RECIPES / "test.yaml"), f"test_{name}_{noise}"
    options = [f"--experiment=demo_video/{folder}", f"--ckpt_path={model}"]
    options += [f"--model.init_args.noise={noise}"]
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
        "\nwhere the truth changes little, metres; TAE: of neighbours as seen from each other;"
        "\ndrift: of the scale over a clip; seam jump: of depth where windows meet. Less is better,"
        "\nbut for delta1."
    )


if __name__ == "__main__":
    main()
