import pytest
import torch

from ppvd.geometry import Alignment
from ppvd.protocols import DISPARITY_CODE, LOG_CODE, METRES, Unit

DEPTH = torch.tensor([0.5, 2.0, 9.0])
VDA = Alignment(space="disparity", min_prediction=1e-3, far_m=10.0)


def test_a_prediction_is_aligned_where_it_is_affine_with_the_protocol_s_solver():
    wanted = Alignment(space="depth", solver="trimmed", far_m=80.0)
    used = LOG_CODE.alignment(wanted)
    assert (used.space, used.solver, used.far_m) == ("log", "trimmed", 80.0)
    assert Unit(space="depth").alignment(wanted) == wanted


def test_limits_of_a_disparity_hold_for_disparities_and_for_no_codes():
    assert Unit(space="disparity").alignment(VDA) == VDA
    for unit in (DISPARITY_CODE, LOG_CODE, Unit(space="depth")):
        assert unit.alignment(VDA).min_prediction is None


def test_metres_go_anywhere():
    assert METRES.alignment(VDA) == VDA
    expressed = {space: METRES.express(DEPTH, space) for space in ("depth", "disparity", "log")}
    assert torch.equal(expressed["depth"], DEPTH)
    torch.testing.assert_close(expressed["disparity"], 1 / DEPTH.double())
    torch.testing.assert_close(expressed["log"], DEPTH.double().log1p())
    assert torch.equal(LOG_CODE.express(DEPTH, "log"), DEPTH)


def test_only_metres_need_no_alignment():
    nothing = Alignment(space="depth", solver="none")
    assert METRES.alignment(nothing) == nothing
    with pytest.raises(ValueError, match="must be metres for a protocol without alignment"):
        DISPARITY_CODE.alignment(nothing)
    with pytest.raises(ValueError, match="metric must be unsigned depth, got log"):
        Unit(space="log", metric=True)


def test_a_unit_says_what_it_is():
    assert [str(unit) for unit in (METRES, DISPARITY_CODE, LOG_CODE)] == [
        "metres",
        "affine in 1 / depth",
        "affine in log(depth + 1)",
    ]
