from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ppvd.geometry import DepthRange, DisparityCodec, LogDepthCodec

GOLDEN = Path(__file__).parents[1] / "golden" / "released"
CODECS = [LogDepthCodec(clamp=None), DisparityCodec(clamp=None)]


def scene(batch=3, height=24, width=32, *, seed=0, share=0.9):
    generator = torch.Generator().manual_seed(seed)
    depth = torch.empty(batch, 1, height, width).uniform_(0.3, 60.0, generator=generator)
    return depth, torch.rand(depth.shape, generator=generator) < share


def test_released_ground_truth_is_reproduced():
    golden = load_file(GOLDEN / "get_gt_a.safetensors")
    codec = LogDepthCodec(invalid_code=None)  # the released code has one state for all pixels
    code, _ = codec.encode(golden["in.depth"], golden["in.mask"].bool())
    torch.testing.assert_close(code, golden["out.latent"], rtol=0.0, atol=1e-6)


def test_released_sky_is_the_sky_code():
    golden = load_file(GOLDEN / "get_gt_a.safetensors")
    sky = (golden["in.depth"] == 81.0) & golden["in.mask"].bool()
    valid = golden["in.mask"].bool() & ~sky
    code, _ = LogDepthCodec().encode(golden["in.depth"], valid, sky=sky)
    assert sky.any()
    used = valid | sky
    torch.testing.assert_close(code[used], golden["out.latent"][used], rtol=0.0, atol=1e-6)


@pytest.mark.parametrize("codec", CODECS)
def test_decode_inverts_encode_at_valid_pixels(codec):
    depth, valid = scene()
    code, bounds = codec.encode(depth, valid)
    torch.testing.assert_close(codec.decode(code, bounds)[valid], depth[valid], rtol=1e-4, atol=0.0)


@pytest.mark.parametrize("codec", [LogDepthCodec(), DisparityCodec()])
def test_decode_inverts_encode_inside_the_clamp(codec):
    depth, valid = scene()
    code, bounds = codec.encode(depth, valid)
    low, high = codec.clamp
    inside = valid & (code > low - 0.5 + 1e-4) & (code < high - 0.5 - 1e-4)
    assert inside.sum() > 0.9 * valid.sum()
    assert (valid & ~inside).any()
    torch.testing.assert_close(
        codec.decode(code, bounds)[inside], depth[inside], rtol=1e-4, atol=0.0
    )


@pytest.mark.parametrize(
    ("codec", "unit"),
    [
        (LogDepthCodec(clamp=None), lambda d: np.log(d + 1.0)),
        (LogDepthCodec(clamp=None, offset_m=0.1), lambda d: np.log(d + 0.1)),
        (DisparityCodec(clamp=None), lambda d: 1.0 / d),
    ],
)
def test_code_is_equation_8_with_numpy_quantiles(codec, unit):
    depth, valid = scene()
    code, _ = codec.encode(depth, valid)
    for one, mask, got in zip(depth.double().numpy(), valid.numpy(), code.numpy(), strict=True):
        low, high = np.quantile(unit(one[mask]), codec.quantiles)
        expected = (unit(one[mask]) - low) / (high - low) - 0.5
        np.testing.assert_allclose(got[mask], expected, atol=2e-5)


def test_far_is_high_in_log_depth_and_low_in_disparity():
    depth, valid = torch.linspace(1.0, 10.0, 12).reshape(1, 1, 3, 4), torch.ones(1, 1, 3, 4).bool()
    log, _ = LogDepthCodec(clamp=None).encode(depth, valid)
    disparity, _ = DisparityCodec(clamp=None).encode(depth, valid)
    assert (log.flatten().diff() > 0).all()
    assert (disparity.flatten().diff() < 0).all()


def test_depths_from_far_m_on_do_not_move_the_range():
    depth, valid = scene(batch=1)
    _, bounds = LogDepthCodec().encode(depth, valid)
    farther = torch.cat([depth, torch.full_like(depth, 80.0)], dim=-1)
    _, same = LogDepthCodec().encode(farther, torch.cat([valid, torch.ones_like(valid)], dim=-1))
    assert torch.equal(bounds.low, same.low)
    assert torch.equal(bounds.high, same.high)


def test_a_map_wholly_beyond_far_m_has_the_range_of_its_own_pixels():
    depth = torch.linspace(100.0, 200.0, 12).reshape(1, 1, 3, 4)
    _, bounds = LogDepthCodec(quantiles=(0.0, 1.0)).encode(depth, torch.ones_like(depth).bool())
    assert bounds.low.item() == pytest.approx(np.log(101.0))
    assert bounds.high.item() == pytest.approx(np.log(201.0))


def test_each_pixel_state_has_its_code():
    depth = torch.tensor([1.0, 2.0, 0.0, 0.0]).reshape(1, 1, 2, 2)
    valid = torch.tensor([True, True, False, False]).reshape(1, 1, 2, 2)
    sky = torch.tensor([False, False, False, True]).reshape(1, 1, 2, 2)
    codec = LogDepthCodec(quantiles=(0.0, 1.0), invalid_code=-0.25, sky_code=0.75)
    code, _ = codec.encode(depth, valid, sky=sky)
    torch.testing.assert_close(code.flatten(), torch.tensor([-0.5, 0.5, -0.25, 0.75]))
    code, _ = codec.encode(depth, valid)
    assert code.flatten()[3] == -0.25


@pytest.mark.parametrize("codec", CODECS)
def test_nothing_valid_gives_the_range_zero_to_one(codec):
    depth, valid = scene(share=-1.0)
    code, bounds = codec.encode(depth, valid)
    assert (bounds.low == 0.0).all()
    assert (bounds.high == 1.0).all()
    assert (code == codec.invalid_code).all()
    assert codec.decode(code, bounds).isfinite().all()


@pytest.mark.parametrize("codec", CODECS)
def test_a_constant_map_lands_on_the_low_end_and_back(codec):
    depth = torch.full((2, 1, 4, 5), 3.7)
    code, bounds = codec.encode(depth, torch.ones_like(depth).bool())
    assert (code == -0.5).all()
    assert (bounds.high > bounds.low).all()
    torch.testing.assert_close(codec.decode(code, bounds), depth, rtol=1e-5, atol=0.0)


def test_one_valid_pixel_is_a_constant_map():
    depth, valid = scene(batch=1, share=-1.0)
    valid[0, 0, 3, 4] = True
    code, bounds = LogDepthCodec().encode(depth, valid)
    assert code[0, 0, 3, 4] == -0.5
    decoded = LogDepthCodec().decode(code, bounds)[0, 0, 3, 4]
    torch.testing.assert_close(decoded, depth[0, 0, 3, 4])


def test_clamp_bounds_the_code_of_an_almost_flat_map():
    depth = torch.full((1, 1, 20, 20), 2.0)
    depth[0, 0, 0, :2] = torch.tensor([1.0, 50.0])
    code, _ = LogDepthCodec().encode(depth, torch.ones_like(depth).bool())
    assert code[0, 0, 0, :2].tolist() == [-1.0, 0.5]


def test_a_clip_has_one_range_over_all_its_frames():
    depth, valid = scene(batch=6)
    clip, clip_valid = depth.reshape(2, 3, 1, 24, 32), valid.reshape(2, 3, 1, 24, 32)
    code, bounds = DisparityCodec().encode(clip, clip_valid)
    assert bounds.low.shape == (2, 1, 1, 1, 1)
    tall = clip.permute(0, 2, 1, 3, 4).reshape(2, 1, 72, 32)
    tall_valid = clip_valid.permute(0, 2, 1, 3, 4).reshape(2, 1, 72, 32)
    tall_code, _ = DisparityCodec().encode(tall, tall_valid)
    assert torch.equal(code.flatten(1), tall_code.flatten(1))


def test_images_of_a_batch_do_not_touch_each_other():
    depth, valid = scene()
    code, _ = LogDepthCodec().encode(depth, valid)
    alone, _ = LogDepthCodec().encode(depth[1:2], valid[1:2])
    assert torch.equal(code[1:2], alone)


@pytest.mark.parametrize("codec", CODECS)
def test_autocast_does_not_narrow(codec):
    depth, valid = scene()
    code, bounds = codec.encode(depth, valid)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast, cast_bounds = codec.encode(depth, valid)
        decoded = codec.decode(cast, cast_bounds)
    assert cast.dtype == decoded.dtype == torch.float32
    assert torch.equal(code, cast)
    assert torch.equal(codec.decode(code, bounds), decoded)


def test_halves_are_widened_and_float64_is_kept():
    depth, valid = scene()
    code, bounds = LogDepthCodec().encode(depth.bfloat16(), valid)
    assert code.dtype == bounds.low.dtype == torch.float32
    half = code.bfloat16()
    decoded = LogDepthCodec().decode(half, bounds)
    assert decoded.dtype == torch.float32
    assert torch.equal(decoded, LogDepthCodec().decode(half.float(), bounds))
    assert LogDepthCodec().encode(depth.double(), valid)[0].dtype == torch.float64


@pytest.mark.parametrize("codec", [LogDepthCodec(), DisparityCodec()])
def test_decoding_never_leaves_the_physical(codec):
    bounds = DepthRange(torch.full((1, 1, 1, 1), 0.1), torch.full((1, 1, 1, 1), 2.0))
    depth = codec.decode(torch.linspace(-9.0, 9.0, 50).reshape(1, 1, 5, 10), bounds)
    assert (depth >= 0.0).all()
    assert depth.isfinite().all()


@pytest.mark.parametrize("codec", [LogDepthCodec(), DisparityCodec()])
def test_codec_never_waits_for_the_device(codec, forbid_syncs):
    depth, valid = scene()
    with forbid_syncs():
        codec.decode(*codec.encode(depth, valid, sky=~valid))
    code, bounds = codec.encode(depth.to("meta"), valid.to("meta"))
    assert codec.decode(code, bounds).shape == depth.shape


def test_gradient_treats_the_range_as_given():
    depth, valid = scene(batch=1, share=2.0)
    depth.requires_grad_()
    code, bounds = LogDepthCodec(clamp=None).encode(depth, valid)
    code.sum().backward()
    expected = 1.0 / ((depth.detach() + 1.0) * (bounds.high - bounds.low))
    torch.testing.assert_close(depth.grad, expected)
    assert not bounds.low.requires_grad


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"quantiles": (0.9, 0.1)}, "quantiles must increase"),
        ({"quantiles": (-0.1, 0.9)}, "quantiles must increase"),
        ({"far_m": 0.0}, "far_m must be positive"),
        ({"clamp": (1.0, 0.0)}, "clamp must increase"),
        ({"offset_m": 0.0}, "offset_m must be positive"),
    ],
)
def test_bad_settings_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        LogDepthCodec(**arguments)


def test_bad_depth_limit_is_named():
    with pytest.raises(ValueError, match="max_depth_m must be positive metres, got -1"):
        DisparityCodec(max_depth_m=-1.0)


def test_bad_masks_are_named():
    depth, valid = scene()
    with pytest.raises(ValueError, match="valid must be a bool mask"):
        LogDepthCodec().encode(depth, valid.float())
    with pytest.raises(ValueError, match="sky must be a bool mask"):
        LogDepthCodec().encode(depth, valid, sky=valid[:1])


@pytest.mark.parametrize("codec", [LogDepthCodec(offset_m=0.5), DisparityCodec()])
def test_a_range_between_two_depths_has_them_at_its_ends(codec):
    bounds = codec.range_between(2.0, 7.0)
    assert bounds.low < bounds.high
    ends = codec.decode(torch.tensor([-0.5, 0.5]), bounds).sort().values
    torch.testing.assert_close(ends, torch.tensor([2.0, 7.0]))
    assert codec.unit == {LogDepthCodec: "log(depth + 0.5)"}.get(type(codec), "1 / depth")
