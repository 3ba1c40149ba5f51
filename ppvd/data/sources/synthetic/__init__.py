"""Procedural rooms, streets and yards with exact depth, rendered with NumPy alone."""

from ppvd.data.sources.synthetic.frames import Clip, World, render_clip, render_frame

__all__ = ["Clip", "World", "render_clip", "render_frame"]
