"""Callbacks: what is averaged, drawn, written and measured beside the training itself."""

from ppvd.callbacks.bad_steps import BadStepError, BadSteps
from ppvd.callbacks.begin_epochs import BeginEpochs
from ppvd.callbacks.clip_panels import ClipPanels
from ppvd.callbacks.ema import EMA
from ppvd.callbacks.hparams import HParams
from ppvd.callbacks.loss_bins import GradientNorms, LossBins
from ppvd.callbacks.panel import PanelSample, draw_panel
from ppvd.callbacks.panels import Panels, benchmark_names
from ppvd.callbacks.prediction_writer import DepthFiles, DepthWriter
from ppvd.callbacks.results import ResultsWriter
from ppvd.callbacks.run_state import RunState, Stopped
from ppvd.callbacks.save_predictions import SavePredictions
from ppvd.callbacks.seed_steps import SeedSteps
from ppvd.callbacks.throughput import Throughput
from ppvd.callbacks.worst import WorstCases

__all__ = [
    "EMA",
    "BadStepError",
    "BadSteps",
    "BeginEpochs",
    "ClipPanels",
    "DepthFiles",
    "DepthWriter",
    "GradientNorms",
    "HParams",
    "LossBins",
    "PanelSample",
    "Panels",
    "ResultsWriter",
    "RunState",
    "SavePredictions",
    "SeedSteps",
    "Stopped",
    "Throughput",
    "WorstCases",
    "benchmark_names",
    "draw_panel",
]
