"""A downloaded set of videos: pictures, or segments of consecutive frames."""

from dataclasses import dataclass, replace
from itertools import groupby

from ppvd.data.encode import Sample
from ppvd.data.errors import SampleError
from ppvd.data.manifest import LeftOut
from ppvd.data.raw.segments import cut, jumps, runs
from ppvd.data.raw.shot import Entry, Shot, Taken
from ppvd.data.raw.source import RawSource


@dataclass(frozen=True, kw_only=True)
class VideoSource(RawSource):
    """A downloaded data set whose sequences are videos.

    A segment never crosses a missing frame, a damaged one, a change of size or a jump to another
    view: what is damaged or jumps is only seen when it is read, so the longest run of the segment
    is kept and the other frames are reported.

    Args:
        raw: Folder of the unpacked download.
        split: Split of the data set.
        limit: Take only so many samples.
        clips: Make segments of consecutive frames instead of pictures.
        frames_per_clip: Frames of a segment; a tail of less than half joins the one before it.
        stride: Frames from one that is taken into a segment to the next.

    Raises:
        ValueError: If a number is out of its range.
    """

    clips: bool = False
    frames_per_clip: int = 32
    stride: int = 1

    def __post_init__(self) -> None:
        """Refuse what is no segment."""
        super().__post_init__()
        if self.frames_per_clip < 2:
            raise ValueError(f"frames_per_clip must be at least 2, got {self.frames_per_clip}")
        if self.stride < 1:
            raise ValueError(f"stride must be at least 1 frame, got {self.stride}")

    @property
    def shortest(self) -> int:
        """Frames that a segment needs to be kept: half of ``frames_per_clip``."""
        return (self.frames_per_clip + 1) // 2

    def assemble(self, shots: list[Shot]) -> list[Entry]:
        """Return pictures, or the segments of each sequence."""
        if not self.clips:
            return super().assemble(shots)
        entries: list[Entry] = []
        for _, sequence in groupby(shots, key=lambda shot: shot.sequence):
            entries += self._segments({shot.number: shot for shot in sequence})
        return entries

    def _segments(self, shots: dict[int, Shot]) -> list[Entry]:
        """Return the segments of one sequence, and an unfit entry for each frame in none."""
        fit = sorted(number for number, shot in shots.items() if not shot.fault)
        entries = [
            Entry(key=self.key(shot), shots=(shot,), fault=shot.fault)
            for shot in shots.values()
            if shot.fault
        ]
        for run in runs(fit, stride=self.stride):
            for numbers in cut(run, self.frames_per_clip):
                segment = tuple(shots[number] for number in numbers)
                short = len(segment) < self.shortest
                fault = f"a run of {len(segment)} frames is shorter than {self.shortest}"
                key = f"{self.key(segment[0])}-{len(segment):03d}"
                entries.append(Entry(key=key, shots=segment, fault=fault if short else ""))
        return entries

    def read(self, entry: Entry) -> Sample:
        """Read a picture, or the longest steady run of a segment."""
        if not self.clips:
            return super().read(entry)
        left_out: list[LeftOut] = []
        pieces: list[list[Taken]] = [[]]
        for shot in entry.shots:
            try:
                taken = self.take(shot)
                if self.split == "train" and not taken.frame.valid.any():
                    raise SampleError("a training frame must have valid depth, got none")
            except SampleError as error:
                left_out.append(LeftOut(key=self.key(shot), reason=str(error), whole=False))
                pieces.append([])
                continue
            if pieces[-1] and _breaks(pieces[-1][-1], taken):
                pieces.append([])
            pieces[-1].append(taken)
        longest = max(pieces, key=len)
        if len(longest) < self.shortest:
            raise SampleError(_too_short(longest, self.shortest, left_out))
        others = (one.frame.key for piece in pieces if piece is not longest for one in piece)
        left_out += [LeftOut(key=key, reason=_APART, whole=False) for key in others]
        return replace(self.stored(entry, longest), left_out=tuple(left_out))


_APART = "a damaged frame or a jump parts it from the longer run of its segment"


def _breaks(before: Taken, after: Taken) -> bool:
    first, second = before.frame.depth, after.frame.depth
    return first.shape != second.shape or jumps(first, second)


def _too_short(longest: list[Taken], shortest: int, left_out: list[LeftOut]) -> str:
    reasons = "; ".join(dict.fromkeys(item.reason for item in left_out)) or "jumps"
    return f"its longest steady run of {len(longest)} frames is shorter than {shortest} ({reasons})"
