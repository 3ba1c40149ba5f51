"""Streams of samples: shard sets are built, checked, read, augmented, mixed and batched here.

The names below are loaded when they are first used: building shards needs neither PyTorch nor
Lightning in its processes.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ppvd.data.augment import Augment
    from ppvd.data.build import build_shards
    from ppvd.data.cache import ShardCache
    from ppvd.data.check import check_shards
    from ppvd.data.clip import Clips
    from ppvd.data.datamodule import ShardDataModule
    from ppvd.data.encode import Sample
    from ppvd.data.errors import BadSampleError, SampleError, ShardError
    from ppvd.data.frame import Frame
    from ppvd.data.manifest import Manifest
    from ppvd.data.photos import Photos, read_photo
    from ppvd.data.source import ShardSource

_ROOMS = {
    "Augment": "augment",
    "BadSampleError": "errors",
    "Clips": "clip",
    "Frame": "frame",
    "Manifest": "manifest",
    "Photos": "photos",
    "Sample": "encode",
    "SampleError": "errors",
    "ShardCache": "cache",
    "ShardDataModule": "datamodule",
    "ShardError": "errors",
    "ShardSource": "source",
    "build_shards": "build",
    "check_shards": "check",
    "read_photo": "photos",
}

__all__ = [
    "Augment",
    "BadSampleError",
    "Clips",
    "Frame",
    "Manifest",
    "Photos",
    "Sample",
    "SampleError",
    "ShardCache",
    "ShardDataModule",
    "ShardError",
    "ShardSource",
    "build_shards",
    "check_shards",
    "read_photo",
]


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
