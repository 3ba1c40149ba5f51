"""The command line: ``main`` and the verbs behind it."""

from ppvd.cli.dispatch import main

__all__ = ["main"]
