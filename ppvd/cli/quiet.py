"""Silence about what is not the person's concern."""

import logging
import warnings


def hush(*, training: bool) -> None:
    """Drop Lightning's advertisements, and torch's remarks on Lightning's calls to it.

    Args:
        training: Whether a training may go on; if not, the state of the callbacks that the
            checkpoint was written with does not matter, and no remark on it either.
    """
    logging.getLogger("lightning.pytorch.utilities.rank_zero").addFilter(_worth_reading)
    warnings.filterwarnings("ignore", r".*LeafSpec\)` is deprecated", FutureWarning)
    warnings.filterwarnings("ignore", "Precision bf16-mixed is not supported by the model summary")
    # Of the velocity that a sharded network returns; nobody changes it in place.
    warnings.filterwarnings("ignore", "FSDP2-wrapped module .* returned a view tensor")
    if not training:
        warnings.filterwarnings("ignore", "Be aware that when using `ckpt_path`, callbacks used")
        warnings.filterwarnings("ignore", "The dirpath has changed from")


def _worth_reading(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    unread = ("Tip: For seamless cloud", "Trainer already configured with model summary")
    return not any(part in message for part in unread)
