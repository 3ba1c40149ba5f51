"""`make demo`: render, train, test and predict on this machine, then say what came out.

Each step is a plain ``ppvd`` command, printed before it runs. A step whose command and recipes
are those of an earlier run is not done again.
"""

import hashlib
import json
import shlex
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.demo_table import Row, print_table

SHARDS = Path("data_shards/demo")
RUNS = Path("lightning_logs/demo")
OUTPUT = Path("outputs/demo")
RECIPES = Path("experiments/demo")
LAST = Path("checkpoints/last.ckpt")  # All models are compared at the end of their training.


def main() -> None:
    """Run what has not been run and print the table."""
    start = time.perf_counter()
    build_shards()
    encoder = fit("encoder")
    prompt = f"encoder.init_args.weights={encoder}/{LAST}"
    regressor = fit("regressor", f"--model.init_args.net.init_args.{prompt}")
    ppd = fit("ppd", f"--model.init_args.{prompt}")
    rows = [
        test("mean depth", "test_mean", "--model=ppvd.MeanDepth"),
        test("regressor, same network", "test_regressor", f"--ckpt_path={regressor}/{LAST}"),
        test("PPD, 1 sample", "test_ppd", f"--ckpt_path={ppd}/{LAST}"),
        test(
            "PPD, mean of 4 samples",
            "test_ppd_mean4",
            f"--ckpt_path={ppd}/{LAST}",
            "--model.init_args.num_samples=4",
        ),
    ]
    depth(ppd / LAST)
    print_table(rows)
    say_where(rows, ppd / LAST, minutes=(time.perf_counter() - start) / 60)


def build_shards() -> None:
    """Build what the demo trains and tests on."""
    build("train", "synthetic --world yard --count 5000 --size 64 64 --split train --workers 2")
    build("test", "synthetic --world yard --count 100 --size 64 64 --split test --workers 2")
    build("photo", "middlebury")


def build(name: str, words: str) -> None:
    """Build a shard set, unless it is there."""
    source, *options = words.split()
    folder = SHARDS / name
    once(folder / "demo.json", ["shards", "build", source, "--out", str(folder), *options])


def fit(name: str, *options: str) -> Path:
    """Train by a recipe and return the run's folder."""
    words = ["fit", "-c", str(RECIPES / f"{name}.yaml"), f"--experiment=demo/{name}", *options]
    return once(RUNS / name / "demo.json", words)


def test(title: str, name: str, *options: str) -> Row:
    """Test a model and return its row of the table."""
    recipe = str(RECIPES / "test.yaml")
    words = ["test", "-c", recipe, f"--experiment=demo/{name}", *options]
    return Row(title, once(RUNS / name / "demo.json", words))


def depth(model: Path) -> None:
    """Predict the depth of a photograph."""
    import skimage.data

    photo = Path(skimage.data.__file__).with_name("motorcycle_left.png")
    words = ["depth", str(photo), "--model", str(model), "--samples", "4", "--out", str(OUTPUT)]
    once(OUTPUT / "demo.json", words)


def once(note: Path, words: Sequence[str]) -> Path:
    """Run ``ppvd`` with ``words`` unless ``note`` says that the very same has been done.

    Args:
        note: File that remembers it.
        words: Words after ``ppvd``.

    Returns:
        The newest ``version_N`` beside the note, or else the note's folder.
    """
    # Imported here: processes that render scenes import this module anew, without Lightning.
    from ppvd.cli import main as ppvd

    print(f"\n$ ppvd {shlex.join(words)}", flush=True)
    recipe = Path(words[words.index("-c") + 1]) if "-c" in words else None
    done = {"words": list(words), "recipes": recipe and recipes_hash(recipe.parent)}
    before = json.loads(note.read_text()) if note.is_file() else None
    if before == done:
        print("  done before; `make clean-demo` forgets it")
    else:
        if before and words[0] == "shards":  # Another set; one that was interrupted goes on.
            shutil.rmtree(note.parent)
        ppvd(list(words))
        note.write_text(json.dumps(done))
    runs = sorted(note.parent.glob("version_*"), key=lambda run: int(run.name.split("_")[1]))
    return runs[-1] if runs else note.parent


def recipes_hash(folder: Path) -> str:
    """Return a hash of all recipes of a demo, and of the parts that it shares with others."""
    files = sorted(Path("experiments").glob("*/demo*.yaml")) + sorted(folder.glob("*.yaml"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def say_where(rows: Sequence[Row], model: Path, *, minutes: float) -> None:
    """Say what to look at."""
    print(
        f"\nthis took {minutes:.1f} minutes\n"
        f"curves, pictures, point clouds:  .venv/bin/tensorboard --logdir {RUNS}\n"
        f"pictures of the test:            {rows[-1].run}/panels\n"
        f"depth of the photograph:         {OUTPUT}/motorcycle_left_preview.png\n"
        f"its point cloud:                 {OUTPUT}/motorcycle_left.ply\n"
        f"your own photograph:             .venv/bin/ppvd depth PHOTO --model {model}"
    )


if __name__ == "__main__":
    main()
