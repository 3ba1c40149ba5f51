import importlib.util
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

STUB = Path(__file__).with_name("stub_clip.py")


def drawn(number, height=48, width=64):
    """A frame whose top left corner is red and whose grey tells its number."""
    image = np.full((height, width, 3), 10 * number % 250, np.uint8)
    image[: height // 2, : width // 2] = 255, 0, 0
    return image


@pytest.fixture
def clip(tmp_path):
    """Writes a video and returns its path."""

    def write(
        name="clip.mp4",
        num=10,
        *,
        size=(48, 64),
        rate=25,
        codec="libx264",
        layout="yuv420p",
        times=None,
        sound=None,
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=rate)
            stream.height, stream.width, stream.pix_fmt = *size, layout
            if times is not None:
                stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
            audio = sound and container.add_stream(sound, rate=48000, layout="mono")
            for number in range(num):
                frame = av.VideoFrame.from_ndarray(drawn(number, *size), format="rgb24")
                if times is not None:
                    frame.pts, frame.time_base = times[number], Fraction(1, 1000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
            if sound:
                hum(container, audio, seconds=num / rate)
        return path

    return write


def hum(container, audio, *, seconds):
    wave = np.sin(np.arange(round(48000 * seconds)) / 20).astype(np.float32)
    for start in range(0, len(wave), 960):
        part = wave[None, start : start + 960]
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        container.mux(audio.encode(frame))
    container.mux(audio.encode())


@pytest.fixture
def broken():
    """Overwrites some packets of a file."""

    def break_(path, packets):
        with av.open(str(path)) as container:
            places = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
        content = bytearray(path.read_bytes())
        for place, size in (places[number] for number in packets):
            content[place : place + size] = bytes(size)
        path.write_bytes(content)
        return path

    return break_


@pytest.fixture(scope="session")
def stub():
    """Clips and a predictor without a network; the module also runs as a program."""
    spec = importlib.util.spec_from_file_location("stub_clip", STUB)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
