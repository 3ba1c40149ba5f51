from types import SimpleNamespace

import pytest
import torch

from ppvd.callbacks import Throughput, throughput

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*many workers")


class Recorder:
    def __init__(self):
        self.rows = []

    def log_metrics(self, values, step):
        self.rows.append((step, values))


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is told to go on."""
    now = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(throughput.time, "perf_counter", lambda: now.seconds)
    return now


@pytest.mark.parametrize(
    ("shape", "frames"), [((3, 3, 2, 2), None), ((3, 16, 3, 2, 2), 2 * 6 * 16)]
)
def test_counts_samples_frames_waiting_and_all_processes(clock, shape, frames):
    recorder, task = Recorder(), SimpleNamespace(device=torch.device("cpu"))
    trainer = SimpleNamespace(
        loggers=[recorder],
        world_size=2,
        global_step=0,
        precision="32-true",
        train_dataloader=SimpleNamespace(num_bad=3),
    )
    speed = Throughput(every_n_steps=2)
    speed.on_train_start(trainer, task)
    batch = {"key": ["a", "b", "c"], "image": torch.zeros(shape)}
    for step in range(1, 5):
        trainer.global_step = step
        clock.seconds += 1.0  # waits for data
        speed.on_train_batch_start(trainer, task, batch, step)
        clock.seconds += 3.0  # works
        speed.on_train_batch_end(trainer, task, None, batch, step)
        if step == 3:
            clock.seconds += 50.0
            speed.on_validation_end(trainer, task)
    assert [step for step, _ in recorder.rows] == [2, 4]
    for _, values in recorder.rows:
        assert values["speed/samples_per_second"] == pytest.approx(2 * 6 / 8)
        assert values.get("speed/frames_per_second") == (frames and pytest.approx(frames / 8))
        assert values["speed/wait_share"] == pytest.approx(0.25)
        assert 0.01 < values["speed/memory_gib"] < 1000
        assert values["data/bad_samples"] == 3


def test_runs_in_a_trainer_without_touching_the_losses(trainer, new_task, loader, tmp_path):
    from lightning.pytorch.loggers import CSVLogger

    logger = CSVLogger(tmp_path)
    with_speed, plain = new_task(), new_task()
    built = trainer(max_epochs=2, logger=logger, callbacks=[Throughput(every_n_steps=3)])
    built.fit(with_speed, loader(), loader())
    trainer(max_epochs=2).fit(plain, loader(), loader())
    assert torch.equal(with_speed.net.weight, plain.net.weight)
    table = (tmp_path / "lightning_logs" / "version_0" / "metrics.csv").read_text()
    assert "speed/samples_per_second" in table
    assert "data/bad_samples" not in table  # this loader does not count them


def test_interval_must_be_positive():
    with pytest.raises(ValueError, match="every_n_steps must be at least 1, got 0"):
        Throughput(0)
