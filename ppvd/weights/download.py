"""Published files over the network: resumed where they broke off, checked, then whole."""

import hashlib
import os
import re
from pathlib import Path

from filelock import FileLock
from huggingface_hub import get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

from ppvd.weights.published import Published

_SHA256 = re.compile("[0-9a-f]{64}")


def download(model: Published, target: Path) -> None:
    """Fetch a published file; under its name it appears whole and checked, or not at all.

    What has arrived of a broken download is kept beside it, and the next call goes on there.
    A login of the Hugging Face hub, ``HF_ENDPOINT`` and ``HF_HUB_OFFLINE`` are respected.
    Of several processes one downloads, and the others wait.

    Args:
        model: What to fetch; it has a place on the hub or an address.
        target: Where to keep it.

    Raises:
        ConnectionError: If it cannot be fetched to its end.
        ValueError: If its checksum is not the published one, or else the hub's.
    """
    url = _address(model)
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_name(f".{target.name}.lock")):
        if target.is_file():  # Another process was faster.
            return
        try:
            part, checksum = _fetch(url, target)
        except (HTTPError, OSError) as error:
            raise ConnectionError(
                f"{model.name} cannot be fetched from {url}: {_first_line(error)}; run again to go "
                f"on where it stopped, or fetch it from {model.page} and save it as {target}"
            ) from error
        _check(part, model, model.sha256 or checksum)
        part.replace(target)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _address(model: Published) -> str:
    if model.hub is None:
        assert model.url is not None, f"{model.name} must be fetched by hand"
        return model.url
    repository, file = model.hub
    return hf_hub_url(repository, file, endpoint=os.environ.get("HF_ENDPOINT"))


def _fetch(url: str, target: Path) -> tuple[Path, str | None]:
    """Download, or go on with it; return where it lies, and the checksum that the hub states."""
    metadata = get_hf_file_metadata(url)
    version = metadata.etag or ""
    tag = hashlib.sha256(version.encode()).hexdigest()[:8]
    part = target.with_name(f".{target.name}.{tag}.part")
    with part.open("ab" if version else "wb") as file:
        http_get(
            url,
            file,
            resume_size=file.tell(),
            headers={**build_hf_headers(), "Accept-Encoding": "identity"},
            expected_size=metadata.size,
            displayed_filename=target.name,
        )
    return part, version if _SHA256.fullmatch(version) else None


def _check(part: Path, model: Published, expected: str | None) -> None:
    if expected is None or (found := sha256(part)) == expected:
        return
    part.unlink()
    raise ValueError(
        f"{model.name} must have the SHA-256 {expected}, got {found}; what was downloaded is "
        f"removed: run again, or fetch it from {model.page}"
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
