"""Several workers do what one does, in the same order."""

import threading
import time

import pytest

from ppvd.tasks.spread import groups_of, spread


@pytest.mark.parametrize("num_workers", [1, 2, 3, 5])
def test_results_come_in_order_and_workers_take_turns(num_workers):
    took = {place: [] for place in range(num_workers)}

    def worker(place):
        def work(item):
            took[place].append(item)
            return item * item

        return work

    workers = [worker(place) for place in range(num_workers)]
    assert list(spread(range(13), workers)) == [item * item for item in range(13)]
    assert took == {place: list(range(13))[place::num_workers] for place in range(num_workers)}


def test_workers_work_at_the_same_time():
    """Each waits for the other: one after another they would wait for ever."""
    meeting = threading.Barrier(2, timeout=600)
    assert len(list(spread(range(4), [lambda _: meeting.wait()] * 2))) == 4


@pytest.mark.parametrize("num_workers", [1, 3])
def test_no_more_is_read_than_workers_hold(num_workers):
    read = []
    items = (read.append(item) or item for item in range(100))
    results = spread(items, [lambda item: item] * num_workers)
    assert next(results) == 0
    assert len(read) == (1 if num_workers == 1 else num_workers + 1)
    results.close()


def test_what_a_worker_raises_comes_in_its_place():
    def fragile(item):
        if item == 3:
            raise ValueError("torn")
        time.sleep(0.001)
        return item

    results = spread(range(9), [fragile, fragile])
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="torn"):
        next(results)


def test_the_last_group_may_have_fewer():
    assert list(groups_of(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(groups_of([], 2)) == []
