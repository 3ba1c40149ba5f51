"""Laws of the state that all metrics share; run as a program, one process of a group of two."""

import os
import pickle
import subprocess
import sys

import jsonargparse
import pytest
import torch
from torch import distributed
from torchmetrics import Metric, MetricCollection

from ppvd.geometry import Alignment, intrinsics_from_fov
from ppvd.metrics import (
    BoundaryF1,
    CloudScore,
    DepthErrors,
    DiscBoundaryF1,
    Drift,
    EdgeChamfer,
    EdgeDistance,
    FlowWarpingError,
    FlyingPixels,
    SeamJump,
    TemporalAlignmentError,
    TemporalGradientError,
    decode_keys,
)

METRICS = [DepthErrors, EdgeChamfer, BoundaryF1, DiscBoundaryF1, CloudScore, EdgeDistance]
METRICS += [FlyingPixels]
CLIPS = [Drift, FlowWarpingError, TemporalAlignmentError, TemporalGradientError]


def batch(size=5, *, seed=0):
    """Steps of random height, one of them without truth, with noisy predictions."""
    generator = torch.Generator().manual_seed(seed)
    depth = torch.empty(size, 1, 16, 20).uniform_(1.0, 1.05, generator=generator)
    depth[..., 10:] *= 2.0 + torch.rand(size, 1, 1, 1, generator=generator)
    valid = torch.rand(depth.shape, generator=generator) < 0.95
    valid[1] = False
    noise = 0.1 * torch.randn(depth.shape, generator=generator)
    intrinsics = intrinsics_from_fov(16, 20, horizontal_fov_deg=60.0).expand(size, 3, 3)
    prediction = torch.log1p(depth) + noise
    return {"prediction": prediction, "depth": depth, "valid": valid, "intrinsics": intrinsics}


def clips():
    """Four frames of each, of a camera that moves aside; one clip is without truth."""
    images, generator = batch(), torch.Generator().manual_seed(1)
    change = torch.empty(5, 4, 1, 1, 1).uniform_(0.9, 1.1, generator=generator)
    maps = {name: images[name][:, None] * change for name in ("prediction", "depth")}
    pose = torch.eye(4).repeat(5, 4, 1, 1)
    pose[..., 0, 3] = 0.1 * torch.arange(4)
    return maps | {
        "valid": images["valid"][:, None].expand(5, 4, 1, 16, 20),
        "intrinsics": images["intrinsics"][:, None].expand(5, 4, 3, 3),
        "pose": pose,
        "image": torch.rand(5, 4, 3, 16, 20, generator=generator),
        "flow": torch.randn(5, 3, 2, 16, 20, generator=generator),
    }


def seams():
    return SeamJump(first=2, step=1)


def take(samples, indices):
    return {name: value[indices] for name, value in samples.items()}


def updated(kind, samples):
    return feed(kind(), samples)


def feed(metric, samples):
    metric.update(**metric._filter_kwargs(**samples))
    return metric


def pooled():
    return DepthErrors(reduction="pixel_pool")


def named(samples):
    """Add keys, a letter an image, that tell the images of ``batch`` apart."""
    whole = batch()["depth"]
    places = [int((whole == one).flatten(1).all(dim=1).nonzero()[0]) for one in samples["depth"]]
    return samples | {"key": ["abcde"[place] for place in places]}


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-12, atol=0.0, equal_nan=True)


@pytest.mark.parametrize("kind", METRICS)
def test_pickle_clone_and_reset(kind):
    metric = updated(kind, batch())
    expected = metric.compute()
    assert expected[metric.skipped_name] == 1
    assert_same(pickle.loads(pickle.dumps(metric)).compute(), expected)
    twin = metric.clone()
    metric.reset()
    feed(metric, batch(seed=1))
    assert metric.compute()[metric.names[0]] != expected[metric.names[0]]
    assert_same(twin.compute(), expected)
    metric.reset()
    assert_same(feed(metric, batch()).compute(), expected)


@pytest.mark.parametrize("kind", METRICS)
def test_forward_returns_the_batch_and_keeps_the_total(kind):
    metric = kind()
    parts = [take(batch(), slice(0, 3)), take(batch(), slice(3, 5))]
    for part in parts:
        assert_same(metric(**metric._filter_kwargs(**part)), updated(kind, part).compute())
    assert_same(metric.compute(), updated(kind, batch()).compute())


@pytest.mark.parametrize("kind", METRICS)
@pytest.mark.parametrize(
    "cast",
    [
        lambda metric: metric.half(),
        lambda metric: metric.to(torch.float16),
        lambda metric: metric.set_dtype(torch.float32),
        lambda metric: torch.nn.ModuleDict({"metric": metric}).to(torch.bfloat16)["metric"],
    ],
)
def test_casts_do_not_touch_the_state(kind, cast):
    metric = updated(kind, batch())
    expected = metric.compute()
    metric = cast(metric)
    assert_same(metric.compute(), expected)
    metric.reset()
    assert_same(feed(metric, batch()).compute(), expected)


@pytest.mark.parametrize("kind", METRICS)
def test_state_follows_the_device(kind):
    metric = kind().to("meta")
    for _ in range(2):
        states = [getattr(metric, name) for name in metric.metric_state]
        assert states
        assert all(state.is_meta for state in states)
        metric.reset()


def test_a_collection_does_not_merge_metrics_that_agree_once():
    def metrics():
        return {
            "log": DepthErrors(),
            "depth": DepthErrors(Alignment(space="depth")),
            "strict": DepthErrors(Alignment(space="depth"), min_pixels=1),
            "edges": EdgeChamfer(),
            "wide": EdgeChamfer(dilation=2),
        }

    samples = batch()
    perfect = samples | {"depth": torch.full_like(samples["depth"], 3.0)}
    collection, alone = MetricCollection(metrics()), metrics()
    for part in (perfect, samples):
        collection.update(**part)
        for metric in alone.values():
            feed(metric, part)
    found = collection.compute()
    for name, metric in alone.items():
        for key, value in metric.compute().items():
            matches = [v for k, v in found.items() if k in (key, f"{name}_{key}")]
            assert any(torch.equal(v, value) for v in matches), (name, key)
    assert found["log_abs_rel"] != found["depth_abs_rel"]
    assert found["edges_chamfer"] != found["wide_chamfer"]


def test_metrics_are_built_from_yaml_without_arguments():
    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--metrics", type=dict[str, Metric])
    config = parser.parse_object(
        {
            "metrics": {
                "errors": {"class_path": "ppvd.metrics.DepthErrors"},
                "edges": {
                    "class_path": "ppvd.metrics.EdgeChamfer",
                    "init_args": {"alignment": {"space": "depth", "far_m": 10.0}, "dilation": 2},
                },
            }
        }
    )
    metrics = parser.instantiate(config).metrics
    assert metrics["errors"].alignment == Alignment()
    assert metrics["edges"].alignment == Alignment(space="depth", far_m=10.0)
    assert metrics["edges"].dilation == 2


def test_two_processes_with_uneven_shares_equal_one(tmp_path):
    command = [sys.executable, __file__, str(tmp_path)]
    group = [
        # State names must not hang on Python's hashing, which differs between processes.
        subprocess.Popen([*command, rank], env=os.environ | {"PYTHONHASHSEED": rank})
        for rank in ("0", "1")
    ]
    assert [process.wait(timeout=600) for process in group] == [0, 0]
    for rank in ("0", "1"):
        found = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        for kind in METRICS:
            values, names = found[kind.__name__]
            assert_same(values, updated(kind, batch()).compute())
            assert names == list(kind().metric_state)
        for kind in (*CLIPS, seams):
            assert_same(found[kind.__name__][0], updated(kind, clips()).compute())
        assert_same(found["pooled"][0], updated(pooled, batch()).compute())
        rows = found["table"][0]
        expected = feed(DepthErrors(reduction="none"), named(batch())).compute()
        order = sorted(range(5), key=lambda index: decode_keys(rows["key"])[index])
        for name in ("key", "abs_rel", "delta1"):
            torch.testing.assert_close(
                rows[name][order], expected[name], rtol=1e-12, atol=0.0, equal_nan=True
            )
        assert decode_keys(rows["key"][order]) == list("abcde")


def main(folder, rank):
    """Update with this process's share, four images or one, and save what compute returns.

    The table gets all of them in one process, and nothing in the other.
    """
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", rank=int(rank), world_size=2
    )
    indices = [0, 1, 2, 4] if rank == "0" else [3]
    share, films = take(batch(), indices), take(clips(), indices)
    metrics = {kind.__name__: updated(kind, share) for kind in METRICS}
    metrics |= {kind.__name__: updated(kind, films) for kind in (*CLIPS, seams)}
    metrics["pooled"] = updated(pooled, share)
    metrics["table"] = DepthErrors(reduction="none")
    if rank == "0":
        feed(metrics["table"], named(batch()))
    found = {name: (one.compute(), list(one.metric_state)) for name, one in metrics.items()}
    torch.save(found, f"{folder}/{rank}.pt")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
