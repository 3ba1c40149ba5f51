"""Photographs without ground truth."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from ppvd.batch import PhotoBatch
from ppvd.data.collate import image_to_tensor

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


class Photo(TypedDict):
    """One photograph.

    Attributes:
        image: sRGB colour in [0, 1], float32, ``(3, H, W)``.
        key: Its name, unique within the data set and fit for a file name.
    """

    image: Tensor
    key: str


class Photos(Dataset[Photo]):
    """Photographs of a folder or of a list of files, upright and in colour.

    Args:
        paths: A folder, whose photographs are taken in order of name (not those of its
            sub-folders), or a file, or several of either.

    Raises:
        ValueError: If a path does not exist or a folder holds no photograph.
    """

    def __init__(self, paths: str | Path | Sequence[str | Path]) -> None:
        given = [paths] if isinstance(paths, str | Path) else list(paths)
        self.files = [file for path in given for file in _files(Path(path))]
        if not self.files:
            raise ValueError("paths must name at least one photograph or folder, got none")
        self.keys = _unique_keys(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Photo:
        """Return one photograph.

        Raises:
            ValueError: If its file is no picture.
        """
        return Photo(image=image_to_tensor(read_photo(self.files[index])), key=self.keys[index])


def collate_photos(photos: Sequence[Photo]) -> PhotoBatch:
    """Return the batch of one photograph; photographs differ in size, so there is never a second.

    Raises:
        ValueError: If there is not exactly one.
    """
    if len(photos) != 1:
        raise ValueError(f"photographs must come one by one, got {len(photos)} in a batch")
    return PhotoBatch(image=photos[0]["image"][None], key=[photos[0]["key"]])


def read_photo(path: Path) -> NDArray[np.uint8]:
    """Return the picture in ``path`` as sRGB uint8 ``(H, W, 3)``.

    It is turned upright as its EXIF entry says; grey becomes colour, transparency is dropped,
    16 bits become 8.

    Raises:
        ValueError: If there is no such file or it is no picture.
    """
    try:
        payload = np.fromfile(path, np.uint8)
    except OSError as error:
        raise ValueError(f"photo {path} must be a readable file: {error.strerror}") from error
    image = cv2.imdecode(payload, cv2.IMREAD_COLOR_RGB) if payload.size else None
    if image is None:
        raise ValueError(
            f"photo {path} must be a whole JPEG, PNG, WebP, BMP or TIFF picture, but its"
            f" {payload.size} bytes cannot be read as one: leave it out or save it again"
        )
    return image.astype(np.uint8, copy=False)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise ValueError(f"photo or folder {path} must exist: check the path")
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in PHOTO_SUFFIXES)
    if not files:
        raise ValueError(f"folder {path} must hold a photograph ({', '.join(PHOTO_SUFFIXES)})")
    return files


def _unique_keys(files: Sequence[Path]) -> list[str]:
    """Name files by stem; equal stems get their suffix, and then a number, appended."""
    keys = [file.stem for file in files]
    for names in ([file.name.replace(".", "_") for file in files], None):
        counts = Counter(keys)
        longer = names or [f"{key}-{number}" for number, key in enumerate(keys)]
        keys = [key if counts[key] == 1 else other for key, other in zip(keys, longer, strict=True)]
    return keys
