"""What an autoencoder leaves of true depth: the row GT(VAE) of Table VI."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torchmetrics import Metric

from ppvd.geometry import DepthCodec, LogDepthCodec


@runtime_checkable
class Autoencoder(Protocol):
    """An encoder-decoder of pictures in [-1, 1], ``(B, 3, H, W)``, as ``diffusers`` has them.

    ``encode`` returns a latent tensor, or an object whose ``latent_dist`` (or ``latents``) holds
    it; ``decode`` a picture, or an object whose ``sample`` is one. Scaling factors of a latent
    cancel and are not applied.
    """

    def encode(self, picture: Tensor) -> object:
        """Return the latent of pictures."""
        ...

    def decode(self, latent: Tensor) -> object:
        """Return the pictures of a latent."""
        ...


def through_autoencoder(code: Tensor, autoencoder: Autoencoder, *, divisor: int = 8) -> Tensor:
    """Return codes as an autoencoder gives them back.

    The code becomes a grey picture in [-1, 1], which goes through the latent's most likely value,
    and the mean of the three channels comes back: how Marigold treats depth.

    Args:
        code: About [-0.5, 0.5], ``(B, 1, H, W)``.
        autoencoder: The encoder-decoder.
        divisor: Sides are filled up to a multiple of it with the border's values, and cut again.

    Returns:
        Codes, shape of ``code``, float32.

    Raises:
        ValueError: If what the autoencoder returns is no tensor and holds none.
    """
    height, width = code.shape[-2:]
    margin = (0, -width % divisor, 0, -height % divisor)
    picture = nn.functional.pad(2.0 * code.float(), margin, mode="replicate").expand(-1, 3, -1, -1)
    latent = _latent(autoencoder.encode(picture))
    restored = autoencoder.decode(latent)
    if not isinstance(restored, Tensor):
        restored = getattr(restored, "sample", None)
    if not isinstance(restored, Tensor):
        raise ValueError("decode must return a tensor or an object with a tensor 'sample'")
    return restored.float().mean(dim=1, keepdim=True)[..., :height, :width] / 2.0


def _latent(encoded: object) -> Tensor:
    if isinstance(encoded, Tensor):
        return encoded
    distribution = getattr(encoded, "latent_dist", None)
    found = distribution.mode() if distribution is not None else getattr(encoded, "latents", None)
    if not isinstance(found, Tensor):
        raise ValueError(
            "encode must return a tensor, or an object with 'latent_dist' or 'latents', got "
            f"{type(encoded).__name__}"
        )
    return found


class ThroughAutoencoder(Metric):
    """Scores true depth that went through an autoencoder: the best a model behind it can do.

    A metric around another: whatever the prediction, it is the truth that is encoded, pushed
    through, decoded, and scored by the inner metric. In a YAML, ``metric`` is any metric of this
    package, with an alignment in the codec's space, and ``autoencoder`` any module with ``encode``
    and ``decode``, for instance ``class_path: diffusers.AutoencoderKL``.

    Args:
        metric: Scores ``prediction``, here codes, against ``depth``.
        autoencoder: An ``Autoencoder``; frozen, in float32.
        codec: Carries depth to codes.
        divisor: As in ``through_autoencoder``.

    Raises:
        ValueError: If ``autoencoder`` has no ``encode`` and ``decode``.
    """

    is_differentiable = False
    higher_is_better = None
    full_state_update = False

    def __init__(
        self,
        metric: Metric,
        autoencoder: nn.Module,
        *,
        codec: DepthCodec | None = None,
        divisor: int = 8,
    ) -> None:
        super().__init__()
        if not isinstance(autoencoder, Autoencoder):
            raise ValueError(
                f"autoencoder must have encode and decode, got {type(autoencoder).__name__}"
            )
        self.metric = metric
        self.codec = codec or LogDepthCodec()
        self.divisor = divisor
        self.autoencoder = autoencoder.eval().requires_grad_(False)

    @torch.no_grad()
    def update(
        self,
        depth: Tensor,
        valid: Tensor,
        intrinsics: Tensor | None = None,
        key: Sequence[str] | None = None,
    ) -> None:
        """Add a batch of images, or of clips; arguments as in the inner metric's ``update``."""
        code, _ = self.codec.encode(depth, valid)
        flat = code.flatten(0, -4)
        autoencoder = self.autoencoder
        assert isinstance(autoencoder, Autoencoder)
        restored = through_autoencoder(flat, autoencoder, divisor=self.divisor)
        batch = {
            "prediction": restored.reshape(code.shape),
            "depth": depth,
            "valid": valid,
            "intrinsics": intrinsics,
            "key": key,
        }
        self.metric.update(**self.metric._filter_kwargs(**batch))

    def compute(self) -> object:
        """Return what the inner metric returns."""
        return self.metric.compute()

    def reset(self) -> None:
        """Forget all images."""
        super().reset()
        self.metric.reset()
