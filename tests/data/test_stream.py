import logging
from collections import Counter

import numpy as np
import pytest
import torch

from ppvd.data.augment import Augment
from ppvd.data.budget import Budget
from ppvd.data.build import build_shards
from ppvd.data.collate import with_floats
from ppvd.data.errors import ShardError
from ppvd.data.manifest import Manifest
from ppvd.data.plan import Reader
from ppvd.data.source import ShardSource
from ppvd.data.stream import EvalStream, TrainStream


def open_set(folder, **options):
    return ShardSource(manifest=str(folder), **options).open()


def train_stream(sets, **changes):
    settings = {
        "weights": dict.fromkeys(sets, 1.0),
        "size": (8, 8),
        "batch_size": 2,
        "num_batches": 5,
        "seed": 0,
        "augment": None,
        "shuffle_buffer": 4,
        "max_bad_fraction": 0.0,
    }
    return TrainStream(sources=sets, **settings | changes)


def keys(stream, *, epoch=0, world=1, num_workers=1):
    """Keys of one epoch over all readers."""
    return [
        key
        for rank in range(world)
        for worker in range(num_workers)
        for batch in stream.read(
            epoch=epoch,
            reader=Reader(rank=rank, world=world, worker=worker, num_workers=num_workers),
        )
        for key in batch["key"]
    ]


def damage(folder, key):
    """Flip a bit in the picture of one sample."""
    for entry in Manifest.load(folder).shards:
        path = folder / entry.file
        whole = bytearray(path.read_bytes())
        header = whole.find(f"{key}.jpg".encode())
        if header >= 0:
            whole[header + 512 + 300] ^= 1
            path.write_bytes(whole)


@pytest.mark.parametrize(("world", "workers"), [(1, 1), (1, 3), (5, 1)])
def test_an_epoch_as_long_as_the_set_sees_every_sample_once(build, world, workers):
    """Three shards among up to five readers."""
    stream = train_stream({"toys": open_set(build())}, num_batches=5 // world)
    read = keys(stream, world=world, num_workers=workers)
    assert Counter(read) == Counter(f"toy/{number:06d}" for number in range(10))


def test_batches_hold_the_contract(build, frame):
    stream = train_stream({"toys": open_set(build())}, size=(24, 36), shuffle_buffer=1)
    for batch in stream.read(epoch=0, reader=Reader()):
        assert batch["image"].shape == (2, 3, 24, 36)
        assert batch["image"].dtype == torch.uint8
        assert batch["codes"].dtype == torch.uint16
        image = with_floats(batch)["image"] * 255
        batch = with_floats(batch)
        assert batch["depth"].dtype == torch.float32
        assert batch["depth"].shape == batch["valid"].shape == batch["sky"].shape == (2, 1, 24, 36)
        assert batch["valid"].dtype == batch["sky"].dtype == torch.bool
        assert batch["intrinsics"].shape == (2, 3, 3)
        assert batch["intrinsics"].dtype == torch.float32
        assert batch["source"] == ["toys", "toys"]
        for place, key in enumerate(batch["key"]):
            original = frame(int(key[-6:]))
            np.testing.assert_allclose(batch["depth"][place, 0], original.depth, rtol=2e-5)
            np.testing.assert_array_equal(batch["sky"][place, 0], original.sky)
            shown = image[place].permute(1, 2, 0).numpy()
            assert np.abs(shown - original.image).mean() < 2


def test_epochs_differ_and_repeat_exactly(build):
    stream = train_stream({"toys": open_set(build())}, augment=Augment())
    assert keys(stream, epoch=0) != keys(stream, epoch=1)
    assert keys(stream, epoch=1) == keys(stream, epoch=1)
    first, again = (next(stream.read(epoch=1, reader=Reader())) for _ in range(2))
    for name in ("image", "codes", "curve", "intrinsics"):
        assert torch.equal(first[name], again[name])


def test_short_epochs_go_on_where_the_last_one_stopped(build):
    stream = train_stream({"toys": open_set(build())}, num_batches=1)
    read = [key for epoch in range(5) for key in keys(stream, epoch=epoch)]
    assert len(set(read)) == 10


def test_every_rank_gets_the_same_number_of_batches(build):
    stream = train_stream({"toys": open_set(build(count=7, shard=3))}, num_batches=3)
    for rank in range(4):
        parts = [
            list(
                stream.read(
                    epoch=0, reader=Reader(rank=rank, world=4, worker=worker, num_workers=2)
                )
            )
            for worker in range(2)
        ]
        assert [len(part) for part in parts] == [2, 1]
        assert parts[0][0]["image"].shape[0] == 2


def test_shuffling_moves_samples_across_the_buffer(build):
    shards = {"toys": open_set(build(count=60, shard=60))}
    plain = keys(train_stream(shards, num_batches=30, shuffle_buffer=1))
    shuffled = keys(train_stream(shards, num_batches=30, shuffle_buffer=30))
    assert plain == sorted(plain)
    moves = np.abs(np.argsort(np.argsort(shuffled)) - np.arange(60))
    assert moves.mean() > 8


def test_the_mixture_follows_the_weights_and_outlives_its_smallest_source(build):
    sets = {
        "big": open_set(build("a", count=20)),
        "small": open_set(build("b", count=3, prefix="s")),
    }
    stream = train_stream(sets, weights={"big": 3.0, "small": 1.0}, num_batches=40)
    batches = list(stream.read(epoch=0, reader=Reader()))
    sources = Counter(source for batch in batches for source in batch["source"])
    assert sources == {"big": 60, "small": 20}
    small = Counter(key for batch in batches for key in batch["key"] if key.startswith("s/"))
    assert sorted(small.values()) == [6, 7, 7]  # as evenly as 20 draws of 3 can be
    for batch in batches:
        for key, source in zip(batch["key"], batch["source"], strict=True):
            assert key.startswith("s/") == (source == "small")


def test_images_are_drawn_from_all_frames_of_clips(build):
    stream = train_stream(
        {"clips": open_set(build(count=4, frames_per_clip=3))}, num_batches=40, batch_size=2
    )
    drawn = Counter(keys(stream))
    assert set(drawn) == {f"toy/{clip:06d}-{frame:03d}" for clip in range(4) for frame in range(3)}


@pytest.mark.parametrize("world", [1, 2, 3, 15])
def test_an_evaluation_sees_every_sample_once_at_its_own_size(build, world):
    stream = EvalStream(name="rooms", shards=open_set(build()), batch_size=3)
    assert sorted(keys(stream, world=world)) == [f"toy/{number:06d}" for number in range(10)]
    batch = next(stream.read(epoch=0, reader=Reader()))
    assert batch["image"].shape == (3, 3, 24, 36)
    assert batch["source"] == ["rooms"] * 3
    assert len(list(stream.read(epoch=0, reader=Reader()))) == stream.num_batches_of(Reader()) == 4


def test_a_number_of_samples_limits_a_source(build):
    folder = build()
    stream = EvalStream(name="a", shards=open_set(folder, num_samples=5), batch_size=1)
    assert keys(stream) == [f"toy/{number:06d}" for number in range(5)]
    with pytest.raises(ShardError, match=r"at most the 10 samples .* got 11"):
        open_set(folder, num_samples=11)
    with pytest.raises(ValueError, match="num_samples must be positive, got 0"):
        ShardSource(manifest="a", num_samples=0)


def test_unequal_sizes_do_not_fit_one_evaluation_batch(toys, tmp_path):
    class Mixed(toys):
        def sample(self, index):
            return type(self)(count=9, size=(8 + index, 12)).base(index)

        def base(self, index):
            return super().sample(index)

    build_shards(Mixed(count=2), tmp_path / "mixed", name="a", split="val")
    stream = EvalStream(name="a", shards=open_set(tmp_path / "mixed"), batch_size=2)
    with pytest.raises(ValueError, match="set eval_batch_size to 1"):
        keys(stream)
    assert len(keys(EvalStream(name="a", shards=stream.shards, batch_size=1))) == 2


def test_a_bad_sample_stops_the_run(build):
    folder = build()
    damage(folder, "toy/000005")
    sets = {"toys": open_set(folder)}
    for stream in (train_stream(sets), EvalStream(name="a", shards=sets["toys"], batch_size=1)):
        with pytest.raises(
            ShardError, match=r"set/toys-train-000001.tar, sample toy/000005: check"
        ):
            keys(stream)


def test_a_budget_lets_a_run_go_on_and_says_what_it_lost(build, caplog):
    folder = build()
    damage(folder, "toy/000005")
    stream = train_stream({"toys": open_set(folder)}, max_bad_fraction=0.1)
    with caplog.at_level(logging.WARNING):
        read = Counter(keys(stream))
    assert sum(read.values()) == 10  # the missing one is made up for
    assert "toy/000005" not in read
    assert len(read) == 9
    assert "left out 1 of 10 samples so far" in caplog.text
    assert "toy/000005" in caplog.text


def test_a_bad_shard_costs_all_it_owed(build):
    folder = build()
    entry = Manifest.load(folder).shards[1]
    (folder / entry.file).unlink()
    sets = {"toys": open_set(folder)}
    with pytest.raises(ShardError, match=r"4 bad of 10 samples; max_bad_fraction is 0.3"):
        keys(train_stream(sets, max_bad_fraction=0.3))
    read = Counter(keys(train_stream(sets, max_bad_fraction=0.5)))
    assert sum(read.values()) == 10
    assert read.keys() == {f"toy/{number:06d}" for number in (0, 1, 2, 3, 8, 9)}


def test_a_set_without_a_good_sample_ends_in_an_error(build):
    folder = build()
    for entry in Manifest.load(folder).shards:
        (folder / entry.file).unlink()
    with pytest.raises(ShardError, match="must exist"):
        keys(train_stream({"toys": open_set(folder)}, max_bad_fraction=0.99))


def test_a_source_of_which_all_is_bad_ends_in_an_error_within_the_budget(build):
    good, bad = build("a", count=40), build("b", count=1, prefix="bad")
    damage(bad, "bad/000000")
    stream = train_stream(
        {"good": open_set(good), "bad": open_set(bad)},
        weights={"good": 19.0, "bad": 1.0},
        num_batches=10,
        max_bad_fraction=0.5,
    )
    with pytest.raises(ShardError, match="source 'bad' must hold a good sample"):
        keys(stream)


def test_a_budget_counts_up_to_its_limit():
    budget = Budget(num_planned=100, max_bad_fraction=0.02)
    budget.spend(ShardError("a"), 1)
    budget.spend(ShardError("b"), 1)
    with pytest.raises(ShardError, match=r"c \(3 bad of 100 samples; max_bad_fraction is 0.02\)"):
        budget.spend(ShardError("c"), 1)


def test_a_spent_budget_lists_what_it_was_spent_on():
    budget = Budget(num_planned=100, max_bad_fraction=0.24)
    for number in range(24):
        budget.spend(ShardError(f"shard {number}"), 1)
    with pytest.raises(ShardError) as stop:
        budget.spend(ShardError("the last"), 1)
    first, *lines = str(stop.value).splitlines()
    assert first.startswith("the last (25 bad of 100 samples")
    assert [line.strip() for line in lines[:20]] == [f"shard {number}" for number in range(20)]
    assert lines[20:] == ["  and 4 more, see the log"]
