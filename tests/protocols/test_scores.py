import math

import pytest
import torch
from torchmetrics import MeanMetric

from ppvd.geometry import Alignment
from ppvd.metrics import DepthErrors, EdgeChamfer, TemporalAlignmentError
from ppvd.protocols import SampleScores, flat_row

METRES = Alignment(space="depth", solver="none", far_m=None)


def samples(count, *, seed=0, frames=None):
    generator = torch.Generator().manual_seed(seed)
    shape = (count, 1, 12, 16) if frames is None else (count, frames, 1, 12, 16)
    depth = 1 + 5 * torch.rand(shape, generator=generator)
    camera = torch.tensor([[16.0, 0, 7.5], [0, 16.0, 5.5], [0, 0, 1]])
    batch = {
        "image": torch.zeros(1),
        "depth": depth,
        "valid": torch.rand(shape, generator=generator) > 0.3,
        "sky": torch.zeros(shape, dtype=torch.bool),
        "intrinsics": camera.expand(*shape[:-3], 3, 3),
        "pose": torch.eye(4).repeat(*shape[:-3], 1, 1),
        "key": [f"set/{index:03d}" for index in range(count)],
        "source": ["set"] * count,
    }
    return depth * (1 + 0.2 * torch.rand(shape, generator=generator)), batch


def part(prediction, batch, indices):
    chosen = {
        n: v[indices] if isinstance(v, torch.Tensor) and v.ndim > 1 else v for n, v in batch.items()
    }
    return prediction[indices], {**chosen, "key": [batch["key"][i] for i in indices]}


def scores(prediction, batch, groups, **settings):
    table = SampleScores({"errors": DepthErrors(METRES), "edges": EdgeChamfer(METRES)}, **settings)
    for indices in groups:
        table.add(*part(prediction, batch, indices))
    return table


def test_batch_size_and_order_change_no_digit():
    given = samples(7)
    one_by_one = scores(*given, [[i] for i in range(7)])
    reversed_in_pairs = scores(*given, [[6, 5], [4, 3], [2, 1], [0]])
    first, second = one_by_one.rows(), reversed_in_pairs.rows()
    assert first == second
    assert one_by_one.means(first) == reversed_in_pairs.means(second)


def test_the_mean_is_the_metric_s_own():
    prediction, batch = samples(5)
    table = scores(prediction, batch, [range(5)])
    metric = DepthErrors(METRES)
    metric.update(prediction, batch["depth"], batch["valid"])
    means = table.means(table.rows())
    for name, value in metric.compute().items():
        assert means[name] == pytest.approx(float(value), rel=1e-12)


def test_a_sample_that_came_twice_counts_once():
    given = samples(3)
    assert scores(*given, [[0, 1], [2, 0]]).rows() == scores(*given, [[0, 1, 2]]).rows()


def test_a_video_counts_as_the_mean_of_its_frames_or_as_its_frames():
    long, short = samples(1, frames=4), samples(1, frames=2, seed=1)
    short[1]["key"] = ["set/short"]
    short[1]["valid"][0, 1] = False  # A frame without truth has no weight.
    expected = {}
    for over in ("samples", "frames"):
        table = SampleScores({"errors": DepthErrors(METRES)}, average_over=over)
        for one in (long, short):
            table.add(*one)
        rows = table.rows()
        expected[over] = table.means(rows)["abs_rel"]
        a, b = (flat_row(row)["abs_rel"] for row in rows)
    assert expected["samples"] == pytest.approx((a + b) / 2, rel=1e-12)
    assert expected["frames"] == pytest.approx((4 * a + b) / 5, rel=1e-12)


def test_a_sample_without_truth_has_no_weight_and_is_counted():
    prediction, batch = samples(3)
    whole = scores(prediction, batch, [[0, 2]])
    batch["valid"][1] = False
    table = scores(prediction, batch, [[0, 1, 2]])
    means = table.means(table.rows())
    assert means["num_without_truth"] == 1
    assert means["abs_rel"] == whole.means(whole.rows())["abs_rel"]


def test_a_prediction_that_is_no_number_is_not_hidden():
    prediction, batch = samples(3)
    prediction[1] = torch.nan
    table = scores(prediction, batch, [[0, 1, 2]])
    assert math.isnan(table.means(table.rows())["abs_rel"])


def test_nothing_scored_is_nan():
    prediction, batch = samples(1)
    batch["valid"][:] = False
    table = scores(prediction, batch, [[0]])
    assert math.isnan(table.means(table.rows())["abs_rel"])


@pytest.mark.parametrize("over", ["samples", "frames"])
def test_a_video_without_poses_has_no_weight_in_the_temporal_error(over):
    prediction, batch = samples(3, frames=4)
    batch["pose"][1] = torch.nan
    metrics = {"consistency": TemporalAlignmentError(METRES)}
    table = SampleScores(metrics, average_over=over)
    table.add(prediction, batch)
    means = table.means(table.rows())
    expected = TemporalAlignmentError(METRES)
    for index in (0, 2):
        one, truth = part(prediction, batch, [index])
        expected.update(one, truth["depth"], truth["valid"], truth["intrinsics"], truth["pose"])
    assert means["tae"] == pytest.approx(float(expected.compute()["tae"]), rel=1e-12)
    assert means["num_clips_without_pairs"] == 1


def test_a_metric_of_clips_sees_an_image_as_a_clip_of_one_frame():
    table = SampleScores({"consistency": TemporalAlignmentError(METRES)})
    table.add(*samples(2))
    means = table.means(table.rows())
    assert math.isnan(means["tae"])
    assert means["num_clips_without_pairs"] == 2


class Brightness(MeanMetric):
    """A metric of one value that knows depth alone."""

    def update(self, depth):
        super().update(depth.mean())


def test_names_that_two_metrics_share_are_told_apart_and_one_value_has_its_metric_s_name():
    prediction, batch = samples(2)
    metrics = {"a": DepthErrors(METRES), "b": DepthErrors(METRES, eps=0.1), "mean": Brightness()}
    table = SampleScores(metrics)
    table.add(prediction, batch)
    means = table.means(table.rows())
    assert means["a_abs_rel"] != means["b_abs_rel"]
    assert means["mean"] == pytest.approx(float(batch["depth"].mean((1, 2, 3)).mean()), rel=1e-6)
