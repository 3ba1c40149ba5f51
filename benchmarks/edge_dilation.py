"""How the edge-aware Chamfer distance depends on the width of the band around edges.

    python -m benchmarks.edge_dilation --scenes 4

prints a table of distances of two predictions of rendered scenes whose AbsRel is the same: one as
sharp as the truth with an error of low frequency, one blurred at the edges. The meter is worth
what lies between the two; the width of its band, ``dilation``, is what the paper does not tell.
``--plot docs/images/edge_dilation.svg`` draws the curves.
"""

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ppvd.data.sources.synthetic import render_frame
from ppvd.geometry import DepthCanny, dilate, no_alignment
from ppvd.metrics import DepthErrors, EdgeChamfer, FlyingPixels

DILATIONS = (0, 1, 2, 3)
# Standard deviation of the blur, pixels, and the pixels around an edge that it reaches.
BLUR_PX = 1.0
BLURRED_BAND_PX = 3
_AS_IS = no_alignment(near_m=1e-2)
# The picture, pixels; the ends of its axis lie beyond what is drawn.
WIDTH, HEIGHT = 560, 340
TICKS_M = (0.1, 0.3, 1.0, 3.0, 5.0)
COLOURS = {"sharp": "#1b7f5c", "blurred": "#c2410c"}


@dataclass(frozen=True)
class Truth:
    """One rendered scene.

    Attributes:
        depth: Metres, ``(1, 1, H, W)``.
        valid: Bool, same shape.
        intrinsics: ``(1, 3, 3)``.
    """

    depth: Tensor
    valid: Tensor
    intrinsics: Tensor


def render_truths(count: int, *, size: tuple[int, int]) -> Iterator[Truth]:
    """Yield rooms and streets; sky, which has no depth, is not valid."""
    for seed in range(count):
        frame = render_frame(seed, size=size)
        depth, valid = (torch.from_numpy(x.copy())[None, None] for x in (frame.depth, frame.valid))
        intrinsics = torch.from_numpy(frame.intrinsics).float()[None]
        yield Truth(depth=depth.where(valid, 1.0), valid=valid, intrinsics=intrinsics)


def blurred_at_edges(truth: Truth) -> Tensor:
    """Return the truth with its log depth blurred near edges, and nowhere else."""
    kernel = _gaussian(BLUR_PX)
    log = F.pad(truth.depth.log(), (len(kernel) // 2,) * 4, mode="replicate")
    soft = F.conv2d(F.conv2d(log, kernel[None, None, None]), kernel[None, None, :, None]).exp()
    near = dilate(DepthCanny()(truth.depth, truth.valid), BLURRED_BAND_PX) & truth.valid
    return torch.where(near, soft, truth.depth)


def sharp_with_equal_error(truth: Truth, prediction: Tensor) -> Tensor:
    """Return the truth with a wave of low frequency of the AbsRel that ``prediction`` has."""
    height, width = truth.depth.shape[-2:]
    rows = torch.linspace(0.0, torch.pi, height)[:, None]
    wave = (rows + torch.linspace(0.0, torch.pi, width)).cos()
    error = ((prediction - truth.depth).abs() / truth.depth)[truth.valid].mean()
    return truth.depth * (
        1.0 + wave * error / wave.expand_as(truth.depth)[truth.valid].abs().mean()
    )


def measure(truths: Sequence[Truth], predictions: Sequence[Tensor]) -> dict[str, float]:
    """Return AbsRel, the share of flying pixels and the Chamfer distance at each dilation."""
    errors, flying = DepthErrors(_AS_IS), FlyingPixels(_AS_IS)
    chamfers = {width: EdgeChamfer(_AS_IS, dilation=width) for width in DILATIONS}
    for truth, prediction in zip(truths, predictions, strict=True):
        errors.update(prediction, truth.depth, truth.valid)
        flying.update(prediction, truth.depth, truth.valid)
        for chamfer in chamfers.values():
            chamfer.update(prediction, truth.depth, truth.valid, truth.intrinsics)
    found = {f"chamfer r{width}": metric.compute() for width, metric in chamfers.items()}
    return {
        "abs_rel": float(errors.compute()["abs_rel"]),
        "flying": float(flying.compute()["flying_pixel_ratio"]),
        **{name: float(value["chamfer"]) for name, value in found.items()},
    }


def compare(count: int, *, size: tuple[int, int]) -> dict[str, dict[str, float]]:
    """Return what ``measure`` finds for sharp and for blurred predictions of ``count`` scenes."""
    truths = list(render_truths(count, size=size))
    blurred = [blurred_at_edges(truth) for truth in truths]
    pairs = zip(truths, blurred, strict=True)
    sharp = [sharp_with_equal_error(truth, prediction) for truth, prediction in pairs]
    return {"sharp": measure(truths, sharp), "blurred": measure(truths, blurred)}


def markdown(found: dict[str, dict[str, float]]) -> str:
    """Return the comparison as a table in Markdown."""
    columns = list(next(iter(found.values())))
    rows = [["", *columns], ["---"] * (len(columns) + 1)]
    rows += [[name, *(f"{row[column]:.4f}" for column in columns)] for name, row in found.items()]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def draw(found: dict[str, dict[str, float]]) -> str:
    """Return the curves over the dilation as SVG; distances on a logarithmic axis."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="system-ui, sans-serif" font-size="13" fill="#333">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        *(_tick(metres) for metres in TICKS_M),
        *(_label(_x(width), HEIGHT - 26, f"{width}") for width in DILATIONS),
        _label((_x(DILATIONS[0]) + _x(DILATIONS[-1])) / 2, HEIGHT - 6, "dilation, pixels"),
        _label(_x(DILATIONS[0]), 16, "edge Chamfer, m"),
        *(_curve(name, row) for name, row in found.items()),
    ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _curve(name: str, row: dict[str, float]) -> str:
    values = {width: row[f"chamfer r{width}"] for width in DILATIONS}
    points = [(_x(width), _y(metres)) for width, metres in values.items()]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    labels = zip(points, values.values(), strict=True)
    return "\n".join(
        [
            f'<polyline points="{line}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"/>',
            *(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{COLOURS[name]}"/>'
                for x, y in points
            ),
            *(_label(x, y - 10, f"{metres:.2f}") for (x, y), metres in labels),
            _label(points[-1][0] + 16, points[-1][1] + 4, name, anchor="start"),
        ]
    )


def _tick(metres: float) -> str:
    y = _y(metres)
    line = f'<line x1="46" x2="{WIDTH - 80}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
    return line + _label(40, y + 4, f"{metres:g}", anchor="end")


def _label(x: float, y: float, text: str, *, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'


def _x(dilation: int) -> float:
    return 80.0 + dilation * (WIDTH - 180.0) / (len(DILATIONS) - 1)


def _y(metres: float) -> float:
    low, high = math.log(TICKS_M[0]), math.log(TICKS_M[-1])
    return 36.0 + (high - math.log(metres)) / (high - low) * (HEIGHT - 90.0)


def _gaussian(deviation_px: float) -> Tensor:
    reach = round(3.0 * deviation_px)
    weight = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / deviation_px).square())
    return weight / weight.sum()


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, and draw the curves where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--scenes", type=int, default=4)
    parser.add_argument("--size", type=int, nargs=2, default=(384, 512), metavar=("H", "W"))
    parser.add_argument("--plot", type=Path, metavar="SVG", help="draw the curves here too")
    options = parser.parse_args(arguments)
    found = compare(options.scenes, size=tuple(options.size))
    if options.plot is not None:
        options.plot.write_text(draw(found), encoding="utf-8")
    print(markdown(found))


if __name__ == "__main__":
    main()
