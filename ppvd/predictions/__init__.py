"""Predictions that were saved: in whose layout, for which sample, in which unit."""

from ppvd.predictions.files import PredictionFiles
from ppvd.predictions.formats import (
    DepthAnything3Files,
    DepthCrafterFiles,
    ExrFiles,
    MarigoldFiles,
    MoGeFiles,
    NpzFiles,
    Png16Files,
    VideoDepthAnythingFiles,
)
from ppvd.predictions.own import OwnFiles, own_prediction
from ppvd.predictions.place import SavedMap, place
from ppvd.predictions.suspicion import Suspicions

__all__ = [
    "DepthAnything3Files",
    "DepthCrafterFiles",
    "ExrFiles",
    "MarigoldFiles",
    "MoGeFiles",
    "NpzFiles",
    "OwnFiles",
    "Png16Files",
    "PredictionFiles",
    "SavedMap",
    "Suspicions",
    "VideoDepthAnythingFiles",
    "own_prediction",
    "place",
]
