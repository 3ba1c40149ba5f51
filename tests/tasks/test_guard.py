import pytest
import torch

from ppvd.tasks.guard import LossGuard, NonFiniteLossError


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_bad_loss_names_its_step_and_samples(value):
    guard = LossGuard()
    guard.watch(torch.tensor(1.0), step=4, keys=["fine"])
    with pytest.raises(NonFiniteLossError, match=r"step 5 .*room-07, room-08"):
        guard.watch(torch.tensor(value), step=5, keys=["room-07", "room-08"])


class OnAccelerator:
    """A loss that says it lives on another device, so that looks are grouped."""

    def __init__(self, value):
        self._value = torch.tensor(value)
        self.device = torch.device("meta")

    def detach(self):
        return self._value


def test_an_accelerator_is_asked_once_an_interval():
    guard = LossGuard(interval=3)
    guard.watch(OnAccelerator(float("nan")), step=0, keys=["bad"])
    guard.watch(OnAccelerator(1.0), step=1, keys=["good"])
    with pytest.raises(NonFiniteLossError, match=r"step 0 .*bad"):
        guard.watch(OnAccelerator(1.0), step=2, keys=["good"])


def test_check_looks_before_the_interval_ends():
    guard = LossGuard(interval=100)
    guard.check()
    guard.watch(OnAccelerator(float("nan")), step=0, keys=["bad"])
    with pytest.raises(NonFiniteLossError):
        guard.check()
    guard.check()
