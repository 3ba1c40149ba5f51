"""A network's weights spread over devices (FSDP2): every block is gathered on its own."""

from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method

from ppvd.nn.block import Block

ENTRANCES = ("condition", "modulation", "denoise", "denoise_with_tokens")
"""Methods by which tasks call a network, beside its forward."""


def shard(network: nn.Module, mesh: DeviceMesh) -> None:
    """Leave each device a part of every weight; what was sharded already stays as it is.

    Each `Block` is gathered when it runs and freed after it. What lies outside of blocks is one
    group, gathered at each entrance to the network; it is freed too, so that between steps, where
    an average may take the weights' place, no gathered copy goes stale.

    Args:
        network: What a task trains; the same weights must be in it on every device.
        mesh: The devices, in one dimension.
    """
    if isinstance(network, FSDPModule):
        return
    blocks = [part for part in network.modules() if isinstance(part, Block)]
    for part in (*reversed(blocks), network):  # Inner blocks before those around them.
        fully_shard(part, mesh=mesh, reshard_after_forward=True)
    for entrance in ENTRANCES:
        if hasattr(network, entrance):
            register_fsdp_forward_method(network, entrance)
