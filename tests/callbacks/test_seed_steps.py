from types import SimpleNamespace

import pytest
import torch

from ppvd.callbacks import SeedSteps


def draw(callback, *, epoch=0, batch_idx=0, rank=0, drawn_before=0):
    torch.rand(drawn_before)
    trainer = SimpleNamespace(current_epoch=epoch, global_rank=rank)
    callback.on_train_batch_start(trainer, None, None, batch_idx)
    return torch.rand(1).item()


@pytest.fixture(autouse=True)
def _own_seed(monkeypatch):
    monkeypatch.setenv("PL_GLOBAL_SEED", "5")
    with torch.random.fork_rng():
        yield


def test_a_step_draws_the_same_whatever_ran_before():
    assert draw(SeedSteps(3), drawn_before=0) == draw(SeedSteps(3), drawn_before=7)


def test_steps_epochs_ranks_and_seeds_draw_differently():
    values = [
        draw(SeedSteps(seed), epoch=epoch, batch_idx=batch_idx, rank=rank)
        for seed in (0, 1)
        for epoch in (0, 1)
        for batch_idx in (0, 1)
        for rank in (0, 1)
    ]
    assert len(set(values)) == 16


def test_the_seed_is_that_of_the_run_unless_given():
    assert draw(SeedSteps()) == draw(SeedSteps(5)) != draw(SeedSteps(0))


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        SeedSteps(-1)
