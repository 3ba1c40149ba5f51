"""Work that does not wait for itself, handed out to several workers; results come in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice
from typing import TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


def spread(
    items: Iterable[ItemT], workers: Sequence[Callable[[ItemT], ResultT]]
) -> Iterator[ResultT]:
    """Yield what workers make of ``items``, in the order of the items.

    The worker is told by an item's place alone: of ``n`` workers each takes every ``n``-th. One
    worker works where it is called, more in a thread each. No more items are read than there are
    workers, and one that waits.

    Args:
        items: What there is to do.
        workers: At least one; a worker is never called twice at a time.
    """
    if len(workers) == 1:
        yield from map(workers[0], items)
        return
    with ExitStack() as stack:
        threads = [stack.enter_context(ThreadPoolExecutor(1)) for _ in workers]
        under_way: deque[Future[ResultT]] = deque()
        for number, item in enumerate(items):
            place = number % len(workers)
            under_way.append(threads[place].submit(workers[place], item))
            if len(under_way) > len(workers):
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def groups_of(items: Iterable[ItemT], size: int) -> Iterator[list[ItemT]]:
    """Yield ``items`` so many at a time; the last group may have fewer."""
    coming = iter(items)
    while group := list(islice(coming, size)):
        yield group
