"""Metrics of clips against references and by hand."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ppvd.geometry import Alignment, intrinsics_from_fov, no_alignment, splat_depth, vda_alignment
from ppvd.metrics import (
    DepthErrors,
    Drift,
    FlowWarpingError,
    SeamJump,
    TemporalAlignmentError,
    TemporalGradientError,
    flow_warping_error,
    scale_and_shift_drift,
    seam_jump,
    temporal_alignment_error,
    temporal_gradient_error,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "metrics" / "video"
AS_IS = no_alignment()


def load(case):
    maps = load_file(GOLDEN / f"{case}.safetensors")
    record = json.loads((GOLDEN / f"{case}.json").read_text())
    depth = maps["in.gt_depth"][None, :, None]
    frames = depth.shape[1]
    batch = {
        "prediction": maps["in.pred_disp"].double()[None, :, None],
        "depth": depth,
        "valid": (depth > 1e-3) & (depth < record["dmax"]),
        "intrinsics": maps["in.K"].expand(1, frames, 3, 3),
        "pose": maps["in.poses_c2w"][None],
    }
    return batch, record["results"], vda_alignment(far_m=record["dmax"])


def random_clip(frames=5, *, clips=1, seed=0):
    generator = torch.Generator().manual_seed(seed)
    depth = torch.empty(clips, 1, 1, 8, 10).uniform_(1.0, 6.0, generator=generator)
    depth = depth * torch.empty(clips, frames, 1, 1, 1).uniform_(0.98, 1.02, generator=generator)
    valid = torch.rand(depth.shape, generator=generator) < 0.9
    return depth, valid


@pytest.mark.parametrize("case", ["base", "drift", "empty_frame", "far"])
def test_tae_with_parity_equals_video_depth_anything(case):
    batch, results, alignment = load(case)
    metric = TemporalAlignmentError(alignment, parity=True)
    metric.update(**batch)
    found = metric.compute()["tae"].item()
    assert 100.0 * found == pytest.approx(results["vda.eval_TAE"], rel=1e-7)
    ours = TemporalAlignmentError(alignment)
    ours.update(**batch)
    assert ours.compute()["tae"].item() == pytest.approx(found, rel=0.2)


@pytest.mark.parametrize("case", ["single_frame", "all_invalid"])
def test_tae_counts_clips_that_have_none(case):
    batch, _, alignment = load(case)
    metric = TemporalAlignmentError(alignment)
    metric.update(**batch)
    assert metric.compute()["tae"].isnan()
    assert metric.compute()["num_clips_without_pairs"] == 1


@pytest.mark.parametrize("case", ["base", "drift", "empty_frame", "far"])
def test_clip_errors_equal_video_depth_anything_and_depthcrafter(case):
    batch, results, alignment = load(case)
    metric = DepthErrors(alignment, min_pixels=1)
    metric.update(batch["prediction"], batch["depth"], batch["valid"])
    found = metric.compute()
    names = {
        "abs_rel": "abs_relative_difference",
        "delta1": "delta1_acc",
        "rmse": "rmse_linear",
    }
    for source in ("vda.eval_depthcrafter", "depthcrafter.eval_single.depth"):
        for ours, theirs in names.items():
            assert found[ours].item() == pytest.approx(results[source][theirs], rel=1e-6), source


def test_splat_of_a_still_camera_is_the_map_itself():
    depth = torch.empty(1, 7, 9).uniform_(1.0, 4.0)
    k = intrinsics_from_fov(7, 9, horizontal_fov_deg=70.0)
    for zbuffer in (True, False):
        assert torch.equal(splat_depth(depth, k, k, torch.eye(4), zbuffer=zbuffer), depth)


def test_splat_keeps_the_nearest_and_drops_what_is_behind():
    depth = torch.tensor([[[2.0, 4.0]]])
    k = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    onto_one = torch.diag(torch.tensor([0.0, 1.0, 1.0, 1.0]))
    assert splat_depth(depth, k, k, onto_one).tolist() == [[[2.0, 0.0]]]
    assert splat_depth(depth, k, k, onto_one, zbuffer=False).tolist() == [[[4.0, 0.0]]]
    back = torch.eye(4)
    back[2, 3] = -3.0
    assert splat_depth(depth, k, k, onto_one @ back).tolist() == [[[1.0, 0.0]]]


def test_tae_of_a_wall_moving_with_the_camera_is_its_step():
    frames = 4
    depth = torch.arange(4.0, 4.0 - frames, -1.0).reshape(frames, 1, 1, 1).expand(-1, 1, 9, 9)
    k = intrinsics_from_fov(9, 9, horizontal_fov_deg=60.0).expand(frames, 3, 3)
    pose = torch.eye(4).repeat(frames, 1, 1)
    pose[:, 2, 3] = torch.arange(frames)  # one metre forward a frame
    assert temporal_alignment_error(depth, k, pose) < 1e-6
    still = torch.eye(4).expand(frames, 4, 4)
    pairs = [(4, 3), (3, 2), (2, 1)]
    expected = np.mean([(1 / near + 1 / far) / 2 for far, near in pairs])
    assert temporal_alignment_error(depth, k, still) == pytest.approx(expected)


def test_tae_leaves_out_pairs_without_overlap_and_parity_calls_them_perfect():
    depth = torch.full((3, 1, 5, 5), 2.0)
    depth[2] = 3.0
    k = intrinsics_from_fov(5, 5, horizontal_fov_deg=60.0).expand(3, 3, 3)
    pose = torch.eye(4).repeat(3, 1, 1)
    pose[0, 0, 3] = 100.0
    apart = temporal_alignment_error(depth, k, pose)
    assert apart == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert temporal_alignment_error(depth, k, pose, parity=True) == pytest.approx(apart / 2)


def posed_clip(frames=6):
    """A rough wall that a camera moves along, with a prediction that flickers."""
    depth, valid = random_clip(frames)
    k = intrinsics_from_fov(8, 10, horizontal_fov_deg=60.0).expand(1, frames, 3, 3)
    pose = torch.eye(4).repeat(1, frames, 1, 1)
    pose[0, :, 0, 3] = torch.arange(frames)
    noise = torch.rand(depth.shape, generator=torch.Generator().manual_seed(2))
    return {
        "prediction": depth * (1.0 + 0.2 * noise),
        "depth": depth,
        "valid": valid,
        "intrinsics": k,
        "pose": pose,
    }


def test_tae_leaves_out_pairs_with_a_lost_pose_and_counts_their_clips():
    batch = posed_clip()
    batch["pose"][0, 2] = torch.nan
    metric = TemporalAlignmentError(AS_IS)
    metric.update(**batch)
    found = metric.compute()
    one = {name: value[0] for name, value in batch.items()}
    aligned = AS_IS(batch["prediction"], batch["depth"], batch["valid"])[0]
    parts = [
        temporal_alignment_error(aligned[part], one["intrinsics"][part], one["pose"][part])
        for part in (slice(0, 2), slice(3, 6))
    ]
    assert found["tae"].item() == pytest.approx((parts[0] + 2 * parts[1]).item() / 3, rel=1e-9)
    assert found["num_clips_with_lost_poses"] == 1
    assert found["num_clips_without_pairs"] == 0
    batch["pose"][:] = torch.inf
    metric.reset()
    metric.update(**batch)
    assert metric.compute()["tae"].isnan()
    assert metric.compute()["num_clips_without_pairs"] == 1


def test_tae_of_some_frames_is_that_of_the_clip_cut_to_them():
    batch = posed_clip(8)
    alignment = Alignment(space="depth")
    some, cut = TemporalAlignmentError(alignment, frames=(2, 6)), TemporalAlignmentError(alignment)
    some.update(**batch)
    cut.update(**{name: value[:, 2:6] for name, value in batch.items()})
    assert some.compute() == cut.compute()
    short = TemporalAlignmentError(alignment, frames=(8, 12))
    short.update(**batch)
    assert short.compute()["num_clips_without_pairs"] == 1
    for frames in ((3, 4), (-1, 5)):
        with pytest.raises(ValueError, match="frames must be a first frame from 0 and a later end"):
            TemporalAlignmentError(frames=frames)


def test_temporal_gradient_equals_numpy_and_ignores_a_constant_error():
    depth, valid = random_clip()
    noise = 0.1 * torch.randn(depth.shape, generator=torch.Generator().manual_seed(1))
    p, g, m = ((x[0, :, 0].double().numpy()) for x in (depth + noise, depth, valid))
    both = (m[1:] > 0) & (m[:-1] > 0)
    expected = np.abs(np.diff(p, axis=0) - np.diff(g, axis=0))[both].mean()
    maps = depth[0] + noise[0], depth[0], valid[0]
    assert temporal_gradient_error(*maps).item() == pytest.approx(expected, rel=1e-6)
    assert temporal_gradient_error(depth[0] + 1.0, *maps[1:]) < 1e-6


def test_temporal_gradient_leaves_out_what_truly_moves():
    depth = torch.full((2, 1, 1, 2), 4.0)
    depth[1, ..., 1] = 5.0
    prediction, valid = torch.full_like(depth, 4.0), torch.ones_like(depth).bool()
    assert temporal_gradient_error(prediction, depth, valid) == 0.0
    assert temporal_gradient_error(prediction, depth, valid, max_change=None) == 0.5


def test_flow_warping_equals_opencv_remap():
    generator = torch.Generator().manual_seed(0)
    depth = torch.empty(2, 1, 9, 11).uniform_(1.0, 3.0, generator=generator)
    image = torch.rand(2, 3, 9, 11, generator=generator) * 0.1
    flow = torch.empty(1, 2, 9, 11).uniform_(-2.0, 2.0, generator=generator)
    v, u = np.mgrid[:9, :11].astype(np.float32)
    place = u + flow[0, 0].numpy(), v + flow[0, 1].numpy()
    inside = (place[0] >= 0) & (place[0] <= 10) & (place[1] >= 0) & (place[1] <= 8)

    def fetch(values):
        return cv2.remap(values, *place, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    colour = sum((image[1, c].numpy() - fetch(image[0, c].numpy())) ** 2 for c in range(3))
    weight = np.exp(-50.0 * colour) * inside
    error = np.abs(depth[1, 0].numpy() - fetch(depth[0, 0].numpy()))
    expected = (weight * error).sum() / weight.sum()
    found = flow_warping_error(depth, image, flow).item()
    assert found == pytest.approx(expected, rel=2e-2)  # OpenCV rounds places to 1/32 pixel


def test_flow_warping_follows_the_flow():
    pattern = torch.rand(1, 1, 6, 9, generator=torch.Generator().manual_seed(0)) + 1.0
    depth = torch.cat([pattern, pattern.roll(2, dims=-1)])
    flow = torch.zeros(1, 2, 6, 9)
    flow[:, 0] = -2.0
    assert flow_warping_error(depth, depth.expand(-1, 3, -1, -1), flow) < 1e-6
    assert flow_warping_error(depth, torch.zeros(2, 3, 6, 9), torch.zeros_like(flow)) > 0.1
    away = torch.full_like(flow, 99.0)
    assert flow_warping_error(depth, torch.zeros(2, 3, 6, 9), away).isnan()
    with pytest.raises(ValueError, match=r"flow must have shape \(1, 2, 6, 9\)"):
        flow_warping_error(depth, torch.zeros(2, 3, 6, 9), flow[:0])


def test_drift_is_the_spread_of_the_frames_scales_and_shifts():
    depth, valid = random_clip(4)
    factor = torch.tensor([0.8, 1.0, 1.25, 2.0])
    found = scale_and_shift_drift(depth[0] / factor.reshape(4, 1, 1, 1), depth[0], valid[0])
    spread = factor.double().std(correction=0) / factor.mean()
    assert found["scale_drift"].item() == pytest.approx(spread.item(), rel=1e-6)
    assert found["shift_drift"] < 1e-6
    moved = depth[0] + torch.tensor([0.0, 1.0, 0.0, 1.0]).reshape(4, 1, 1, 1)
    found = scale_and_shift_drift(moved, depth[0], valid[0])
    assert found["shift_drift"].item() == pytest.approx(0.5, rel=1e-5)


def test_drift_leaves_out_frames_without_truth():
    depth, valid = random_clip(4)
    valid[:, 2] = False
    found = scale_and_shift_drift(depth[0], depth[0], valid[0])
    assert found["scale_drift"] < 1e-6
    valid[:, 1:] = False
    assert scale_and_shift_drift(depth[0], depth[0], valid[0])["scale_drift"].isnan()


def test_seams_jump_where_windows_meet():
    depth, valid = random_clip(12)
    factor = torch.ones(12)
    factor[4:7], factor[7:] = 1.1, 1.1**2
    factor[2] = 1.01
    prediction = depth[0] * factor.reshape(12, 1, 1, 1)
    found = seam_jump(prediction, depth[0], valid[0], first=4, step=3)
    log = np.log(1.1)
    assert found["seam_jump"].item() == pytest.approx(2 * log / 3, rel=1e-5)  # 4, 7 and 10
    assert found["other_jump"].item() == pytest.approx(2 * np.log(1.01) / 8, rel=1e-4)
    assert seam_jump(prediction, depth[0], valid[0], first=12, step=3)["seam_jump"].isnan()


@pytest.mark.parametrize("kind", [Drift, SeamJump, TemporalGradientError, FlowWarpingError])
def test_whole_clips_are_averaged_and_those_without_pairs_counted(kind):
    depth, valid = random_clip(20, clips=3)
    valid[2] = False
    prediction = depth * torch.linspace(0.9, 1.1, 20).reshape(20, 1, 1, 1)
    batch = {
        "prediction": prediction,
        "depth": depth,
        "valid": valid,
        "image": torch.zeros(3, 20, 3, 8, 10),
        "flow": torch.zeros(3, 19, 2, 8, 10),
    }
    metric, first = kind(AS_IS), kind(AS_IS)
    metric.update(**metric._filter_kwargs(**batch))
    found = metric.compute()
    assert found["num_clips_without_pairs"] == 1
    parts = []
    for index in (0, 1):
        one = {name: value[index : index + 1] for name, value in batch.items()}
        first.reset()
        first.update(**first._filter_kwargs(**one))
        parts.append(first.compute()[metric.names[0]])
    assert found[metric.names[0]].item() == pytest.approx(np.mean(parts), rel=1e-12)
    assert found[metric.names[0]] > 0.0
    single = {name: value[:, : 0 if name == "flow" else 1] for name, value in batch.items()}
    metric.reset()
    metric.update(**metric._filter_kwargs(**single))
    assert metric.compute()["num_clips_without_pairs"] == 3


@pytest.mark.parametrize("kind", [Drift, TemporalGradientError])
def test_a_broken_prediction_shows(kind):
    depth, valid = random_clip(4)
    metric = kind(AS_IS)
    metric.update(torch.full_like(depth, torch.nan), depth, valid)
    found = metric.compute()
    assert found[metric.names[0]].isnan()
    assert found["num_clips_without_pairs"] == 0


def test_bad_arguments_are_named():
    depth, valid = random_clip()
    with pytest.raises(ValueError, match="must be clips"):
        Drift().update(depth[0], depth[0], valid[0])
    with pytest.raises(ValueError, match="first and step must be at least 1, got 0 and 13"):
        SeamJump(first=0)
    with pytest.raises(ValueError, match="max_change must be positive or None, got 0"):
        TemporalGradientError(max_change=0.0)


def test_one_fit_a_frame_hides_drift():
    depth, valid = random_clip(4)
    prediction = depth * torch.linspace(0.5, 1.5, 4).reshape(4, 1, 1, 1)
    whole, framewise = (Drift(Alignment(space="depth", scope=s)) for s in ("video", "image"))
    for metric in (whole, framewise):
        metric.update(prediction, depth, valid)
    assert whole.compute()["scale_drift"] > 0.1 > framewise.compute()["scale_drift"]
