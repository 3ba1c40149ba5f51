"""Pixel-perfect monocular and video depth.

The public names of all rooms, each loaded when it is first used: ``import ppvd`` stays light,
and a recipe may say ``class_path: PPD``.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ppvd.batch import *  # noqa: F403
    from ppvd.callbacks import *  # noqa: F403
    from ppvd.cli.load import *  # noqa: F403
    from ppvd.data import *  # noqa: F403
    from ppvd.flow import *  # noqa: F403
    from ppvd.geometry import *  # noqa: F403
    from ppvd.losses import *  # noqa: F403
    from ppvd.metrics import *  # noqa: F403
    from ppvd.nn import *  # noqa: F403
    from ppvd.predictions import *  # noqa: F403
    from ppvd.protocols import *  # noqa: F403
    from ppvd.report import *  # noqa: F403
    from ppvd.scale import *  # noqa: F403
    from ppvd.semantics import *  # noqa: F403
    from ppvd.tasks import *  # noqa: F403
    from ppvd.video import *  # noqa: F403
    from ppvd.weights import *  # noqa: F403

_NAMES = {
    "batch": "DepthBatch PhotoBatch",
    "callbacks": """
        GradientNorms HParams LossBins RunState Stopped
        BadStepError BadSteps BeginEpochs ClipPanels DepthFiles DepthWriter EMA PanelSample Panels
        ResultsWriter SavePredictions SeedSteps Throughput WorstCases benchmark_names draw_panel
    """,
    "cli.load": "load",
    "data": """
        Augment BadSampleError Clips Frame Manifest Photos Sample SampleError ShardCache
        ShardDataModule ShardError ShardSource build_shards check_shards read_photo
    """,
    "flow": """
        LogitNormalTimes MIN_TIME Solver TimeGrid UniformTimes VelocityField adams_bashforth2
        clean_from_velocity euler heun interpolate noise_from_velocity released_grid shifted_grid
        uniform_grid velocity velocity_from_clean
    """,
    "geometry": """
        AffineFit Alignment Chamfer DepthCanny DepthCodec DepthRange DisparityCodec LogDepthCodec
        PointCloud WindowChain cloud_from_depth colourise crop_intrinsics cut3r_alignment
        depthcrafter_alignment dilate edge_chamfer enlarge_depth fit_affine fit_scale
        flip_intrinsics flying_points intrinsics_from_fov marigold_alignment masked_quantiles
        mean_distance midas_alignment moge_alignment nearest_distances no_alignment ppd_alignment
        project scale_intrinsics splat_depth unproject vda_alignment working_size write_ply
    """,
    "losses": """
        CodeError CodeStep FeatureAlignment FlowStep GradientMatching TemporalGradient
        VelocityError
    """,
    "metrics": """
        Autoencoder BoundaryF1 ClipMeans CloudScore DepthErrors DiscBoundaryF1 Drift EdgeChamfer
        EdgeDistance FlowWarpingError FlyingPixels ImageMeans SeamJump TemporalAlignmentError
        TemporalGradientError ThroughAutoencoder bootstrap_interval boundary_f1 cloud_scores
        decode_keys depth_errors disc_boundary_f1 edge_distances flow_warping_error
        scale_and_shift_drift seam_jump temporal_alignment_error temporal_gradient_error
        through_autoencoder
    """,
    "nn": """
        Attention Block Branches CascadeDiT Condition Mlp Modulation Modulator Propagation
        References Rotary SemanticPrompt Stage TokenGrid attend patchify rotary shard sincos
    """,
    "predictions": """
        DepthAnything3Files DepthCrafterFiles ExrFiles MarigoldFiles MoGeFiles NpzFiles OwnFiles
        Png16Files PredictionFiles SavedMap Suspicions VideoDepthAnythingFiles own_prediction place
    """,
    "protocols": """
        BottomMiddle Box DISPARITY_CODE LOG_CODE METRES Pixels Protocol Region Row SampleScores
        Shares Unit flat_row
    """,
    "scale": """
        AsyncCheckpoints CompileBlocks FSDP2 StopOnSignal WholeCheckpoints export_weights keep_whole
        require_whole
    """,
    "report": """
        Difference PaperTable ReportTable Result beside_paper compare_results comparison_markdown
        html_page latex_table load_paper_tables load_result markdown_table own_table
    """,
    "semantics": """
        ClipEncoder ClipMixer
        DINOv2 DepthAnythingV2 Frozen ImageInput MAE MoGe2 MoGe2Size NoSemantics Pi3
        PublishedEncoder SemanticEncoder TransformersEncoder VGGT ViT ViTEncoder ViTRegressor
        ViTSize ViewMixer ViewSize fill_part fill_strictly load_strictly read_state_dict
    """,
    "tasks": """
        CascadeRegressor DepthTask MeanDepth NonFiniteLossError PPD PPVD Regressor SavedDepth
        TransformersDepth WarmupCosine WindowPlan
    """,
    "video": """
        ArrayOutput CODE_LIMITS CODE_STEP COLOUR_ENCODING Camera ClipJob ClipOutput ClipPredictor
        ClipProgress ClipStoppedError Curve DEPTH_ENCODING Encoding FrameOutput FrameSeries
        FrameSource Shot VideoFile VideoFrame VideoOutput Wobble draw_curves side_by_side
        sixteen_bits
    """,
    "weights": """
        ModelCard PUBLISHED Pretrained Published describe_weights encoder fill_network image_dit
        import_weights read_card read_pretrained verify_weights video_dit weights_folder
    """,
}
_HOMES = {name: f"ppvd.{room}" for room, names in _NAMES.items() for name in names.split()}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
