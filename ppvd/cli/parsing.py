"""What parsers of configurations accept beyond their defaults."""

from jsonargparse import set_parsing_settings

from ppvd.geometry import Alignment


def accept_presets() -> None:
    """Let an ``Alignment`` be given as its settings, or as a preset by its ``class_path``."""
    set_parsing_settings(subclasses_enabled=[Alignment])
