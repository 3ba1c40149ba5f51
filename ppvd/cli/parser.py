"""A parser of words that says mistakes as all verbs do."""

import argparse
from typing import NoReturn

from ppvd.cli.mistakes import UsageError, did_you_mean


class VerbParser(argparse.ArgumentParser):
    """Raises a sentence with the nearest option, where argparse would print its usage."""

    def error(self, message: str) -> NoReturn:
        """Raise the mistake.

        Raises:
            UsageError: Always.
        """
        option = message.removeprefix("unrecognized arguments: ").split()[0].partition("=")[0]
        nearest = did_you_mean(option, self._option_string_actions)
        raise UsageError(f"{message}{nearest or f'; see: {self.prog} --help'}")
