from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ppvd.geometry import WindowChain, fit_affine

GOLDEN = Path(__file__).parents[1] / "golden" / "released" / "align_video_a.safetensors"
KEYFRAMES = (0, 8, 15)


@pytest.fixture(scope="module")
def golden():
    return load_file(GOLDEN)


def chained(windows, **options):
    chain = WindowChain(KEYFRAMES, **options)
    return torch.cat([chain(window) for window in windows]), chain


def test_the_chain_is_the_released_one(golden):
    aligned, _ = chained(golden["in.windows"])
    expected = golden["out.aligned"]
    assert aligned.shape == (55, 1, 12, 10)
    assert (aligned[:, 0] - expected).abs().max() < 2e-5 * expected.std()


def test_the_fit_is_the_released_one(golden):
    source, target = golden["in.p"].double()[None], golden["in.t"].double()[None]
    fit = fit_affine(source, target, torch.ones_like(source, dtype=torch.bool))
    found = torch.stack([fit.scale, fit.shift]).flatten().float()
    torch.testing.assert_close(found, golden["out.scale_shift"], rtol=1e-5, atol=1e-6)


def windows_of(video, scales, shifts):
    """Cut a video as the plan does, each window on a scale of its own."""
    starts = range(0, len(video) - 15, 13)
    rows, opening = [], None
    for number, start in enumerate(starts):
        window = video[start : start + 16].clone()
        if opening is not None:
            window[:3] = opening
        opening = window[list(KEYFRAMES)]
        rows.append(scales[number] * window + shifts[number])
    return rows


def test_whatever_the_windows_scales_the_video_has_one():
    video = torch.rand(42, 1, 6, 5, generator=torch.Generator().manual_seed(0))
    windows = windows_of(video, (1.0, 0.3, 2.5), (0.0, -0.4, 0.7))
    aligned, chain = chained(windows)
    torch.testing.assert_close(aligned, video, rtol=0, atol=1e-5)
    assert [fit.scale.item() for fit in chain.fits] == pytest.approx([1, 1 / 0.3, 1 / 2.5])


@pytest.mark.parametrize("scale", [-1.0, 0.05, 25.0])
def test_a_fit_that_turns_depth_over_or_explodes_is_replaced_by_a_shift(scale):
    video = torch.rand(29, 1, 6, 5, generator=torch.Generator().manual_seed(0))
    windows = windows_of(video, (1.0, scale), (0.0, 0.2))
    aligned, chain = chained(windows)
    assert chain.fits[1].scale.item() == 1
    middle = windows[1][:3].mean() + chain.fits[1].shift
    torch.testing.assert_close(middle.squeeze().float(), windows[0][list(KEYFRAMES)].mean())
    torch.testing.assert_close(aligned[16:] - aligned[16], windows[1][3:] - windows[1][3])


def test_a_flat_window_joins_without_a_step_where_the_released_code_leaves_one(golden):
    """There the singular fit is (1, 0): a step of any height at the seam."""
    assert golden["out.scale_shift_degenerate"].tolist() == [1, 0]
    windows = [torch.full((16, 1, 4, 4), 0.3), torch.full((16, 1, 4, 4), -0.2)]
    aligned, _ = chained(windows)
    torch.testing.assert_close(aligned, torch.full_like(aligned, 0.3))


def test_a_limit_that_lets_nothing_through_is_refused():
    with pytest.raises(ValueError, match="max_scale must be above 1, got 1"):
        WindowChain(KEYFRAMES, max_scale=1)


def test_a_restored_chain_goes_on_as_if_it_had_not_stopped():
    video = torch.rand(42, 1, 6, 5, generator=torch.Generator().manual_seed(0))
    windows = windows_of(video, (1.0, 0.3, 2.5), (0.0, -0.4, 0.7))
    whole, chain = chained(windows)
    for stop in range(4):
        begun, restored = WindowChain(KEYFRAMES), WindowChain(KEYFRAMES)
        for window in windows[:stop]:
            begun(window)
        restored.restore(begun.state(), device=torch.device("cpu"))
        assert len(restored.fits) == stop
        rest = [restored(window) for window in windows[stop:]]
        if rest:
            assert torch.equal(torch.cat(rest), whole[-len(torch.cat(rest)) :])
        for name, tensor in restored.state().items():
            assert torch.equal(tensor, chain.state()[name])


def test_seams_say_what_no_scale_and_shift_explains():
    video = torch.rand(42, 1, 6, 5, generator=torch.Generator().manual_seed(0))
    windows = windows_of(video, (1.0, 0.3, 2.5), (0.0, -0.4, 0.7))
    noise = torch.randn(3, 1, 6, 5, generator=torch.Generator().manual_seed(1))
    windows[2][:3] += 0.1 * noise
    _, chain = chained(windows)
    fitted = chain.fits[2].scale * windows[2][:3] + chain.fits[2].shift
    rest = (fitted - video[[0, 21, 28]]).square().mean().sqrt()
    assert float(chain.seams[0]) == 0.0
    assert float(chain.seams[1]) < 1e-6
    assert float(chain.seams[2]) == pytest.approx(float(rest), rel=1e-4)
    assert float(rest) > 0.01
