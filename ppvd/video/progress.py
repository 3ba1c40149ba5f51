"""How far the work on a clip has come, in one file that appears whole."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ppvd.whole import write_whole

FILE = "progress.safetensors"


@dataclass(frozen=True, kw_only=True)
class ClipProgress:
    """What is written so far, and what the next segment needs of it.

    Attributes:
        num_segments: Segments written whole.
        num_frames: Frames in them.
        tensors: State of the predictor after them.
    """

    num_segments: int = 0
    num_frames: int = 0
    tensors: Mapping[str, Tensor] = field(default_factory=dict)

    def write(self, work: Path, job: Mapping[str, object]) -> None:
        """Remember it, and which job it belongs to, in the job's working folder."""
        counts = {"num_segments": self.num_segments, "num_frames": self.num_frames}
        note = {"progress": json.dumps({"job": job, **counts})}
        tensors = {name: tensor.contiguous() for name, tensor in self.tensors.items()}
        write_whole(work / FILE, save(tensors, note))


def read_progress(work: Path, job: Mapping[str, object]) -> ClipProgress:
    """Return how far a job has come; nowhere, if its folder does not say.

    Args:
        work: The job's working folder.
        job: What it is, in words and numbers.

    Raises:
        ValueError: If the folder belongs to another job, or the file cannot be read.
    """
    path = work / FILE
    if not path.exists():
        return ClipProgress()
    try:
        with safe_open(path, "pt") as file:
            note = json.loads((file.metadata() or {})["progress"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError(f"{path} must be whole: remove {work} and start anew") from error
    asked = json.loads(json.dumps(job))
    changed = sorted(key for key in asked | note["job"] if asked.get(key) != note["job"].get(key))
    if changed:
        before = {key: note["job"].get(key) for key in changed}
        raise ValueError(
            f"a job can only be resumed as it was begun, in {work}, but {', '.join(changed)} "
            f"changed from {before}: give what was given, or start anew without --resume"
        )
    counts = {key: note[key] for key in ("num_segments", "num_frames")}
    return ClipProgress(tensors=tensors, **counts)
