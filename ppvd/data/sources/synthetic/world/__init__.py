"""What scenes show: rooms, streets, and all that stands or moves in them."""

from ppvd.data.sources.synthetic.world.indoor import indoor_scene
from ppvd.data.sources.synthetic.world.street import street_scene

__all__ = ["indoor_scene", "street_scene"]
