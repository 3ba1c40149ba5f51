"""One file a data set: each yields samples from a renderer, a download or a package.

A download's reader is a `ppvd.data.raw.RawSource` and has a line in ``DOWNLOADS``; it is loaded
when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ppvd.data.raw import RawSource

DOWNLOADS: dict[str, str] = {
    "Hypersim": "rendered rooms; train, val and test",
}
"""What each reader of a download reads; its module is its name in small letters."""


def download(name: str) -> "type[RawSource]":
    """Return the reader of a download, given its name in any case of letters.

    Raises:
        KeyError: If there is none.
    """
    names = {known.lower(): known for known in DOWNLOADS}
    reader: type[RawSource] = getattr(
        import_module(f"{__name__}.{name.lower()}"), names[name.lower()]
    )
    return reader
