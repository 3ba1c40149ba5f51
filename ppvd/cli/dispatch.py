"""From the words on the command line to the code of a verb; loads nothing heavy itself."""

import os
import sys
from importlib import import_module, metadata

from ppvd.cli import pages
from ppvd.cli.allocator import keep_freed_memory
from ppvd.cli.mistakes import UsageError, did_you_mean

MISTAKE, FAILURE, INTERRUPTED = 2, 1, 130


def main(args: list[str] | None = None) -> None:
    """Run ``ppvd VERB ...``.

    Mistakes and failures that have a name are printed as one sentence; set ``PPVD_DEBUG=1``
    for the traceback.

    Args:
        args: Words after ``ppvd``; ``None`` takes them from the command line.

    Raises:
        SystemExit: With 2 for a mistake on the command line, 1 for a failure of the run, 130
            after Ctrl-C, and 0 once a help page was shown.
    """
    words = list(sys.argv[1:] if args is None else args)
    try:
        _run(words)
    except KeyboardInterrupt as interrupt:
        _leave("; ".join(["interrupted", *map(str, interrupt.args)]), INTERRUPTED)
    except UsageError as mistake:
        _fail(mistake, MISTAKE)
    except ValueError as failure:
        _fail(failure, FAILURE)
    except OSError as failure:
        _fail(failure, FAILURE, sentence=_of_file(failure))


def _run(words: list[str]) -> None:
    if not words or words[0] in ("-h", "--help"):
        print(pages.overview())
    elif words[0] == "--version":
        print(f"ppvd {metadata.version('ppvd')}")
    elif words[0] in pages.TRAINER_VERBS:
        _run_trainer(words[0], words[1:])
    elif words[0] in pages.OWN_VERBS:
        import_module(f"ppvd.cli.{words[0]}").main(words[1:])
    else:
        raise UsageError(_unknown(words))


def _run_trainer(verb: str, words: list[str]) -> None:
    if words and words[0] in ("-h", "--help"):
        print(pages.trainer_verb(verb))
        return
    keep_freed_memory()
    import_module("ppvd.cli.stored").reach_stores()
    import_module("ppvd.cli.lightning").run(verb, words)


def _unknown(words: list[str]) -> str:
    verbs = [*pages.TRAINER_VERBS, *pages.OWN_VERBS]
    if not words[0].startswith("-"):
        nearest = did_you_mean(words[0], verbs)
        return f"unknown verb {words[0]}{nearest or '; the verbs are ' + ', '.join(verbs)}"
    verb = next((word for word in words if word in verbs), "VERB")
    rest = list(words)
    if verb in rest:
        rest.remove(verb)
    return f"the verb comes first; write: ppvd {' '.join([verb, *rest])}"


def _of_file(error: OSError) -> str:
    """Name the file first, where the system does with a number in front."""
    named = error.filename is not None and error.strerror is not None
    return f"{error.filename} cannot be used: {error.strerror}" if named else str(error)


def _fail(error: Exception, code: int, sentence: str | None = None) -> None:
    if os.environ.get("PPVD_DEBUG") == "1":
        raise error
    _leave(sentence or str(error), code)


def _leave(sentence: str, code: int) -> None:
    print(f"ppvd: {' '.join(sentence.split())}", file=sys.stderr)
    raise SystemExit(code)
