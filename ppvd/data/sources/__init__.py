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
    "UrbanSyn": "rendered streets; train",
    "UnrealStereo4K": "rendered stereo pairs of 4K; train and test",
    "VKITTI2": "rendered drives (Virtual KITTI 2), pictures or clips; train and val",
    "TartanAir": "rendered flights, pictures or clips; train and val",
    "IRS": "rendered walks through rooms, pictures or clips; train",
    "PointOdyssey": "rendered videos of people and animals, pictures or clips; train, val, test",
    "NyuV2": "rooms before a Kinect, the labelled frames (NYU Depth v2); train and test",
    "NyuV2Videos": "rooms before a Kinect, recordings or exports (NYU Depth v2); test",
    "Kitti": "streets before a car with improved laser depth, pictures or videos; test and others",
    "Eth3d": "laser scans before a 24 megapixel camera; test",
    "ScanNet": "rooms before a depth sensor, scans or exported frames, pictures or videos; test",
    "Diode": "laser scans of rooms and of the open; val and train",
    "Bonn": "people before a depth sensor (RGB-D Dynamic), pictures or videos; test",
    "Sintel": "an animated film with its depth, pictures or videos; test",
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
