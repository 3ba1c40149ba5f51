from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from ppvd.data.mix import draw_sources
from ppvd.data.plan import Reader, capped, pieces, plan_epoch, share


def samples(counts, **interval):
    return [
        (piece.shard, number)
        for piece in pieces(counts, **interval)
        for number in range(piece.start, piece.stop)
    ]


def readers(world: int, num_workers: int) -> list[Reader]:
    return [
        Reader(rank=rank, world=world, worker=worker, num_workers=num_workers)
        for rank in range(world)
        for worker in range(num_workers)
    ]


COUNTS = [5, 1, 7, 3]


def test_a_pass_reads_every_sample_once():
    every = {(shard, number) for shard, count in enumerate(COUNTS) for number in range(count)}
    for turn in range(3):
        read = samples(COUNTS, start=16 * turn, stop=16 * turn + 16, seed=[0])
        assert len(read) == 16
        assert set(read) == every


def test_intervals_join_into_the_stream():
    whole = samples(COUNTS, start=0, stop=50, seed=[3])
    cuts = [0, 1, 4, 15, 16, 17, 31, 49, 50]
    parts = [samples(COUNTS, start=a, stop=b, seed=[3]) for a, b in pairwise(cuts)]
    assert [sample for part in parts for sample in part] == whole
    assert samples(COUNTS, start=7, stop=7, seed=[3]) == []


def test_passes_and_seeds_differ_in_order_and_the_manifest_order_can_be_had():
    orders = [
        [
            piece.shard
            for piece in pieces(range(1, 9), start=36 * turn, stop=36 * turn + 36, seed=[seed])
        ]
        for turn in range(2)
        for seed in range(2)
    ]
    assert len(set(map(tuple, orders))) == 4
    assert [piece.shard for piece in pieces(COUNTS, start=0, stop=32)] == [0, 1, 2, 3] * 2


def test_nothing_to_read_is_an_error():
    with pytest.raises(ValueError, match="at least one sample"):
        list(pieces([0, 0], start=0, stop=1))


@pytest.mark.parametrize(
    ("cap", "expected"), [(None, COUNTS), (16, COUNTS), (7, [5, 1, 1, 0]), (1, [1, 0, 0, 0])]
)
def test_a_cap_keeps_the_first_samples(cap, expected):
    assert capped(COUNTS, cap) == expected


@pytest.mark.parametrize(("world", "workers"), [(1, 1), (2, 3), (7, 1), (4, 5)])
@pytest.mark.parametrize("total", [1, 6, 13])
def test_an_evaluation_is_shared_without_loss_or_repeat(world, workers, total):
    parts = [share(total, reader) for reader in readers(world, workers)]
    assert sorted(number for part in parts for number in part) == list(range(total))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize(("world", "workers"), [(1, 1), (1, 3), (2, 2), (3, 1), (2, 5)])
def test_readers_deal_an_epoch_without_overlap(world, workers):
    weights = {"a": 3.0, "b": 1.0}
    num_batches, batch_size = 12, 4
    stretches = {0: [], 1: []}
    numbers = []
    for epoch in range(3):
        draws = draw_sources(weights, num_batches * world * batch_size, seed=0, epoch=epoch)
        draws = draws.reshape(num_batches, world, batch_size)
        for reader in readers(world, workers):
            plan = plan_epoch(draws, num_sources=2, epoch=epoch, reader=reader)
            counts = Counter(plan.batches.ravel().tolist())
            for source, (start, stop) in enumerate(plan.intervals):
                assert stop - start == counts[source]
                stretches[source] += range(start, stop)
            if epoch == 0:
                numbers += plan.numbers.ravel().tolist()
    for read in stretches.values():
        assert sorted(read) == list(range(len(read)))  # without a gap, over three epochs
    assert sorted(numbers) == list(range(num_batches * world * batch_size))


def test_what_a_draw_is_does_not_depend_on_the_number_of_workers():
    draws = draw_sources({"a": 1.0, "b": 2.0}, 24, seed=0, epoch=0).reshape(6, 1, 4)
    one = plan_epoch(draws, num_sources=2, epoch=0, reader=Reader())
    many = [plan_epoch(draws, num_sources=2, epoch=0, reader=reader) for reader in readers(1, 3)]
    np.testing.assert_array_equal(
        np.stack([plan.numbers for plan in many], 1).reshape(6, 4), one.numbers
    )
    np.testing.assert_array_equal(
        np.stack([plan.batches for plan in many], 1).reshape(6, 4), one.batches
    )
