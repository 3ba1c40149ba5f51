from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from ppvd.data.doctor import diagnose
from ppvd.data.errors import SampleError, ShardError
from ppvd.data.raw import NO_FILE, RawSource, Shot, Taken
from ppvd.data.schema import Split
from ppvd.data.sources.synthetic import render_frame


@dataclass(frozen=True, kw_only=True)
class Hypersim(RawSource):
    """Rendered rooms in place of the data set of this name, spoilt as asked for."""

    factor: float = 1.0
    ray_length: bool = False
    unreadable: tuple[int, ...] = ()
    empty: tuple[int, ...] = ()
    rough: bool = False
    refused: tuple[str, ...] = ()
    count: int = 8
    taken_frames: ClassVar[list[int]] = []

    dataset: ClassVar[str] = "rooms"
    licence: ClassVar[str] = "none"
    splits: ClassVar[tuple[Split, ...]] = ("train", "val")

    def shots(self):
        if self.split in self.refused:
            raise ShardError("a table is missing")
        for number in range(self.count if self.split == "train" else 0):
            file = Path(f"{number}.png")
            shot = Shot(scene="s", sequence="s", number=number, image=file, depth=file)
            yield replace(shot, depth=NO_FILE, fault="no depth") if number == 5 else shot

    def take(self, shot):
        self.taken_frames.append(shot.number)
        if shot.number in self.unreadable:
            raise SampleError("damaged within")
        frame = render_frame(shot.number, size=(120, 160))
        depth = np.zeros_like(frame.depth) if shot.number in self.empty else frame.depth
        if self.ray_length:
            rows, columns = np.mgrid[:120, :160]
            pixels = np.stack([columns, rows, np.ones_like(rows)], -1)
            rays = pixels @ np.linalg.inv(frame.intrinsics).T
            depth = (depth * np.linalg.norm(rays, axis=-1)).astype(np.float32)
        if self.rough:
            depth = depth * np.random.default_rng(0).normal(1, 0.05, depth.shape)
        depth = (depth * self.factor).astype(np.float32)
        return Taken(frame=replace(frame, depth=depth, valid=depth > 0), picture=None)


@pytest.fixture
def rooms(tmp_path):
    Hypersim.taken_frames.clear()
    for number in range(8):
        (tmp_path / f"{number}.png").write_bytes(b"not looked into here")

    def rooms(**options):
        found = diagnose([Hypersim(raw=tmp_path, split=s, **options) for s in Hypersim.splits])
        return found, list(found.sentences())

    return rooms


def test_a_download_that_is_well_has_no_fault_but_what_it_lacks(rooms):
    found, faults = rooms()
    assert faults == ["1 x no depth: rooms/s/000005"]
    assert (found.frames, found.read) == (8, 7)
    assert "train: 8 frames" in found.notes
    assert any("7 frames read (160x120)" in note for note in found.notes)
    assert any("say that depth is planar" in note for note in found.notes)


@pytest.mark.parametrize("factor", [100, 1000, 0.01, 0.001])
def test_a_wrong_unit_is_noticed(rooms, factor):
    _, faults = rooms(factor=factor)
    assert any("wrong unit" in fault and "0.3 to 20 m away" in fault for fault in faults)


def test_the_length_of_the_ray_is_told_from_depth(rooms):
    _, faults = rooms(ray_length=True)
    assert any(fault.startswith("1 x ray length where planar depth") for fault in faults)


def test_without_flat_surfaces_nothing_is_said_of_planes(rooms):
    found, faults = rooms(rough=True, ray_length=True)
    assert "too few flat surfaces to tell planar depth from the ray's length" in found.notes
    assert not any("ray length" in fault for fault in faults)


def test_frames_that_cannot_be_read_or_hold_nothing_are_named(rooms):
    found, faults = rooms(unreadable=(1, 2), empty=(3,))
    assert "2 x frame that cannot be read: rooms/s/000001 (damaged within)" in faults[0]
    assert any(fault.startswith("1 x frame without any valid depth") for fault in faults)
    assert found.read == 5


def test_a_file_that_is_not_there_or_broken_is_named_though_its_frame_is_not_read(tmp_path, rooms):
    (tmp_path / "7.png").unlink()
    (tmp_path / "4.png").write_bytes(b"\x89PNG\r\n and no end")
    _, faults = rooms()
    assert "1 x it is missing: 7.png" in faults
    assert "1 x it is a PNG that breaks off: 4.png" in faults


def test_frames_to_read_are_spread_evenly(tmp_path, rooms):
    rooms()
    Hypersim.taken_frames.clear()
    diagnose([Hypersim(raw=tmp_path)], num_frames=3)
    assert Hypersim.taken_frames == [0, 3, 7]
    Hypersim.taken_frames.clear()
    steps = []
    diagnose([Hypersim(raw=tmp_path)], num_frames=None, advance=steps.append)
    assert Hypersim.taken_frames == [0, 1, 2, 3, 4, 6, 7]
    assert sum(steps) == 8 + 7  # Files and frames.


def test_a_split_that_cannot_be_listed_is_said_once_and_alone_if_none_can(rooms):
    _, faults = rooms(refused=("val",))
    assert "1 x split that cannot be listed: val (a table is missing)" in faults
    with pytest.raises(ShardError, match=r"^a table is missing$"):
        rooms(refused=("train", "val"))


def test_nothing_at_all_is_a_mistake(tmp_path):
    with pytest.raises(ShardError, match="must hold frames"):
        diagnose([Hypersim(raw=tmp_path, count=0)])
