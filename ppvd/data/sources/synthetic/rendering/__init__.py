"""The ray-caster: from a scene to a picture with exact depth, in NumPy."""

from ppvd.data.sources.synthetic.rendering.render import Picture, render

__all__ = ["Picture", "render"]
