"""Predicted depth as files that other programs open."""

import io
import json
import math
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import BasePredictionWriter
from numpy.typing import NDArray
from torch import Tensor

from ppvd.callbacks.cloud import thinning
from ppvd.callbacks.drawing import Picture, side_by_side, titled
from ppvd.geometry import (
    DepthCodec,
    LogDepthCodec,
    cloud_from_depth,
    colourise,
    intrinsics_from_fov,
    write_ply,
)
from ppvd.whole import write_png, write_whole

# Codes 1 to 65534 of the 16-bit picture carry depth, as in the shards; 0 is invalid.
NUM_STEPS = 65533
IMAGE_CODEC = LogDepthCodec()


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthFiles:
    """Writes one predicted depth map under a common name.

    The model's depth is *relative*: right up to a scale and a shift of its codec's unit, such as
    ``log(depth + 1)``, which no single image tells. ``near_m`` and ``far_m`` say which metres
    stand for the two ends of the model's range, the codes -0.5 and 0.5 or, in disparity, 0.5 and
    -0.5; choose them for the scene, or align afterwards.

    - ``NAME_depth.npy``: metres, float32, ``(H, W)``.
    - ``NAME_depth.png``: 16 bits, ``depth = near * (far / near) ** ((value - 1) / 65533)``; 0 is
      invalid. ``near`` and ``far`` are this map's extremes, in ``NAME.json``.
    - ``NAME_preview.png``: the image beside the depth, near is warm.
    - ``NAME.ply``: coloured point cloud in metres, x right, y down, z forward.
    - ``NAME.json``: how to read the others. It is written last: where it is, all are.

    Args:
        near_m: Metres of the near end of the codes.
        far_m: Metres of the far end.
        field_of_view_deg: Horizontal field of view of the camera, for the point cloud.
        max_points: Points of the cloud, thinned on a regular grid of pixels.

    Raises:
        ValueError: If the metres do not increase from above 0, if the field of view is outside
            (0, 180) degrees, or if ``max_points`` is not positive.
    """

    near_m: float = 1.0
    far_m: float = 10.0
    field_of_view_deg: float = 60.0
    max_points: int = 1_000_000

    def __post_init__(self) -> None:
        if not 0.0 < self.near_m < self.far_m < math.inf:
            raise ValueError(
                f"near_m and far_m must satisfy 0 < near_m < far_m, got {self.near_m} "
                f"and {self.far_m}"
            )
        if not 0.0 < self.field_of_view_deg < 180.0:
            raise ValueError(
                f"field_of_view_deg must lie in (0, 180), got {self.field_of_view_deg}"
            )
        if self.max_points < 1:
            raise ValueError(f"max_points must be at least 1, got {self.max_points}")

    def depth(self, code: Tensor, *, codec: DepthCodec = IMAGE_CODEC) -> Tensor:
        """Return metres, shape of ``code``, which is affine in the codec's unit."""
        return codec.decode(code.float().cpu(), codec.range_between(self.near_m, self.far_m))

    def write(
        self,
        folder: Path,
        name: str,
        code: Tensor,
        image: Tensor,
        *,
        codec: DepthCodec = IMAGE_CODEC,
    ) -> None:
        """Write the files of one image; each appears whole or not at all.

        Args:
            folder: Where to; made if missing.
            name: What the files are called; may name folders below ``folder``.
            code: Prediction, ``(1, H, W)``.
            image: sRGB in [0, 1], ``(3, H, W)``.
            codec: What the code codes.
        """
        stem = folder / name
        depth, image = self.depth(code, codec=codec), image.float().cpu().clamp(0.0, 1.0)
        metres = depth[0].numpy()
        near, far = _extremes(metres)
        write_whole(stem.with_name(f"{stem.name}_depth.npy"), _npy(metres))
        write_png(stem.with_name(f"{stem.name}_depth.png"), _sixteen_bits(metres, near, far))
        write_png(stem.with_name(f"{stem.name}_preview.png"), _preview(image, depth))
        self.write_cloud(stem.with_name(f"{stem.name}.ply"), code, image, codec=codec)
        note = self._note(near, far, unit=codec.unit) | {
            "intrinsics": self._camera(*metres.shape).tolist(),
            "size": list(metres.shape),
        }
        text = json.dumps(note, indent=2) + "\n"
        write_whole(stem.with_name(f"{stem.name}.json"), text.encode())

    def write_cloud(
        self, path: Path, code: Tensor, image: Tensor, *, codec: DepthCodec = IMAGE_CODEC
    ) -> None:
        """Write the point cloud alone, whole or not at all; arguments as in ``write``."""
        depth = self.depth(code, codec=codec)
        height, width = depth.shape[-2:]
        keep = thinning(height, width, max_points=self.max_points)
        cloud = cloud_from_depth(depth, image, self._camera(height, width), keep)
        write_ply(path, cloud)

    def _camera(self, height: int, width: int) -> Tensor:
        return intrinsics_from_fov(height, width, horizontal_fov_deg=self.field_of_view_deg)

    def _note(self, near: float, far: float, *, unit: str) -> dict[str, Any]:
        return {
            "depth": f"metres along the optical axis, up to scale and shift of {unit}",
            "assumed": {
                "near_m": self.near_m,
                "far_m": self.far_m,
                "field_of_view_deg": self.field_of_view_deg,
            },
            "png": {
                "enc": "log_u16",
                "near": near,
                "far": far,
                "formula": f"near * (far / near) ** ((value - 1) / {NUM_STEPS})",
                "invalid": 0,
            },
        }


class DepthWriter(BasePredictionWriter):
    """Write each prediction's depth to files as it comes; see ``DepthFiles`` for which.

    ``predict_step`` returns a dict: ``code`` ``(B, 1, H, W)``, ``image`` ``(B, 3, H, W)``,
    ``key``, and the ``codec`` where it is not that of images. Folders in a key stay folders. Two
    images of one run with the same key, from two folders say, do not overwrite each other: the
    second is called ``<key>_2``.

    Args:
        out_dir: Where to. ``None``: ``predictions`` in the run's folder.
        near_m: Metres of code -0.5; the model's depth is relative.
        far_m: Metres of code 0.5.
        field_of_view_deg: Horizontal field of view of the camera, for the point cloud.
        max_points: Points of a cloud.

    Raises:
        ValueError: As ``DepthFiles``; later, if ``predict_step`` returns something else.
    """

    def __init__(
        self,
        out_dir: str | Path | None = None,
        *,
        near_m: float = 1.0,
        far_m: float = 10.0,
        field_of_view_deg: float = 60.0,
        max_points: int = 1_000_000,
    ) -> None:
        super().__init__("batch")
        self.files = DepthFiles(
            near_m=near_m,
            far_m=far_m,
            field_of_view_deg=field_of_view_deg,
            max_points=max_points,
        )
        self.out_dir = None if out_dir is None else Path(out_dir)
        self._folder = Path()
        self._used: set[str] = set()

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Find the folder; every process must ask for it."""
        super().setup(trainer, pl_module, stage)
        run = Path(trainer.log_dir or trainer.default_root_dir)
        self._folder = self.out_dir or run / "predictions"
        self._used.clear()

    @property
    def folder(self) -> Path:
        """Where the files go, once a run has begun."""
        return self._folder

    def write_on_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        prediction: Any,  # noqa: ANN401
        batch_indices: object,
        batch: object,
        batch_idx: int,
        dataloader_idx: int,
    ) -> None:
        """Write the files of a batch."""
        if not isinstance(prediction, dict) or not {"code", "image", "key"} <= prediction.keys():
            got = sorted(prediction) if isinstance(prediction, dict) else type(prediction).__name__
            raise ValueError(
                f"predict_step must return a dict of code, image and key for DepthWriter, got {got}"
            )
        triples = (prediction["key"], prediction["code"], prediction["image"])
        codec = prediction.get("codec", IMAGE_CODEC)
        for key, code, image in zip(*triples, strict=True):
            self.files.write(self._folder, self._free_name(key), code, image, codec=codec)

    def _free_name(self, key: str) -> str:
        parts = PurePosixPath(key.replace("\\", "/")).parts
        name = "/".join(part for part in parts if part not in ("/", "..")) or "image"
        count, free = 1, name
        while free in self._used:
            count += 1
            free = f"{name}_{count}"
        self._used.add(free)
        return free


def _extremes(metres: NDArray[np.float32]) -> tuple[float, float]:
    """Return the nearest and the farthest depth of a map, apart; 1 and 2 where there is none."""
    known = metres[np.isfinite(metres) & (metres > 0)]
    if known.size == 0:
        return 1.0, 2.0
    near, far = float(known.min()), float(known.max())
    return near, max(far, near * (1 + 1e-4))


def _sixteen_bits(metres: NDArray[np.float32], near: float, far: float) -> NDArray[np.uint16]:
    known = np.isfinite(metres) & (metres > 0)
    position = np.log(np.where(known, metres, near) / near) * (NUM_STEPS / math.log(far / near))
    values: NDArray[np.uint16] = np.where(known, 1 + np.rint(position), 0).astype(np.uint16)
    return values


def _npy(array: NDArray[np.float32]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _preview(image: Tensor, depth: Tensor) -> Picture:
    colours = colourise(depth[None].clamp_min(1e-6).log())[0]
    pictures = {"image": (image * 255.0).round().byte(), "depth: near is warm": colours}
    return side_by_side(
        [titled(p.permute(1, 2, 0).numpy(), title) for title, p in pictures.items()]
    )
