"""Cameras: video without an end, until it is asked for one."""

import sys
from collections.abc import Iterator

from ppvd.video.file import VideoFile
from ppvd.video.frame import VideoFrame

# FFmpeg's name of the system's cameras, and what the first one is called there.
_SYSTEMS = {"linux": ("v4l2", "/dev/video0"), "darwin": ("avfoundation", "0")}
_WINDOWS = "dshow", "video=Integrated Camera"


class Camera(VideoFile):
    """A camera of this machine.

    Frames that it makes while the network is busy are left out, as far as the system does not
    keep them; those that are read have their times.

    Args:
        device: Its name; ``None``: the first one.
        kind: FFmpeg's name of a kind of devices; ``None``: this system's cameras.

    Raises:
        ValueError: If there is none of that name.
        OSError: If it cannot be opened.
        ImportError: If PyAV is not installed.
    """

    def __init__(self, device: str | None = None, *, kind: str | None = None) -> None:
        own, first = _SYSTEMS.get(sys.platform, _WINDOWS)
        device = device or first
        super().__init__(device, name=f"camera {device}", kind=kind or own)
        self._is_over = False

    def stop(self) -> None:
        """End the video with the next frame; from any thread, or a signal."""
        self._is_over = True

    def __iter__(self) -> Iterator[VideoFrame]:
        """Yield frames until ``stop``."""
        frames = super().__iter__()
        for frame in frames:
            yield frame
            if self._is_over:
                return
