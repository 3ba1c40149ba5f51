"""The models that others have published: where each file is, and under which licence."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Published:
    """One published file.

    Attributes:
        name: What it is called here.
        kind: ``image`` or ``video`` for a network that denoises depth, else ``encoder``.
        file: Name under which the file is kept locally.
        page: What to open in a browser to get the file by hand.
        licence: Of the weights, as their authors state it.
        hub: Repository on the Hugging Face hub and the file's name there; ``None``: see ``url``.
        url: Address that answers with the file itself; ``None`` with ``hub=None`` means that it
            lies behind a page that only a browser gets past.
        encoder: Name of the encoder that prompts the network; ``None`` for an encoder.
        mapping: Name by which ``released.encoder`` knows the layout; empty for a network.
        sha256: Of the file; ``None``: its authors state none. The hub's own is checked anyway.
    """

    name: str
    kind: Literal["image", "video", "encoder"]
    file: str
    page: str
    licence: str
    hub: tuple[str, str] | None = None
    url: str | None = None
    encoder: str | None = None
    mapping: str = ""
    sha256: str | None = None


def published(name: str) -> Published:
    """Return the entry of a name.

    Raises:
        ValueError: If nothing is published under that name.
    """
    if name not in PUBLISHED:
        near = get_close_matches(name, PUBLISHED, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"name must be one of {', '.join(PUBLISHED)}, got {name}{hint}")
    return PUBLISHED[name]


_DRIVE = "https://drive.google.com/file/d/{}/view"
_MODELS = (
    Published(
        name="ppd-dav2",
        kind="image",
        file="ppd.pth",
        hub=("gangweix/Pixel-Perfect-Depth", "ppd.pth"),
        page="https://huggingface.co/gangweix/Pixel-Perfect-Depth",
        licence="Apache-2.0 (of the authors' repository)",
        encoder="depth-anything-v2-l",
    ),
    Published(
        name="ppd-moge2",
        kind="image",
        file="ppd_moge.pth",
        page=_DRIVE.format("1tabmcsbRVDKDfmO4KU1vOjurzN-wp0HV"),
        licence="Apache-2.0 (of the authors' repository)",
        encoder="moge2-l",
    ),
    Published(
        name="ppvd-pi3",
        kind="video",
        file="ppvd.pth",
        page=_DRIVE.format("1IbMxrljpqkw92Z0G3CVEIrf-JffbI8sN"),
        licence="Apache-2.0 (of the authors' repository)",
        encoder="pi3",
    ),
    Published(
        name="depth-anything-v2-l",
        kind="encoder",
        file="depth_anything_v2_vitl.pth",
        hub=("depth-anything/Depth-Anything-V2-Large", "depth_anything_v2_vitl.pth"),
        page="https://huggingface.co/depth-anything/Depth-Anything-V2-Large",
        licence="CC-BY-NC-4.0 (non-commercial)",
        mapping="depth_anything_v2",
    ),
    Published(
        name="dinov2-l",
        kind="encoder",
        file="dinov2_vitl14_pretrain.pth",
        url="https://dl.fbaipublicfiles.com/dinov2/dinov2_vitl14/dinov2_vitl14_pretrain.pth",
        page="https://github.com/facebookresearch/dinov2",
        licence="Apache-2.0",
        mapping="dinov2",
    ),
    Published(
        name="mae-l",
        kind="encoder",
        file="mae_pretrain_vit_large.pth",
        url="https://dl.fbaipublicfiles.com/mae/pretrain/mae_pretrain_vit_large.pth",
        page="https://github.com/facebookresearch/mae",
        licence="CC-BY-NC-4.0 (non-commercial)",
        mapping="mae",
    ),
    Published(
        name="moge2-l",
        kind="encoder",
        file="moge2.pt",
        hub=("Ruicheng/moge-2-vitl-normal", "model.pt"),
        page="https://huggingface.co/Ruicheng/moge-2-vitl-normal",
        licence="MIT",
        mapping="moge2",
    ),
    Published(
        name="pi3",
        kind="encoder",
        file="pi3.safetensors",
        hub=("yyfz233/Pi3", "model.safetensors"),
        page="https://huggingface.co/yyfz233/Pi3",
        licence="CC-BY-NC-4.0 (non-commercial)",
        mapping="pi3",
    ),
    Published(
        name="vggt-1b",
        kind="encoder",
        file="vggt_1b.pt",
        hub=("facebook/VGGT-1B", "model.pt"),
        page="https://huggingface.co/facebook/VGGT-1B",
        licence="as stated on its page",
        mapping="vggt",
    ),
)
PUBLISHED: Mapping[str, Published] = MappingProxyType({model.name: model for model in _MODELS})
