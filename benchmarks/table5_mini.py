"""Table V in miniature: what propagation and semantics of clips are worth on rendered walks.

    python -m benchmarks.table5_mini --seeds 3

Uses the shards of `make demo-video` and the encoder of `make demo`. Rows are trained from one
start: an encoder, tuned on the walks by depth regression, a stage on pictures, a stage on clips.
The encoders are trained once, all else anew for each seed. Steps that are done are not repeated.
"""

import argparse
import json
import os
import platform
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.demo import LAST, build_shards, fit, once
from benchmarks.demo_video import build_clips

RUNS = Path("lightning_logs/table5_mini")
RECIPES = Path("experiments/table5_mini")
RESULTS = Path("benchmarks/results/table5_mini.json")
ENCODER = "--model.init_args.net.init_args.encoder.init_args"
SCORES = ("abs_rel", "delta1", "temporal_gradient", "scale_drift", "seam_jump")


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        title: As the paper has it.
        recipe: Its second stage.
        images: Its first stage.
        encoder: What trains its encoder.
    """

    title: str
    recipe: str
    images: str
    encoder: str


ROWS = (
    Row("SP-DiT", "sp", "images_sp", "encoder_frames"),
    Row("SP-DiT + RGTP", "sp_rgtp", "images_sp", "encoder_frames"),
    Row("SP-DiT + gated RGTP (ours)", "sp_rgtp_gated", "images_sp", "encoder_frames"),
    Row("SC-DiT + RGTP", "sc_rgtp", "images_sc", "encoder_clips"),
)


def main() -> None:
    """Run what has not been run, write the results after each seed and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 0 (default: 3)")
    num_seeds = parser.parse_args().seeds
    build_shards()
    demo = fit("encoder") / LAST
    build_clips("train")
    build_clips("test")
    encoders = {
        "encoder_frames": train("encoder_frames", 0, f"{ENCODER}.weights={demo}"),
        "encoder_clips": train("encoder_clips", 0, f"{ENCODER}.backbone_weights={demo}"),
    }
    scores: dict[str, list[dict[str, float]]] = {row.title: [] for row in ROWS}
    for seed in range(num_seeds):
        for row in ROWS:
            scores[row.title].append(run(row, encoders[row.encoder], seed))
        write(scores)
    print_table(scores)


def run(row: Row, encoder: Path, seed: int) -> dict[str, float]:
    """Train and test a row, and return its scores."""
    prompt = f"--model.init_args.encoder.init_args.weights={encoder}"
    images = train(row.images, seed, prompt)
    model = train(row.recipe, seed, prompt, f"--model.init_args.initial_weights={images}")
    name = f"test_{row.recipe}_{seed}"
    words = ["test", "-c", str(RECIPES / "test.yaml"), f"--experiment=table5_mini/{name}"]
    tested = once(RUNS / name / "demo.json", [*words, f"--ckpt_path={model}"])
    metrics = json.loads((tested / "results.json").read_text())["metrics"]
    return {score: round(metrics[f"test/walks/{score}"], 4) for score in SCORES}


def train(recipe: str, seed: int, *options: str) -> Path:
    """Train by a recipe and return the checkpoint."""
    name = f"{recipe}_{seed}"
    words = ["fit", "-c", str(RECIPES / f"{recipe}.yaml"), f"--experiment=table5_mini/{name}"]
    options = (f"--seed_everything={seed}", *options)
    return once(RUNS / name / "demo.json", [*words, *options]) / LAST


def write(scores: dict[str, list[dict[str, float]]]) -> None:
    """Write the scores with how they came about."""
    content = {
        "command": f"python -m benchmarks.table5_mini --seeds {len(scores[ROWS[0].title])}",
        "machine": f"{os.cpu_count()} CPU cores, {platform.machine()}, torch {torch.__version__}",
        "training": "400 steps of 2 clips of 16 frames after 600 steps of 16 pictures, bf16-mixed",
        "clips": "16 held-out rendered walks of 48 frames, looked at with 48 x 48 pixels",
        "alignment": "one scale and shift of disparity a clip",
        "seeds": scores,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(content, indent=2) + "\n")


def print_table(scores: dict[str, list[dict[str, float]]]) -> None:
    """Print means over the seeds, and from the least to the greatest, in Markdown."""
    print(f"\n| | {' | '.join(SCORES)} |\n|---|{'--:|' * len(SCORES)}")
    for title, seeds in scores.items():
        cells = []
        for score in SCORES:
            values = [found[score] for found in seeds]
            mean = sum(values) / len(values)
            cells.append(f"{mean:.3f} ({min(values):.3f} to {max(values):.3f})")
        print(f"| {title} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
