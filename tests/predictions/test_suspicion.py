import pytest
import torch

from ppvd.predictions import Suspicions
from ppvd.protocols import LOG_CODE, METRES, Unit

GENERATOR = torch.Generator().manual_seed(0)
DEPTH = 1 + 9 * torch.rand(4, 1, 8, 10, generator=GENERATOR)
VALID = torch.rand(DEPTH.shape, generator=GENERATOR) > 0.2


def look(prediction, unit):
    suspicions = Suspicions(unit)
    suspicions.add(prediction, DEPTH, VALID)
    return suspicions


@pytest.mark.parametrize("space", ["depth", "disparity", "log"])
def test_honest_predictions_are_left_alone(space):
    values = {"depth": DEPTH, "disparity": 1 / DEPTH, "log": DEPTH.log1p()}[space]
    found = look(3 * values + 1, Unit(space=space))
    assert found.complaint() is None
    assert found.remark() is None
    assert look(1.4 * DEPTH, METRES).complaint() is None


def test_the_wrong_way_is_named():
    assert look(1 / DEPTH, Unit(space="depth")).complaint() == (
        "predictions run the wrong way: they are said to be affine in depth but fall with depth "
        "in 100% of the samples: say --unit disparity"
    )
    complaint = look(DEPTH, Unit(space="disparity")).complaint()
    assert "but grow with depth" in complaint
    assert complaint.endswith("say --unit depth")


@pytest.mark.parametrize(
    ("factor", "named"), [(1000.0, "millimetres"), (256.0, "1/256 m"), (100.0, "centimetres")]
)
def test_the_wrong_unit_is_named(factor, named):
    complaint = look(factor * DEPTH, METRES).complaint()
    assert f"about {factor:g} times the truth" in complaint
    assert named in complaint


def test_an_unknown_factor_is_told_and_not_guessed():
    complaint = look(17.0 * DEPTH, METRES).complaint()
    assert "about 17 times the truth: convert them" in complaint


def test_a_space_that_explains_more_is_remarked():
    remark = look(1 - 1 / DEPTH, Unit(space="depth")).remark()
    assert remark is not None
    assert "disparity explains 100%" in remark


def test_codes_of_ours_and_constant_maps_are_no_cause():
    assert look(-DEPTH, LOG_CODE).complaint() is None
    assert look(torch.ones_like(DEPTH), Unit(space="depth")).complaint() is None
