"""What parsers of configurations accept beyond their defaults."""

from jsonargparse import set_parsing_settings

from ppvd.geometry import Alignment
from ppvd.predictions import PredictionFiles


def accept_presets() -> None:
    """Let dataclasses that have variants be given by ``class_path``.

    An ``Alignment`` is given as its settings, or as a preset; files of predictions by their format.
    """
    set_parsing_settings(subclasses_enabled=[Alignment, PredictionFiles])
