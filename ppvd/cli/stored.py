"""Checkpoints in object stores: Lightning writes them there, and a run goes on from a copy."""

import logging
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ppvd.cli.given import Given
from ppvd.data.retry import persistently
from ppvd.data.storage import is_url, join, object_at, open_sized
from ppvd.scale import require_whole
from ppvd.whole import appearing_whole

log = logging.getLogger(__name__)

SCHEMES = ["s3", "gs", "az"]
SUFFIX = ".ckpt"


def reach_stores() -> None:
    """Let Lightning's ``dirpath`` be a URL, by the same client that reads shards."""
    if find_spec("obstore") is None:
        return
    from obstore.fsspec import register

    register(SCHEMES)
    if os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://"):
        os.environ.setdefault("AWS_ALLOW_HTTP", "true")


def saved_to(given: Given) -> list[str]:
    """Return the URLs under which the callbacks of the given recipes keep checkpoints."""
    return list(dict.fromkeys(filter(is_url, map(str, _dirpaths(given)))))


def copy_of_newest(url: str, *, folder: Path) -> Path | None:
    """Copy a checkpoint to this machine; ``None`` if there is no whole one.

    Args:
        url: That checkpoint, or what lies above several: the newest that is whole is taken.
        folder: Where the copy goes.

    Raises:
        OSError: If it cannot be read.
    """
    for location in [url] if url.endswith(SUFFIX) else _newest_first(url):
        copy = folder / location.rpartition("/")[2]
        stream, _ = open_sized(location)
        with stream, appearing_whole(copy) as passing, passing.open("wb") as file:
            shutil.copyfileobj(stream, file, 2**20)
        try:
            require_whole(copy)
        except ValueError as error:
            log.warning("passed over: %s, copied from %s", error, location)
        else:
            return copy
    return None


def _newest_first(url: str) -> list[str]:
    found = persistently(lambda: _checkpoints_below(url), url=url)
    return [location for _, location in sorted(found, reverse=True)]


def _checkpoints_below(url: str) -> list[tuple[datetime, str]]:
    """Return when each was written, and where it is."""
    import obstore

    store, prefix = object_at(url)
    root = url.rstrip("/").removesuffix(prefix.rstrip("/"))
    return [
        (meta["last_modified"], join(root, meta["path"]))
        for page in obstore.list(store, prefix)
        for meta in page
        if meta["path"].endswith(SUFFIX)
    ]


def _dirpaths(given: Given) -> Iterator[object]:
    for recipe in given.recipes:
        trainer = recipe.get("trainer")
        for key in ("callbacks", "callbacks+"):
            callbacks: Any = (trainer.get(key) if isinstance(trainer, dict) else None) or []
            for callback in callbacks if isinstance(callbacks, list) else [callbacks]:
                if isinstance(callback, dict) and isinstance(callback.get("init_args"), dict):
                    yield callback["init_args"].get("dirpath")
