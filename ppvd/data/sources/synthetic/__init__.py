"""Procedural rooms and streets with exact depth, rendered with NumPy alone."""

from ppvd.data.sources.synthetic.frames import Clip, render_clip, render_frame

__all__ = ["Clip", "render_clip", "render_frame"]
