"""Parts of a video to one file, without coding them again."""

import heapq
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from ppvd.video.backend import AvObject, av
from ppvd.whole import appearing_whole

# Sound that an mp4 file may hold.
_SOUND_CODECS = {"aac", "ac3", "alac", "eac3", "flac", "mp2", "mp3", "opus"}


def join(
    parts: Sequence[Path],
    path: Path,
    *,
    container: str,
    sound: Path | None = None,
    seconds: Fraction | None = None,
) -> None:
    """Write the packets of ``parts`` one after another to a file that appears whole.

    Args:
        parts: Files of one encoding whose times go on from each other; at least one.
        path: Where to.
        container: FFmpeg's name of the file format.
        sound: File whose first sound track goes along, as it is, if the container can hold it.
        seconds: Where the sound ends.
    """
    with (
        appearing_whole(path) as passing,
        av().open(str(passing), "w", format=container, options={"fflags": "+bitexact"}) as joined,
        av().open(str(parts[0])) as first,
    ):
        picture = joined.add_stream_from_template(first.streams.video[0])
        if sound is None or (track := _track(sound)) is None:
            joined.mux(_pictures(parts, picture))
            return
        with av().open(str(sound)) as source:
            heard = source.streams.audio[track]
            output = joined.add_stream_from_template(heard)
            streams = _pictures(parts, picture), _sounds(source, heard, output, seconds)
            for packet in heapq.merge(*streams, key=lambda packet: packet.dts * packet.time_base):
                joined.mux_one(packet)


def _track(sound: Path) -> int | None:
    with av().open(str(sound)) as source:
        names = [stream.codec_context.name for stream in source.streams.audio]
    return 0 if names and names[0] in _SOUND_CODECS else None


def _pictures(parts: Sequence[Path], output: AvObject) -> Iterator[AvObject]:
    for part in parts:
        with av().open(str(part)) as container:
            for packet in container.demux(video=0):
                if packet.dts is not None:
                    packet.stream = output
                    yield packet


def _sounds(
    source: AvObject, heard: AvObject, output: AvObject, seconds: Fraction | None
) -> Iterator[AvObject]:
    """Yield the packets of sound on the clock of the pictures, which starts with the first."""
    pictures = source.streams.video[0]
    start = (pictures.start_time or 0) * pictures.time_base
    shift = round(start / heard.time_base)
    for packet in source.demux(heard):
        if packet.dts is None:
            continue
        packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
        time = packet.pts * packet.time_base
        if seconds is not None and time >= seconds:
            return
        if time >= 0:
            packet.stream = output
            yield packet
