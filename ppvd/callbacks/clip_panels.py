"""Strips, slices through time and moving pictures of a few clips."""

from collections.abc import Iterator, Mapping
from typing import Any

from lightning.pytorch import Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped]
from torch.utils.tensorboard import SummaryWriter

from ppvd.batch import DepthBatch
from ppvd.callbacks.clip_panel import draw_slice, draw_strip, draw_video, gif
from ppvd.callbacks.drawing import Picture
from ppvd.callbacks.panel import PanelSample
from ppvd.callbacks.panels import Panels
from ppvd.callbacks.samples import aligned_sample, file_name
from ppvd.geometry import Alignment
from ppvd.whole import write_png, write_whole


class ClipPanels(Panels):
    """Show the first clips of each benchmark in motion; images are passed over.

    TensorBoard gets, under ``<stage>/<benchmark>/``: ``strip/<key>``, frames at even distances;
    ``slice/<key>``, one row of each frame below that of the frame before, in which flicker shows
    as stripes; and ``video/<key>``, image, truth and prediction side by side. The run's folder
    gets them as ``panels/<benchmark>_<key>_strip.png``, ``_slice.png`` and ``_video.gif``.

    Args:
        num_clips: Clips of each benchmark.
        every_n_epochs: Epochs from one drawing to the next during training.
        alignment: How a prediction becomes metres where no protocol says it; one scale and shift
            a clip. ``None``: in disparity, as the video model predicts.
        files: Whether they are written as files too.

    Raises:
        ValueError: If a count is not positive; later, if a step returns no prediction.
    """

    def __init__(
        self,
        num_clips: int = 2,
        *,
        every_n_epochs: int = 1,
        alignment: Alignment | None = None,
        files: bool = True,
    ) -> None:
        super().__init__(
            num_clips,
            every_n_epochs=every_n_epochs,
            alignment=alignment or Alignment(space="disparity"),
            files=files,
        )

    def _sheets(self, batch: DepthBatch, found: Mapping[str, Any]) -> Iterator[PanelSample]:
        """Yield whole clips."""
        if batch["depth"].ndim == 4:
            return
        alignment = found.get("alignment") or self.alignment
        for index in range(len(batch["key"])):
            yield aligned_sample(batch, index, found["prediction"].float(), alignment)

    def _draw_one(self, trainer: Trainer, stage: str, benchmark: str, sample: PanelSample) -> None:
        sheets = {"strip": draw_strip(sample), "slice": draw_slice(sample)}
        moving = draw_video(sample)
        film = gif(moving)
        if self.files and self._folder is not None:
            stem = file_name(benchmark, sample.key)
            for kind, sheet in sheets.items():
                write_png(self._folder / f"{stem}_{kind}.png", sheet)
            write_whole(self._folder / f"{stem}_video.gif", film)
        scope, step = f"{stage}/{benchmark}", trainer.global_step
        for logger in trainer.loggers:
            if not isinstance(logger, TensorBoardLogger):
                continue
            for kind, sheet in sheets.items():
                tag = f"{scope}/{kind}/{sample.key}"
                logger.experiment.add_image(tag, sheet, step, dataformats="HWC")
            add_film(logger.experiment, f"{scope}/video/{sample.key}", film, moving[0], step=step)


def add_film(writer: SummaryWriter, tag: str, film: bytes, frame: Picture, *, step: int) -> None:
    """Write a GIF; ``SummaryWriter.add_video`` does the same, but asks for a package to code it."""
    height, width, channels = frame.shape
    image = Summary.Image(
        height=height, width=width, colorspace=channels, encoded_image_string=film
    )
    summary = Summary(value=[Summary.Value(tag=tag, image=image)])
    writer._get_file_writer().add_summary(summary, step)  # type: ignore[no-untyped-call]
