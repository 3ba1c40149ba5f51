"""Work that goes on in another thread while this one is busy."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

ItemT = TypeVar("ItemT")


def ahead(items: Iterable[ItemT], *, num: int) -> Iterator[ItemT]:
    """Yield ``items`` in order; up to ``num`` of them are made before they are asked for.

    What ``items`` raises is raised here, in its place.

    Args:
        items: Made in a thread of their own.
        num: How many may be there and wait.
    """
    coming = iter(items)
    end = object()
    with ThreadPoolExecutor(1) as worker:
        made: deque[Future[ItemT | object]] = deque()
        try:
            made.extend(worker.submit(next, coming, end) for _ in range(num))
            while (item := made.popleft().result()) is not end:
                made.append(worker.submit(next, coming, end))
                yield item  # type: ignore[misc]
        finally:
            for future in made:
                future.cancel()
