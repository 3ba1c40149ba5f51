"""Every benchmark in small: downloads in their real layouts, turned into shards, and scored."""

import csv
import importlib.util
import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import yaml

from ppvd.cli import main

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"
VARIANTS = sorted(path.stem for path in (BENCHMARKS / "protocols").glob("*.yaml"))
NYU, KITTI = (480, 640), (375, 1242)
SMALL = {
    "class_path": "ppvd.PPD",
    "init_args": {
        "encoder": "ppvd.NoSemantics",
        "net": {
            "class_path": "ppvd.CascadeDiT",
            "init_args": {"width": 16, "depth": 2, "num_heads": 2, "patch": 4},
        },
        "num_steps": 1,
        "pixels": 4096,
    },
}


def _tree(root):
    spec = importlib.util.spec_from_file_location(
        "source_trees", ROOT / "tests" / "data" / "sources" / "conftest.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Tree(root)


def step(size, *, near=2.0, far=4.0):
    """A wall whose right half is nearer, slanted, with unknown rows on top, metres."""
    depth = np.full(size, far, np.float32) + np.linspace(0, 0.5, size[1], dtype=np.float32)
    depth[:, size[1] // 2 :] -= far - near
    depth[: size[0] // 12] = 0
    return depth


def codes(depth, per_metre):
    return (depth * per_metre).round().astype(np.uint16)


def nyuv2(tree):
    for number in (1, 2):
        tree.picture(f"test/kitchen_0004/rgb_{number:04d}.png", NYU, seed=number)
        tree.png(f"test/kitchen_0004/depth_{number:04d}.png", codes(step(NYU), 1000))


def kitti(tree):
    drive = "2011_09_26_drive_0002_sync"
    for number in (69, 70, 71):
        stem = f"{number:010d}.png"
        tree.picture(f"2011_09_26/{drive}/image_02/data/{stem}", KITTI, seed=number)
        truth = codes(step(KITTI, near=5, far=20), 256)
        tree.png(f"val/{drive}/proj_depth/groundtruth/image_02/{stem}", truth)


def eth3d(tree):
    size = (80, 120)
    tree.picture("office/images/dslr_images/DSC_0219.JPG", size)
    depth = np.where(step(size) > 0, step(size), np.inf).astype("<f4")
    tree.bytes("office/ground_truth_depth/dslr_images/DSC_0219.JPG", depth.tobytes())


def scannet(tree):
    pose = [(1, 0, 0, 1), (0, 1, 0, 2), (0, 0, 1, 3), (0, 0, 0, 1)]
    camera = [(577, 0, 319.5, 0), (0, 578, 239.5, 0), (0, 0, 1, 0), (0, 0, 0, 1)]
    scan = "scans/scene0707_00"
    lost = [(-np.inf,) * 4] * 4
    for number in range(14):  # Two more of them than the first pair that counts.
        tree.picture(f"{scan}/color/{number}.jpg", NYU, seed=number)
        tree.png(f"{scan}/depth/{number}.png", codes(step(NYU), 1000))
        tree.text(f"{scan}/pose/{number}.txt", *(lost if number == 12 else pose))
    tree.text(f"{scan}/intrinsic/intrinsic_depth.txt", *camera)


def diode(tree):
    size, stem = (96, 128), "val/indoors/scene_00021/scan_00189/00021_00189_indoors_200_010"
    tree.picture(f"{stem}.png", size)
    tree.npy(f"{stem}_depth.npy", step(size)[..., None])
    tree.npy(f"{stem}_depth_mask.npy", (step(size) > 0).astype(np.float64))


def bonn(tree):
    root = "rgbd_bonn_dataset/rgbd_bonn_balloon2"
    for number in range(3):
        tree.picture(f"{root}/rgb/1548266469.{number}123.png", NYU, seed=number)
        tree.png(f"{root}/depth/1548266469.{number}130.png", codes(step(NYU), 5000))
    tree.text(f"{root}/rgb.txt", "# color images")


def build(words):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        main(["shards", "build", *words.split()])


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A working folder with all shards that the benchmarks name, where they are by default."""
    folder = tmp_path_factory.mktemp("benchmarks")
    for write in (nyuv2, kitti, eth3d, scannet, diode, bonn):
        write(_tree(folder / "raw" / write.__name__))
    out = folder / "data_shards"
    for name in ("nyuv2", "kitti", "eth3d", "scannet", "diode"):
        split = "val" if name == "diode" else "test"
        build(f"{name} --raw {folder}/raw/{name} --out {out}/{name}/{split} --split {split}")
    for name in ("scannet", "bonn", "kitti"):
        raw, shards = folder / "raw" / name, out / f"{name}_videos" / "test"
        build(f"{name} --raw {raw} --out {shards} --split test --clips")
    size = "--size 64 96 --split test"
    build(f"synthetic --out {out}/nyuv2_videos/test --count 2 {size} --frames-per-clip 3")
    build(f"synthetic --out {out}/hypersim/test --count 2 {size}")
    (folder / "model.yaml").write_text(yaml.safe_dump({"model": SMALL}))
    return folder


@pytest.fixture
def score(home, monkeypatch):
    """Run a benchmark and return its results and folder."""
    monkeypatch.chdir(home)
    monkeypatch.delenv("PPVD_DATA", raising=False)

    def run(name, *words):
        quiet = ["--trainer.accelerator=cpu", "--trainer.enable_progress_bar=false"]
        words = [*words, "--data.init_args.num_workers=0", *quiet]
        main(["test", "-c", str(BENCHMARKS / f"{name}.yaml"), *words])
        runs = Path("lightning_logs", name).glob("version_*")
        folder = max(runs, key=lambda run: int(run.name.removeprefix("version_")))
        return json.loads((folder / "results.json").read_text()), folder

    return run


PLAIN = "--trainer.callbacks=[ppvd.ResultsWriter]"
KEEPING = "--trainer.callbacks=[ppvd.ResultsWriter, ppvd.SavePredictions]"
SETS = {
    "mono_zeroshot": ["nyuv2", "kitti", "eth3d", "scannet", "diode"],
    "video_zeroshot": ["nyuv2", "scannet", "bonn", "kitti"],
    "hypersim_edges": ["hypersim"],
}
OWN = {"mono_zeroshot": "ppd", "video_zeroshot": "vda_500", "hypersim_edges": "ppd"}


@pytest.mark.parametrize("name", SETS)
def test_a_benchmark_runs_and_leaves_all_that_its_numbers_need(name, score, capsys):
    results, folder = score(name, "-c", "model.yaml")
    assert list(results["protocols"]) == SETS[name]
    printed = capsys.readouterr().out
    for benchmark in SETS[name]:
        card = results["protocols"][benchmark]
        assert card["name"] == f"{OWN[name]}/{benchmark}"
        assert f"{benchmark}: {card['name']} ({card['hash']})" in printed
        for metric in ("abs_rel", "delta1", "chamfer", "acc", "comp"):
            assert 0 <= results["metrics"][f"test/{benchmark}/{metric}"] < np.inf
        assert results["metrics"][f"test/{benchmark}/num_without_truth"] == 0
        with (folder / "scores" / f"{benchmark}.csv").open() as table:
            rows = list(csv.DictReader(table))
        mean = np.mean([float(row["abs_rel"]) for row in rows])
        assert results["metrics"][f"test/{benchmark}/abs_rel"] == pytest.approx(mean, rel=1e-12)
        assert list((folder / "worst").glob(f"{benchmark}_01_*.png"))
    if name == "video_zeroshot":
        assert 0 <= results["metrics"]["test/scannet/tae"] < np.inf
        assert results["metrics"]["test/scannet/num_clips_with_lost_poses"] == 1
        assert results["metrics"]["test/scannet/num_clips_without_pairs"] == 0
    assert {"checkpoint", "seed", "sampling", "precision", "code", "hardware"} <= set(results)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", SETS)
def test_every_variant_has_rules_for_every_data_set_of_every_benchmark(name, variant, score):
    if variant == OWN[name]:
        pytest.skip("the benchmark's own rules, scored above")
    protocols = str(BENCHMARKS / "protocols" / f"{variant}.yaml")
    results, _ = score(name, "--model=ppvd.MeanDepth", PLAIN, "--protocols", protocols)
    names = {name: card["name"] for name, card in results["protocols"].items()}
    assert names == {benchmark: f"{variant}/{benchmark}" for benchmark in SETS[name]}


def test_protocols_given_later_replace_all_of_the_earlier_ones(score):
    protocols = str(BENCHMARKS / "protocols" / "marigold.yaml")
    results, _ = score("mono_zeroshot", "--model=ppvd.MeanDepth", PLAIN, "--protocols", protocols)
    rules = results["protocols"]["eth3d"]["rules"]
    assert rules["size"] is None
    assert rules["resize"] == "model"
    assert rules["metrics"]["errors"]["eps"] == 0.0


def test_a_benchmark_comes_after_a_recipe_with_data_of_its_own(score, home):
    own = {"class_path": "ppvd.ShardDataModule", "init_args": {"test": {"x": {"manifest": "x"}}}}
    recipe = home / "recipe.yaml"
    recipe.write_text(yaml.safe_dump({"model": SMALL, "data": own}))
    results, folder = score("hypersim_edges", "-c", str(recipe))
    assert list(results["protocols"]) == ["hypersim"]
    assert folder.parent.name == "hypersim_edges"


def test_a_data_set_without_a_protocol_is_refused(score, home, capsys):
    file = home / "some.yaml"
    file.write_text(yaml.safe_dump({"nyuv2": {"name": "mine/nyuv2"}}))
    with pytest.raises(SystemExit):
        score("mono_zeroshot", "--model=ppvd.MeanDepth", PLAIN, "--protocols", str(file))
    said = capsys.readouterr().err
    assert "protocols must say how kitti, eth3d, scannet, diode is evaluated" in said


def test_the_card_holds_the_rules(score):
    results, _ = score("mono_zeroshot", "--model=ppvd.MeanDepth", PLAIN)
    rules = {name: card["rules"] for name, card in results["protocols"].items()}
    assert rules["kitti"]["crop"] == {"class": "BottomMiddle", "height": 352, "width": 1216}
    assert rules["eth3d"]["size"] == [1360, 2048]
    assert rules["diode"]["max_slope_m"] == 0.3


def test_predictions_are_scored_again_by_another_protocol_without_the_network(score, home):
    first, folder = score("hypersim_edges", "-c", "model.yaml", KEEPING)
    main(["rescore", str(folder), "--protocols", str(BENCHMARKS / "protocols" / "ppd.yaml")])
    again = home / "lightning_logs" / "hypersim_edges_rescored" / "version_0"
    results = json.loads((again / "results.json").read_text())
    for name, value in first["metrics"].items():
        if "seconds" not in name:
            assert results["metrics"][name] == pytest.approx(value, rel=1e-12), name
    assert results["protocols"] == first["protocols"]


def test_a_protocol_that_needs_unseen_pixels_is_refused(score, home, capsys):
    """KITTI's crop has cut off the top; the whole picture cannot be scored any more."""
    _, folder = score("mono_zeroshot", "--model=ppvd.MeanDepth", KEEPING)
    rules = yaml.safe_load((BENCHMARKS / "protocols" / "ppd.yaml").read_text())
    whole = home / "whole.yaml"
    whole.write_text(yaml.safe_dump({**rules, "kitti": {"name": "whole/kitti"}}))
    with pytest.raises(SystemExit):
        main(["rescore", str(folder), "--protocols", str(whole)])
    said = capsys.readouterr().err
    assert "predictions must show all that is scored, (0, 0, 375, 1242) of (375, 1242)" in said
