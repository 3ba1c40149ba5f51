from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ppvd.data.archive import read_samples
from ppvd.data.augment import Augment
from ppvd.data.decode import decode
from ppvd.data.errors import BadSampleError
from ppvd.data.loader import ShardLoader
from ppvd.data.source import ShardSource
from ppvd.data.stream import EvalStream, TrainStream


@pytest.fixture
def stream(build):
    shards = ShardSource(manifest=str(build(count=14, shard=5))).open()
    return TrainStream(
        sources={"toys": shards},
        weights={"toys": 1.0},
        size=(8, 8),
        batch_size=2,
        num_batches=7,
        seed=0,
        augment=None,
        shuffle_buffer=3,
        max_bad_fraction=0.0,
    )


def loader(stream, *, num_workers=0, rank=0, world=1):
    return ShardLoader(stream, rank=rank, world=world, num_workers=num_workers, pin_memory=False)


def keys(batches):
    return [tuple(batch["key"]) for batch in batches]


def test_an_epoch_may_be_announced_after_the_iterator_was_asked_for(stream):
    batches, other = loader(stream), loader(stream)
    iter(batches)
    iterator = iter(batches)
    batches.set_epoch(3)
    other.set_epoch(3)
    assert keys(iterator) == keys(other) != keys(loader(stream))


@pytest.mark.parametrize("num_workers", [0, 2])
def test_samples_left_out_are_counted_wherever_they_are_read(stream, num_workers):
    root = Path(stream.sources["toys"].root)
    for entry in stream.sources["toys"].manifest.shards[:2]:
        whole = (root / entry.file).read_bytes()
        (root / entry.file).write_bytes(whole.replace(b"\xff\xd8\xff", b"\xff\xd8\xfe", 1))
    batches = loader(replace(stream, max_bad_fraction=0.4), num_workers=num_workers)
    assert batches.num_bad == 0
    for epoch in range(1, 3):
        assert len(keys(batches)) == 7
        assert batches.num_bad == 2 * epoch


@pytest.mark.parametrize("num_workers", [0, 2])
def test_the_length_is_the_number_of_batches(stream, num_workers):
    batches = loader(stream, num_workers=num_workers)
    assert len(batches) == 7
    for _ in range(2):
        read = keys(batches)
        assert len(read) == 7
        assert len({key for batch in read for key in batch}) == 14


def test_workers_that_live_on_see_the_next_epoch(stream):
    batches = loader(stream, num_workers=2)
    first, second = keys(batches), keys(batches)
    assert first != second
    batches.sampler.set_epoch(0)
    assert keys(batches) == first
    batches.set_epoch(1)
    assert keys(batches) == second


def test_workers_start_after_opencv_has_used_threads(stream):
    cv2.setNumThreads(2)
    cv2.GaussianBlur(np.zeros((512, 512), np.float32), (9, 9), 2.0)
    assert len(keys(loader(stream, num_workers=2))) == 7


def test_processes_yield_what_one_would(stream):
    parallel = loader(stream, num_workers=2)
    expected = [None] * 7
    for worker in range(2):
        reader = parallel._dataset.reader(worker, 2)
        expected[worker::2] = keys(stream.read(epoch=0, reader=reader))
    assert keys(parallel) == expected


def test_an_evaluation_is_whole_with_more_workers_than_samples(build):
    shards = ShardSource(manifest=str(build(count=1))).open()
    batches = loader(EvalStream(name="a", shards=shards, batch_size=2), num_workers=2)
    assert len(batches) == 1
    assert keys(batches) == [("toy/000000",)]


def test_a_bad_shard_stops_the_loader_with_its_name(stream):
    shards = stream.sources["toys"]
    victim = shards.manifest.shards[1].file
    with open(f"{shards.root}/{victim}", "ab") as file:  # noqa: PTH123
        file.write(b"\0")
    with pytest.raises(ValueError, match=victim):
        keys(loader(stream, num_workers=1))


def test_tensors_cross_from_the_workers_whole(stream):
    (one, *_), (two, *_) = loader(stream), loader(stream, num_workers=1)
    assert torch.equal(one["codes"], two["codes"])
    assert torch.equal(one["image"], two["image"])


@pytest.mark.parametrize(("num_workers", "stops"), [(0, range(8)), (2, (3, 4))])
@pytest.mark.parametrize("world", [1, 2])
def test_an_epoch_goes_on_at_any_batch(stream, num_workers, stops, world):
    stream = replace(stream, augment=Augment(), num_batches=7 // world)
    whole = list(loader(stream, num_workers=num_workers, rank=world - 1, world=world))
    begun = loader(stream, num_workers=num_workers, world=world)
    for stop in stops:
        begun.set_epoch(0)
        assert len(list(islice(begun, stop))) == min(stop, len(whole))
        rest = loader(stream, num_workers=num_workers, rank=world - 1, world=world)
        rest.load_state_dict(begun.state_dict())  # Only the first rank's state is ever saved.
        rest.set_epoch(0)
        expected = whole[stop:] or whole
        for batch, other in zip(rest, expected, strict=True):
            assert batch["key"] == other["key"]
            assert torch.equal(batch["image"], other["image"])
        assert len(rest) == len(whole)


def test_after_a_continued_epoch_comes_the_next_one(stream):
    whole, rest = loader(stream, num_workers=2), loader(stream, num_workers=2)
    first, second = keys(whole), keys(whole)
    rest.load_state_dict({"epoch": 0, "num_batches": 4, **rest._plan()})
    assert keys(rest) == first[4:]
    assert keys(rest) == second
    rest.load_state_dict({"epoch": 0, "num_batches": 7, **rest._plan()})
    assert keys(rest) == second


def test_another_epoch_is_announced_and_begun_from_its_start(stream):
    rest = loader(stream)
    rest.load_state_dict({"epoch": 0, "num_batches": 4, **rest._plan()})
    rest.set_epoch(3)
    assert len(keys(rest)) == 7
    assert rest.state_dict()["epoch"] == 3


def test_a_continuation_by_another_plan_is_told(stream, caplog):
    begun = loader(stream)
    next(iter(begun))
    for other in (stream, replace(stream, batch_size=1)):
        rest = loader(other, num_workers=int(other is stream))
        rest.load_state_dict(begun.state_dict())
        assert "continued by another plan" in caplog.text
        assert len(keys(rest)) == 6
        caplog.clear()


def test_the_run_s_chance_is_its_own(stream):
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    keys(loader(stream))
    assert torch.rand(1) == expected


def test_bad_samples_are_replaced_alike_in_a_continued_epoch(stream, monkeypatch):
    stream = replace(stream, max_bad_fraction=0.5)

    def fail_on_some(raw, *, frame=0):
        if raw.key in {"toy/000003", "toy/000008"}:
            raise BadSampleError("no picture")
        return decode(raw, frame=frame)

    monkeypatch.setattr("ppvd.data.stream.decode", fail_on_some)
    whole = keys(loader(stream))
    for stop in range(1, 7):
        rest = loader(stream)
        rest.load_state_dict({"epoch": 0, "num_batches": stop, **rest._plan()})
        assert keys(rest) == whole[stop:]


def test_most_of_what_was_used_is_not_read_again(stream, monkeypatch):
    read = []

    def noted(entry, **interval):
        for raw in read_samples(entry, **interval):
            read.append(raw.key)
            yield raw

    monkeypatch.setattr("ppvd.data.budget.read_samples", noted)
    stream = replace(stream, shuffle_buffer=1)
    rest = loader(stream)
    rest.load_state_dict({"epoch": 0, "num_batches": 4, **rest._plan()})
    assert len(keys(rest)) == 3
    assert len(read) == 6
