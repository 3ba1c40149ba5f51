import json
from pathlib import Path

import pytest

from ppvd.geometry import working_size

GOLDEN = json.loads(
    (Path(__file__).parents[1] / "golden" / "released" / "sizes_a.json").read_text()
)


@pytest.mark.parametrize(
    ("rule", "pixels"),
    [
        ("resize_keep_aspect_hw", 1024 * 768),
        ("eval_finetune_hw", 1024 * 768),
        ("eval_pretrain_hw", 512 * 512),
    ],
)
def test_sizes_are_the_released_ones(rule, pixels):
    ours = [working_size(tuple(s), divisor=16, pixels=pixels) for s in GOLDEN["sizes_hw"]]
    assert ours == [tuple(s) for s in GOLDEN[rule]]


def test_a_size_that_fits_is_left_alone():
    assert working_size((48, 80), divisor=16) == (48, 80)
    assert working_size((50, 79), divisor=16) == (48, 80)
    assert working_size((3, 500), divisor=8) == (8, 496)


@pytest.mark.parametrize("bad", [{"size": (0, 5)}, {"divisor": 0}, {"pixels": -1}])
def test_nonsense_is_refused(bad):
    with pytest.raises(ValueError, match="must be positive"):
        working_size(**{"size": (8, 8), "divisor": 8, "pixels": None, **bad})
