"""Mistakes of the person at the keyboard, said in one sentence."""

import difflib
from collections.abc import Iterable


class UsageError(ValueError):
    """What was asked for cannot be understood; the message is a sentence that says what to do."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean <nearest>?`` or, if nothing known is near, an empty string.

    >>> did_you_mean("num_step", ["num_steps", "num_samples", "seed"])
    '; did you mean num_steps?'
    >>> did_you_mean("colour", ["num_steps", "seed"])
    ''
    """
    nearest = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {nearest[0]}?" if nearest else ""
