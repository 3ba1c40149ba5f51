"""``ppvd shards stats`` and ``ppvd shards preview``."""

import re

import cv2
import pytest

from ppvd.cli import main as ppvd
from ppvd.cli.preview import COLUMNS, STATE_COLOURS, TILE_PX, draw_sheet
from ppvd.data.manifest import Manifest
from ppvd.data.plan import pieces
from ppvd.data.source import ShardSource
from ppvd.data.stream import read_pieces


def main(words):
    ppvd(["shards", *words])


def build(folder, *words):
    args = ["build", "synthetic", "--out", str(folder), "--size", "24", "36", *words]
    main(args)
    return folder


def samples(folder):
    shards = ShardSource(manifest=str(folder)).open()
    total = shards.num_samples
    return list(read_pieces(shards, list(pieces([total], start=0, stop=total)), on_bad=pytest.fail))


@pytest.fixture(scope="module")
def rooms(tmp_path_factory):
    return build(tmp_path_factory.mktemp("rooms"), "--count", "5")


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return build(tmp_path_factory.mktemp("clips"), "--count", "2", "--frames-per-clip", "4")


def test_a_report_says_what_is_there(clips, capsys):
    main(["stats", str(clips)])
    page = capsys.readouterr().out
    assert "train of synthetic" in page
    assert "2 of 4" in page
    assert "8 of 36x24" in page
    assert "no pictures are there more than once" in page
    shares = [float(share) for share in re.findall(r"([\d.]+) % (?:measured|sky|unknown)", page)]
    assert sum(shares) == pytest.approx(100, abs=0.2)
    bars = [float(share) for share in re.findall(r" m +([\d.]+) %", page)]
    assert sum(bars) == pytest.approx(100, abs=1)


def test_a_picture_in_two_sets_is_named_and_ends_with_1(rooms, tmp_path, capsys):
    other = build(tmp_path / "val", "--count", "2", "--split", "val")
    main(["stats", str(rooms), str(other)])
    same = build(tmp_path / "same", "--count", "2")  # The first two of the five, again.
    with pytest.raises(SystemExit) as stopped:
        main(["stats", str(rooms), str(same)])
    assert stopped.value.code == 1
    page = capsys.readouterr().out
    assert "2 pictures are there more than once" in page
    key = samples(same)[0].key
    assert f"{rooms}: {key} = {same}: {key}" in page


def test_a_sheet_is_written(rooms, tmp_path, capsys):
    main(["preview", str(rooms), "--out", str(tmp_path / "sheet.png"), "--samples", "3"])
    assert "3 of 5 samples" in capsys.readouterr().out
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet.shape[1] > COLUMNS * TILE_PX
    assert Manifest.load(rooms).num_samples == 5  # The set itself is left as it was.


def test_samples_are_spread_over_the_set(rooms):
    from ppvd.cli.preview import _chosen

    keys = [raw.key for raw in samples(rooms)]
    manifest = Manifest.load(rooms)
    assert [raw.key for raw in _chosen(manifest, str(rooms), 2)] == [keys[0], keys[2]]
    assert [raw.key for raw in _chosen(manifest, str(rooms), 99)] == keys


def test_states_are_drawn_in_their_colours(rooms):
    raw = next(raw for raw in samples(rooms))
    sheet = draw_sheet([raw])
    colours = {tuple(colour) for colour in sheet.reshape(-1, 3).tolist()}
    assert STATE_COLOURS[1] in colours


def test_a_clip_is_a_strip_of_its_own(clips):
    one, two = (draw_sheet(samples(clips)[:count]) for count in (1, 2))
    assert one.shape[1] == two.shape[1]
    assert two.shape[0] > 1.8 * one.shape[0]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["preview", "nowhere"], "manifest nowhere must exist"),
        (["stats", "nowhere"], "manifest nowhere must exist"),
        (["preview", "nowhere", "--samples", "0"], "samples must be at least 1, got 0"),
    ],
)
def test_a_mistake_is_a_sentence(args, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(args)
    assert stopped.value.code == 1
    assert message in capsys.readouterr().err
