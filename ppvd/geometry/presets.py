"""The alignments of published evaluations by name; in a YAML, ``class_path: ppvd.ppd_alignment``.

Each states its source's choices; masks, crops and the mean over images are the protocol's part.
"""

from typing import Literal

from ppvd.geometry.align import Alignment


def ppd_alignment(*, seed: int = 666, parity: bool = False) -> Alignment:
    """Released PPD: RANSAC in ``log(depth + 1)``, one fit an image, up to its largest depth.

    Args:
        seed: Of the draws; the released evaluation never sets it.
        parity: Keep its two fallbacks, of which the first loses the shift and, for a reversed
            prediction, the direction; see ``Alignment``.
    """
    return Alignment(solver="ransac", scope="image", seed=seed, parity=parity)


def marigold_alignment(
    *,
    space: Literal["depth", "disparity"] = "depth",
    near_m: float = 1e-3,
    far_m: float | None = 10.0,
    fit_side: int | None = None,
) -> Alignment:
    """Marigold: least squares, one fit an image, within the data set's limits.

    Args:
        space: ``"disparity"`` for predictions affine in disparity, of which only positive ones
            take part in the fit.
        near_m: The data set's smallest depth: 1e-3 for NYUv2 and ScanNet, 1e-5 for KITTI.
        far_m: Its largest: 10 for NYUv2 and ScanNet, 80 for KITTI, none for ETH3D.
        fit_side: 1024 for ETH3D; see ``Alignment``.
    """
    return Alignment(
        space=space,
        scope="image",
        near_m=near_m,
        far_m=far_m,
        fit_side=fit_side,
        positive_only=space == "disparity",
    )


def midas_alignment(*, far_m: float | None = 10.0, parity: bool = False) -> Alignment:
    """MiDaS: least squares in disparity, one fit an image, up to the data set's largest depth.

    Args:
        far_m: Largest depth of the data set, metres.
        parity: Scale 0 and shift 0 for a constant prediction, as MiDaS's 2x2 solver gives.
    """
    return Alignment(space="disparity", scope="image", far_m=far_m, parity=parity)


def moge_alignment(*, invariance: Literal["affine", "scale", "disparity"] = "affine") -> Alignment:
    """MoGe: least absolute relative error in depth, or least squares in disparity.

    MoGe fits to a 64 x 64 grid of nearest valid pixels, here every n-th of at most 4096; and it
    leaves negative depths, which count as accurate in its delta, where here a micrometre is the
    least.

    Args:
        invariance: What the prediction leaves open: scale and shift of depth, its scale, or
            scale and shift of disparity.
    """
    if invariance == "disparity":
        return Alignment(space="disparity", scope="image", near_m=1e-6)
    if invariance not in ("affine", "scale"):
        raise ValueError(f"invariance must be affine, scale or disparity, got {invariance!r}")
    return Alignment(
        space="depth",
        solver="l1" if invariance == "affine" else "l1_scale",
        scope="image",
        weighting="relative",
        near_m=1e-6,
        far_m=None,
    )


def vda_alignment(*, far_m: float = 10.0) -> Alignment:
    """Video Depth Anything: least squares in disparity, one fit a video, predictions from 1e-3.

    Args:
        far_m: 10 for NYUv2, ScanNet and Bonn, 80 for KITTI, 70 for Sintel.
    """
    return Alignment(space="disparity", far_m=far_m, min_prediction=1e-3)


def depthcrafter_alignment(
    *, far_m: float = 10.0, domain: Literal["depth", "disp"] = "depth"
) -> Alignment:
    """DepthCrafter: as Video Depth Anything, which took it from there.

    Args:
        far_m: As in ``vda_alignment``.
        domain: Its option of that name: ``"disp"`` fits the prediction to the stored maps as
            they are, and compares it to them.
    """
    space: Literal["depth", "disparity"] = "disparity" if domain == "depth" else "depth"
    return Alignment(space=space, far_m=far_m, min_prediction=1e-3)


def cut3r_alignment(
    *, shift: bool = False, far_m: float | None = None, parity: bool = False
) -> Alignment:
    """CUT3R and MonST3R: least absolute error in depth, one fit a video.

    Args:
        shift: Whether a shift is fitted; theirs takes steps too short to move it (1000 of
            1e-4), ours is the optimum.
        far_m: Upper clamp: 70 for Sintel.
        parity: Without shift, stop after their ten steps.
    """
    solver: Literal["l1", "l1_scale"] = "l1" if shift else "l1_scale"
    near_m, most = 1e-5, 2**31
    return Alignment(
        space="depth", solver=solver, near_m=near_m, far_m=far_m, max_points=most, parity=parity
    )


def no_alignment(
    *,
    space: Literal["log", "depth", "disparity"] = "depth",
    near_m: float = 1e-3,
    far_m: float | None = None,
) -> Alignment:
    """Take predictions as they are; a metric model's.

    Args:
        space: Unit of the predictions.
        near_m: Lower clamp, metres.
        far_m: Upper clamp, metres.
    """
    return Alignment(space=space, solver="none", near_m=near_m, far_m=far_m)
