from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

# What makes the host wait for a device: reading a value, or a shape that depends on one.
SYNCS = {
    torch.ops.aten._local_scalar_dense.default,
    torch.ops.aten.nonzero.default,
    torch.ops.aten.masked_select.default,
    torch.ops.aten.index.Tensor,
    torch.ops.aten.equal.default,
    torch.ops.aten.is_nonzero.default,
}


class _ForbidSyncs(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        masked = func is torch.ops.aten.index.Tensor and all(
            index is None or index.dtype != torch.bool for index in args[1]
        )
        if func in SYNCS and not masked:
            raise AssertionError(f"{func} waits for the device")
        return func(*args, **(kwargs or {}))


@pytest.fixture
def forbid_syncs() -> Callable[[], AbstractContextManager[Any]]:
    return _ForbidSyncs
