"""Pixel-Perfect Video Depth: clips, windows, and one scale for a whole video (section III-D)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torchmetrics import Metric

from ppvd.flow import (
    LogitNormalTimes,
    Solver,
    TimeGrid,
    UniformTimes,
    euler,
    released_grid,
    uniform_grid,
)
from ppvd.geometry import Alignment, DisparityCodec, WindowChain
from ppvd.metrics import DepthErrors, EdgeChamfer
from ppvd.nn import CascadeDiT
from ppvd.semantics import SemanticEncoder
from ppvd.tasks.base import OptimizerCallable, SchedulerCallable, paper_adamw
from ppvd.tasks.flow_task import FlowTask
from ppvd.tasks.noise import keyed_noise
from ppvd.tasks.spread import groups_of, spread
from ppvd.tasks.view import (
    RELEASED_SIDE,
    NativeView,
    ReleasedVideoView,
    View,
    released_precision,
)
from ppvd.tasks.windows import WindowPlan

Window = tuple[list[Tensor], int]  # frames, and how many of them are new


class PPVD(FlowTask):
    """Generates the depth of a video from noise, window by window.

    With an encoder that sees clips this is SC-DiT, with one of images SP-DiT; the rows of
    Table V differ in that and in the network's ``propagation``. Batches of clips,
    ``(B, T, ...)``, train it, and so do batches of images, as in its first stage (III-F):
    these are clips of one frame.

    Args:
        encoder: Foundation model that describes the frames (Eq. 5); frozen for good.
        net: Builds the network from the width of the features that prompt it.
        initial_weights: Checkpoint or file whose network a training starts from: that of the
            first stage, or of a PPD. It may lack temporal blocks and gates of propagation, which
            then keep their start: the output is at first what it was.
        codec: Metric depth to the network's range and back (Eq. 8), one range a clip. ``None``:
            disparity (section III-F).
        times: Draws the training times, one a clip; see ``FlowTask``.
        losses: Terms of the training loss; see ``FlowTask``. Eq. 11 has three: ``VelocityError``,
            ``GradientMatching``, ``TemporalGradient``.
        weights: Factors of the terms (Eq. 11); absent means 1.
        windows: How a video is cut into windows. ``None``: as released.
        parity: ``"released"`` shows frames to the network as the released script does: squashed
            to 512 x 512, with red and blue swapped, as never in training, and in half precision.
            ``None`` keeps colour and aspect, and edges when depth is enlarged.
        solver: Integrates the velocity field from noise to depth (Eq. 4).
        grid: Sampling times for a number of steps.
        num_steps: Solver steps of an evaluation (released code: 4).
        seed: Seed of the evaluation noise.
        noise: Which noise the frames of a clip are sampled from. ``"released"``: each place in
            a window has its own, the same in all windows. ``"still"``: all frames have that of an
            image (ours), so that what stands still comes out alike: far less flicker.
        metrics: Scores of an evaluation; see ``DepthTask``. ``None``: ``DepthErrors`` and
            ``EdgeChamfer``, each clip aligned by one scale and shift of its disparity.
        optimizer: Builds the optimiser; see ``DepthTask``.
        scheduler: Builds a schedule; see ``DepthTask``.
        pixels: Area at which the network looks at evaluation frames; see ``DepthTask``.
    """

    published_kind = "video"
    published_settings: ClassVar = {
        "grid": released_grid,
        "num_steps": 4,
        "pixels": RELEASED_SIDE**2,
    }

    def __init__(
        self,
        encoder: SemanticEncoder,
        net: Callable[[int], CascadeDiT],
        *,
        initial_weights: str | Path | None = None,
        codec: DisparityCodec | None = None,
        times: LogitNormalTimes | UniformTimes | None = None,
        losses: dict[str, nn.Module] | None = None,
        weights: dict[str, float] | None = None,
        windows: WindowPlan | None = None,
        parity: Literal["released"] | None = None,
        solver: Solver = euler,
        grid: TimeGrid = uniform_grid,
        num_steps: int = 4,
        seed: int = 0,
        noise: Literal["released", "still"] = "released",
        metrics: dict[str, Metric] | None = None,
        optimizer: OptimizerCallable = paper_adamw,
        scheduler: SchedulerCallable | None = None,
        pixels: int | None = None,
    ) -> None:
        super().__init__(
            encoder,
            net,
            prompt=True,
            initial_weights=initial_weights,
            codec=codec or DisparityCodec(),
            times=times,
            losses=losses,
            weights=weights,
            solver=solver,
            grid=grid,
            num_steps=num_steps,
            seed=seed,
            metrics=metrics or _scores_in_disparity(),
            optimizer=optimizer,
            scheduler=scheduler,
            pixels=pixels,
        )
        if parity not in (None, "released"):
            raise ValueError(f"parity must be released or None, got {parity!r}")
        if noise not in ("released", "still"):
            raise ValueError(f"noise must be released or still, got {noise!r}")
        if parity and noise != "released":
            raise ValueError(f"noise must be released where parity is, got {noise}")
        self.windows = windows or WindowPlan()
        self.noise = noise
        self.parity = parity

    @property
    def own_view(self) -> View:
        """How frames come before the network, and codes back to their size."""
        if self.parity == "released":
            return ReleasedVideoView()
        return NativeView(divisor=self.divisor, pixels=self.pixels)

    def predict(self, image: Tensor, *, keys: Sequence[str]) -> Tensor:
        """Estimate the depth code of images, or of whole clips with one scale and shift.

        Args:
            image: sRGB in [0, 1], ``(B, [T,] 3, H, W)``.
            keys: Names of the images or clips; noise is drawn from them.

        Returns:
            Code, affine in disparity, ``(B, [T,] 1, H, W)``.
        """
        if image.ndim == 4:
            return super().predict(image, keys=keys)
        clips = [self.predict_clip(clip, key=key) for clip, key in zip(image, keys, strict=True)]
        return torch.stack([torch.stack(list(clip)) for clip in clips])

    def predict_clip(self, frames: Iterable[Tensor], *, key: str) -> Iterator[Tensor]:
        """Estimate the depth codes of a video of any length, as its frames come.

        One window at a time is on the device. All windows start from the same noise (released).

        Args:
            frames: sRGB in [0, 1], ``(3, H, W)`` each, all of one size, on any device.
            key: Name of the video; the noise is drawn from it.

        Yields:
            The code of each frame in order, affine in disparity with one scale and shift for
            the whole video, ``(1, H, W)``, on the task's device.
        """
        chain = WindowChain(self.windows.keyframes)
        for codes in self.predict_windows(frames, key=key, chain=chain):
            yield from codes

    def predict_windows(
        self,
        frames: Iterable[Tensor],
        *,
        key: str,
        chain: WindowChain,
        num_at_once: int = 1,
        replicas: Sequence["PPVD"] = (),
    ) -> Iterator[Tensor]:
        """Estimate the depth codes of a video window by window; see ``predict_clip``.

        Args:
            frames: As there, from the first frame on.
            key: As there.
            chain: Carries scale and shift across. Windows that it has seen are passed over, so
                that a restored chain goes on where it was.
            num_at_once: Windows that go through the network as one batch. Which windows share
                a batch is told by the video alone; sums in a larger batch may be ordered
                otherwise, so that codes differ in their last digits from those of another size.
            replicas: Copies of this task on further devices, which take batches in turn. On
                devices of one kind they change no digit.

        Yields:
            The codes of the frames that each window adds, ``(N, 1, H, W)``.
        """
        num_seen = len(chain.fits)
        groups = groups_of(self.windows.cut(frames), num_at_once)
        unseen = islice(groups, num_seen // num_at_once, None)
        samplers = [task._window_sampler(key) for task in (self, *replicas)]
        windows = (window for group in spread(unseen, samplers) for window in group)
        for code, num_new in islice(windows, num_seen % num_at_once, None):
            yield chain(code.to(self.device))[:num_new]

    def _window_sampler(self, key: str) -> Callable[[list[Window]], list[tuple[Tensor, int]]]:
        """Return what makes codes ``(T, 1, H, W)`` of windows, as they come out of a plan."""
        noises: list[Tensor] = []  # of the places in a window, once they have a size

        def sample(group: list[Window]) -> list[tuple[Tensor, int]]:
            shown = [torch.stack(window).to(self.device) for window, _ in group]
            clips = torch.stack([self.view.shrink(frames) for frames in shown])
            if not noises:
                noises.append(self._slot_noise(clips[0], key))
            codes = self._sample(clips, noises[0])
            large = map(self.view.enlarge, codes, shown)
            return [(code, num_new) for code, (_, num_new) in zip(large, group, strict=True)]

        return sample

    def predict_code(self, image: Tensor, *, keys: Sequence[str]) -> Tensor:
        """Sample the codes of images, each a clip of one frame (Eq. 4)."""
        size = image.shape[-2], image.shape[-1]
        noise = keyed_noise(keys, size, seed=self.seed).to(image.device)
        field = self.velocity_field(image[:, None])
        return self.solver(field, noise[:, None], self.grid).squeeze(1)

    @torch.no_grad()
    def _sample(self, clips: Tensor, noise: Tensor) -> Tensor:
        """Carry noise ``(T, 1, h, w)`` to the codes of windows, ``(B, T, 3, h, w)``."""
        with released_precision(clips.device) if self.parity else nullcontext():
            same = noise.expand(len(clips), *noise.shape)
            code = self.solver(self.velocity_field(clips), same, self.grid)
        return code.float()

    def _slot_noise(self, clip: Tensor, key: str) -> Tensor:
        """Draw the noise of each place in a window."""
        size = clip.shape[-2], clip.shape[-1]
        keys = [f"{key}/{slot}" for slot in range(len(clip))] if self.noise == "released" else [key]
        noise = keyed_noise(keys, size, seed=self.seed).to(clip.device)
        return noise.expand(len(clip), *noise.shape[1:])


def _scores_in_disparity() -> dict[str, Metric]:
    alignment = Alignment(space="disparity")
    return {"errors": DepthErrors(alignment), "edges": EdgeChamfer(alignment)}
