"""What scenes show: rooms, streets, yards, and all that stands or moves in them."""

from ppvd.data.sources.synthetic.world.indoor import indoor_scene
from ppvd.data.sources.synthetic.world.street import street_scene
from ppvd.data.sources.synthetic.world.yard import yard_scene

__all__ = ["indoor_scene", "street_scene", "yard_scene"]
