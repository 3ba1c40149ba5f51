"""One scale and shift for a whole video, whose windows each have their own."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ppvd.geometry.fits import AffineFit, fit_affine


class WindowChain:
    """Carries the windows of a video, one after another, onto the scale and shift of the first.

    Each window is fitted on its opening frames, the keyframes of the windows before, over all
    their pixels (released code). A fit that turns depth over or stretches it without measure, for
    want of structure to fit, is replaced by the shift between the means (ours; the released code
    takes any scale, and changes nothing where the equations are singular).

    Only the keyframes are kept from window to window. Nothing makes the device wait.

    Args:
        keyframes: Places in a window of the frames that open the next one, increasing from 0.
        max_scale: Scales outside ``[1 / max_scale, max_scale]`` are not believed (ours).

    Attributes:
        fits: Scale and shift of each window so far, float64, ``(1, 1, 1, 1)`` each.
        seams: Root mean square over the opening frames of what is left between each window and
            those before it, in codes, float64, no axes; 0 for the first window.

    Raises:
        ValueError: If ``max_scale`` is not above 1.
    """

    def __init__(self, keyframes: Sequence[int], *, max_scale: float = 10.0) -> None:
        if not max_scale > 1:
            raise ValueError(f"max_scale must be above 1, got {max_scale}")
        self.keyframes = tuple(keyframes)
        self.max_scale = max_scale
        self.fits: list[AffineFit] = []
        self.seams: list[Tensor] = []
        self._opening: Tensor | None = None  # keyframes on the scale of the first window

    def __call__(self, window: Tensor) -> Tensor:
        """Return the frames of the next window that are new, on the scale of the first window.

        Args:
            window: Depth codes of a window, ``(T, 1, H, W)``; all but the first window begin
                with the keyframes of the one before.

        Returns:
            All frames of the first window, those behind the keyframes of the others,
            ``(N, 1, H, W)``, dtype of ``window``.
        """
        if self._opening is None:
            one = torch.ones(1, 1, 1, 1, dtype=torch.double, device=window.device)
            self.fits.append(AffineFit(one, torch.zeros_like(one)))
            self.seams.append(torch.zeros_like(one).squeeze())
            self._opening = window[list(self.keyframes)]
            return window
        fit = self._fit(window[: len(self.keyframes)], self._opening)
        self.fits.append(fit)
        aligned = (fit.scale * window.double() + fit.shift).to(window.dtype)
        rest = aligned[: len(self.keyframes)] - self._opening
        self.seams.append(rest.double().square().mean().sqrt())
        aligned = torch.cat([self._opening, aligned[len(self.keyframes) :]])
        self._opening = aligned[list(self.keyframes)]
        return aligned[len(self.keyframes) :]

    def state(self) -> dict[str, Tensor]:
        """Return what the next window needs of those before it; empty before the first."""
        if self._opening is None:
            return {}
        lines = [torch.stack([fit.scale, fit.shift]).flatten() for fit in self.fits]
        return {
            "opening": self._opening,
            "fits": torch.stack(lines),  # (windows, 2)
            "seams": torch.stack(self.seams),
        }

    def restore(self, state: Mapping[str, Tensor], *, device: torch.device) -> None:
        """Go on from what ``state`` returned, on a device."""
        if not state:
            return
        there = {name: tensor.to(device) for name, tensor in state.items()}
        self._opening, self.seams = there["opening"], list(there["seams"])
        pairs = there["fits"].reshape(-1, 2, 1, 1, 1, 1)
        self.fits = [AffineFit(scale, shift) for scale, shift in pairs]

    def _fit(self, source: Tensor, target: Tensor) -> AffineFit:
        source, target = source.double()[None], target.double()[None]
        fit = fit_affine(source, target, torch.ones_like(source, dtype=torch.bool))
        believed = (fit.scale >= 1 / self.max_scale) & (fit.scale <= self.max_scale)
        shift = torch.where(believed, fit.shift, target.mean() - source.mean())
        return AffineFit(torch.where(believed, fit.scale, 1.0)[0], shift[0])
