"""Checksums of a checkpoint that several processes write into one folder."""

import json
from hashlib import file_digest
from pathlib import Path

from ppvd.whole import write_whole

NAME = "checksums-{rank}-of-{world}.json"


def write_checksums(folder: Path, *, rank: int, world: int) -> None:
    """Write the checksums of the files that one process has written.

    Args:
        folder: Where every process has written its files, whose names begin with its rank; the
            first one's are all others, too.
        rank: Number of this process.
        world: Count of processes.
    """
    shares = tuple(f"__{other}_" for other in range(1, world))
    own = f"__{rank}_" if rank else ""
    sums = {
        str(file.relative_to(folder)): _checksum(file)
        for file in sorted(folder.rglob("*"))
        if file.is_file()
        and "checksums-" not in file.name  # Nor one that another process is writing.
        and (file.name.startswith(own) if rank else not file.name.startswith(shares))
    }
    content = json.dumps(sums, indent=1).encode()
    write_whole(folder / NAME.format(rank=rank, world=world), content)


def require_whole_folder(folder: Path) -> None:
    """Compare all files of a folder with their checksums.

    Args:
        folder: The checkpoint; one without checksums, which Lightning itself has written, is
            believed.

    Raises:
        ValueError: If a file differs or is gone.
    """
    lists = sorted(folder.glob("checksums-*.json"))
    if not lists:
        return
    world = int(lists[0].stem.rpartition("-")[2])
    for rank in range(world):
        listing = folder / NAME.format(rank=rank, world=world)
        sums = json.loads(listing.read_bytes()) if listing.is_file() else {listing.name: ""}
        for name, checksum in sums.items():
            file = folder / name
            if not file.is_file() or _checksum(file) != checksum:
                state = "damaged" if file.is_file() else "gone"
                raise ValueError(f"{folder} must be as it was written, but {name} in it is {state}")


def _checksum(file: Path) -> str:
    with file.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()
