"""Where published files are kept, and how one is found by its name."""

from pathlib import Path

from ppvd.semantics.place import weights_folder
from ppvd.weights.download import download
from ppvd.weights.published import published


def kept(name: str) -> Path | None:
    """Return the file of a published model that is there already, see ``locate``."""
    folder = weights_folder()
    files = [folder / f"{name}.safetensors", folder / published(name).file]
    return next((file for file in files if file.is_file()), None)


def locate(name: str) -> Path:
    """Return the file of a published model; it is downloaded where it is not there yet.

    Args:
        name: As in ``PUBLISHED``. What was imported under it (``NAME.safetensors``) comes
            before the published file itself.

    Raises:
        ValueError: If nothing is published under the name, or a checksum is wrong.
        FileNotFoundError: If it is not there and only a browser gets it.
        ConnectionError: If it cannot be downloaded.
    """
    model, target = published(name), weights_folder() / published(name).file
    if found := kept(name):
        return found
    if model.hub is None and model.url is None:
        raise FileNotFoundError(
            f"{name} must be fetched with a browser: open {model.page} and save the file as "
            f"{target}, or set PPVD_WEIGHTS to the folder that holds {model.file}"
        )
    download(model, target)
    return target
