"""A parser of words that says mistakes as all verbs do."""

import argparse
import re
from typing import Any, NoReturn

from ppvd.cli.mistakes import UsageError, did_you_mean

_CHOICE = re.compile(r"invalid choice: '?([^' ]+)'? \(choose from (.+)\)")


class VerbParser(argparse.ArgumentParser):
    """Raises a sentence with the nearest option or choice, where argparse would print its usage.

    Options are given in full, as everywhere: a part of a name is a mistake.

    Args:
        words: See ``argparse.ArgumentParser``.
        settings: See ``argparse.ArgumentParser``.
    """

    def __init__(self, *words: Any, **settings: Any) -> None:  # noqa: ANN401
        super().__init__(*words, **{"allow_abbrev": False, **settings})

    def add_subparsers(self, **settings: Any) -> Any:  # noqa: ANN401
        """Add verbs that refuse unknown words themselves; argparse would let this one say it."""
        return super().add_subparsers(parser_class=_InnerParser, **settings)

    def error(self, message: str) -> NoReturn:
        """Raise the mistake.

        Raises:
            UsageError: Always.
        """
        raise UsageError(f"{message}{self._nearest(message) or f'; see: {self.prog} --help'}")

    def _nearest(self, message: str) -> str:
        if choice := _CHOICE.search(message):
            return did_you_mean(choice[1], choice[2].replace("'", "").split(", "))
        option = message.removeprefix("unrecognized arguments: ").split()[0].partition("=")[0]
        return did_you_mean(option, self._option_string_actions)


class _InnerParser(VerbParser):
    """The parser of a verb within a verb: what it does not know, nobody does."""

    def parse_known_args(self, *words: Any, **settings: Any) -> tuple[Any, list[str]]:  # noqa: ANN401
        known, unknown = super().parse_known_args(*words, **settings)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown
