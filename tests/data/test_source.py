import pytest

from ppvd.data.errors import ShardError
from ppvd.data.source import ShardSource, located


@pytest.mark.parametrize(
    ("value", "place", "expected"),
    [
        (None, "$PPVD_DATA/hypersim/train", "data_shards/hypersim/train"),
        ("", "$PPVD_DATA/hypersim/train", "data_shards/hypersim/train"),
        ("/disk/sets/", "$PPVD_DATA/hypersim/train", "/disk/sets/hypersim/train"),
        ("s3://bucket/ppvd", "$PPVD_DATA/irs/train", "s3://bucket/ppvd/irs/train"),
        ("/disk", "$PPVD_DATA", "/disk"),
        ("/disk", "data_shards/demo/train", "data_shards/demo/train"),
        ("/disk", "$PPVD_DATA_2/x", "$PPVD_DATA_2/x"),
        ("/disk", "x/$PPVD_DATA/y", "x/$PPVD_DATA/y"),
    ],
)
def test_one_variable_moves_every_set(monkeypatch, value, place, expected):
    if value is None:
        monkeypatch.delenv("PPVD_DATA", raising=False)
    else:
        monkeypatch.setenv("PPVD_DATA", value)
    assert located(place) == expected


def test_a_set_is_opened_where_the_variable_says(build, monkeypatch):
    folder = build()
    monkeypatch.setenv("PPVD_DATA", str(folder.parent))
    shards = ShardSource(manifest=f"$PPVD_DATA/{folder.name}").open()
    assert (shards.num_samples, shards.root) == (10, str(folder))
    rooted = ShardSource(manifest=str(folder), root=f"$PPVD_DATA/{folder.name}").open()
    assert rooted.root == str(folder)


def test_a_set_that_is_not_there_is_named_by_its_whole_path(monkeypatch):
    monkeypatch.setenv("PPVD_DATA", "/nowhere")
    with pytest.raises(ShardError, match="/nowhere/hypersim/train must exist"):
        ShardSource(manifest="$PPVD_DATA/hypersim/train").open()
