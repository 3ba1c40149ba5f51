"""Trying again: the one layer of retries between a reader or writer and an object store."""

import errno
import logging
import random
import re
import time
from collections.abc import Callable
from typing import TypeVar

log = logging.getLogger(__name__)

Result = TypeVar("Result")

# A minute's outage is waited for, about (ours); the waits in between are drawn at random, so that
# a thousand readers do not come back at the same moment.
MAX_ATTEMPTS = 12
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 20.0


def persistently(action: Callable[[], Result], *, url: str) -> Result:
    """Return what ``action`` returns, tried again while what keeps it from it may pass.

    Args:
        action: Reads or writes something at ``url``.
        url: Named in errors and in the log.

    Raises:
        OSError: At once for what no waiting mends (404, 403, 401, 412 and other refusals), else
            after ``MAX_ATTEMPTS``.
    """
    try:
        from obstore.exceptions import BaseError
    except ModuleNotFoundError as error:
        sentence = "object stores need obstore: pip install 'ppvd[storage]'"
        raise OSError(errno.ENOPKG, sentence, url) from error
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            return action()
        except (BaseError, FileNotFoundError, ConnectionError) as error:
            reason = _reason(error)
            if (refusal := _refusal(error, url)) is not None:
                raise refusal from error
        if attempt < MAX_ATTEMPTS:
            log.warning("try %d of %d for %s failed: %s", attempt, MAX_ATTEMPTS, url, reason)
            longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (attempt - 1))
            time.sleep(random.uniform(0, longest))
    sentence = f"{MAX_ATTEMPTS} tries failed, the last one with: {reason}"
    raise OSError(errno.EIO, sentence, url)


def changed(url: str) -> OSError:
    """Return the error for an object that is no longer the one that was opened."""
    return OSError(
        errno.ESTALE,
        "the object was replaced while it was read: begin again, and give new content a new name",
        url,
    )


def _refusal(error: Exception, url: str) -> OSError | None:
    """Return the error to raise if trying again is in vain, in words that say what to do."""
    reason = _reason(error)
    certificate = re.search(r"InvalidCertificate\((?:\s*\w+\()*\s*(\w+)", str(error))
    if certificate:
        advice = "if an authority of your own has signed it, name its file in SSL_CERT_FILE"
        sentence = f"the server's certificate is not accepted ({certificate[1]}): {advice}"
        return OSError(errno.EPROTO, sentence, url)
    status = re.search(r"status code: (4\d\d|501)", reason)
    match status[1] if status else "":
        case "404":
            return FileNotFoundError(errno.ENOENT, f"there is none ({reason})", url)
        case "401" | "403":
            advice = "check the credentials in the environment and the rights they give"
            return PermissionError(errno.EACCES, f"access is denied, {advice} ({reason})", url)
        case "412":
            return changed(url)
        case "" | "408" | "429":  # Timeouts and too many requests pass, as connections do.
            return None
    return OSError(errno.EINVAL, f"the request is refused ({reason})", url)


def _reason(error: Exception) -> str:
    """Return the short part of what obstore says, on one line."""
    text, _, source = str(error).partition("\n\nDebug source")
    message = re.search(r"(.*?status code: [^:]*)", text, re.DOTALL)
    reason = " ".join((message[1] if message else text).split())[:300]
    cause = re.search(r'message: "([^"]+)"', source)  # Such as: Connection refused.
    if cause and cause[1] not in reason:
        reason += f" ({cause[1]})"
    # Where AWS's client looks for credentials last: at an address that only its machines have.
    unknown = "169.254.169.254" in reason
    return f"{reason}; there are no credentials in the environment" if unknown else reason
