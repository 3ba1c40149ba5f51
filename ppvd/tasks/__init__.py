"""LightningModules: depth models that can be trained, tested and asked for depth."""

from ppvd.tasks.base import DepthTask
from ppvd.tasks.guard import NonFiniteLossError
from ppvd.tasks.hugging_face import TransformersDepth
from ppvd.tasks.mean_depth import MeanDepth
from ppvd.tasks.ppd import PPD
from ppvd.tasks.ppvd import PPVD
from ppvd.tasks.regressor import CascadeRegressor, Regressor
from ppvd.tasks.saved import SavedDepth
from ppvd.tasks.schedule import WarmupCosine
from ppvd.tasks.windows import WindowPlan

__all__ = [
    "PPD",
    "PPVD",
    "CascadeRegressor",
    "DepthTask",
    "MeanDepth",
    "NonFiniteLossError",
    "Regressor",
    "SavedDepth",
    "TransformersDepth",
    "WarmupCosine",
    "WindowPlan",
]
