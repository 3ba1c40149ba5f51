"""``ppvd shards preview``: a sheet of pictures, depth maps and states of some samples of a set."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ppvd.cli.counted import counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ppvd.data.decode import RawSample
    from ppvd.data.frame import Frame
    from ppvd.data.manifest import Manifest

DESCRIPTION = """\
Draw samples of a shard set, evenly spread over it, as one PNG: each picture above its depth and
the states of its pixels. A clip is a strip of frames with one palette of depth.
"""
CAPTION = "depth: near is warm, far is cold.  state: green measured, grey unknown, white sky"
COLUMNS = 6
TILE_PX = 240
# States by number: unknown, measured, sky; the greys and whites are those of the depth pictures.
STATE_COLOURS = ((96, 96, 96), (70, 150, 90), (255, 255, 255))


def add_preview(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ppvd shards preview`` to its parser."""
    parser.description = DESCRIPTION
    parser.add_argument(
        "folder", metavar="SET", help="folder of the set, or its manifest; or a URL"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("preview.png"), help="file to write (default: preview.png)"
    )
    parser.add_argument(
        "--samples", type=int, default=12, metavar="N", help="samples to draw (default: 12)"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from ppvd.data.encode import encode_image
    from ppvd.data.manifest import Manifest, manifest_path
    from ppvd.data.source import located
    from ppvd.data.storage import parent
    from ppvd.whole import write_whole

    if options.samples < 1:
        raise ValueError(f"samples must be at least 1, got {options.samples}")
    place = located(options.folder)
    manifest = Manifest.load(place)
    chosen = list(_chosen(manifest, parent(manifest_path(place)), options.samples))
    write_whole(options.out, encode_image(draw_sheet(chosen), suffix="png"))
    print(f"{options.out}: {len(chosen)} of {counted(manifest.num_samples, 'sample')}")
    return 0


def draw_sheet(samples: Sequence["RawSample"]) -> "NDArray[np.uint8]":
    """Return the sheet of ``samples``: pictures side by side, clips one strip each."""
    from ppvd.callbacks.drawing import stacked
    from ppvd.data.decode import decode

    strips, pictures = [], []
    for raw in samples:
        count = len(raw.info.frames)
        if count == 1:
            pictures.append(decode(raw))
        else:
            numbers = [i * (count - 1) // (COLUMNS - 1) for i in range(COLUMNS)]
            strips.append(_strip([decode(raw, frame=n) for n in numbers], one_palette=True))
    rows = [pictures[i : i + COLUMNS] for i in range(0, len(pictures), COLUMNS)]
    return stacked([*strips, *(_strip(row, one_palette=False) for row in rows)], CAPTION)


def _chosen(manifest: "Manifest", root: str, count: int) -> "Iterator[RawSample]":
    """Yield ``count`` samples that lie evenly spread over the set."""
    from ppvd.data.archive import read_samples

    total, before = manifest.num_samples, 0
    count = min(count, total)
    wanted = [number * total // count for number in range(count)]
    for entry in manifest.shards:
        for number in wanted:
            if before <= number < before + entry.num_samples:
                at = number - before
                yield from read_samples(entry, root=root, start=at, stop=at + 1)
        before += entry.num_samples


def _strip(frames: "Sequence[Frame]", *, one_palette: bool) -> "NDArray[np.uint8]":
    """Return frames side by side, each a column of picture, depth and state."""
    import numpy as np

    from ppvd.callbacks.drawing import PAPER, resized, side_by_side, titled

    depths = _depths(frames, one_palette=one_palette)
    columns = []
    for frame, depth in zip(frames, depths, strict=True):
        state = np.array(STATE_COLOURS, np.uint8)[frame.valid + 2 * frame.sky.astype(np.int64)]
        tiles = [resized(tile, TILE_PX) for tile in (frame.image, depth, state)]
        columns.append(titled(np.concatenate(tiles), _title(frame)))
    size = max(len(column) for column in columns)
    empty = np.full((size, TILE_PX, 3), PAPER, np.uint8)
    columns += [empty] * (COLUMNS - len(columns))
    padded = [np.concatenate([column, empty[len(column) :]]) for column in columns]
    return side_by_side(padded)


def _depths(frames: "Sequence[Frame]", *, one_palette: bool) -> "list[NDArray[np.uint8]]":
    """Return the logarithms of depth in colours; a clip's frames share the ends of the palette."""
    import numpy as np
    import torch

    from ppvd.geometry import colourise

    known = [np.log(frame.depth[frame.valid]) for frame in frames]
    drawn = []
    for number, frame in enumerate(frames):
        values = np.concatenate(known) if one_palette else known[number]
        low, high = np.quantile(values, (0.02, 0.98)) if values.size else (0.0, 1.0)
        log = np.log(np.where(frame.valid, frame.depth, 1))
        valid, sky = (torch.from_numpy(mask)[None, None] for mask in (frame.valid, frame.sky))
        limits = torch.tensor(float(low)), torch.tensor(float(high))
        colours = colourise(torch.from_numpy(log)[None, None], valid=valid, sky=sky, limits=limits)
        drawn.append(colours[0].permute(1, 2, 0).numpy())
    return drawn


def _title(frame: "Frame") -> str:
    """Return the end of the key and the range of depth, as much as fits a tile."""
    measured = frame.depth[frame.valid]
    span = f"{measured.min():.3g}-{measured.max():.3g} m" if measured.size else "no depth"
    return f"{frame.key[-14:]}  {span}"
