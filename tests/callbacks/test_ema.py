from types import SimpleNamespace

import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from ppvd.callbacks import EMA

pytestmark = pytest.mark.filterwarnings(
    "ignore::FutureWarning",
    "ignore:.*many workers",
    "ignore:.*callbacks used to create",
    "ignore:The dirpath has changed",
)


def by_hand(weights, start, *, decay, ramp):
    """The average of the weights after each optimiser step."""
    average = start.double()
    for n, weight in enumerate(weights, start=1):
        keep = min(decay, (1 + n) / (10 + n)) if ramp else decay
        average = keep * average + (1 - keep) * weight.double()
    return average


def fit(trainer, task, loader, path, *, epochs=2, ckpt_path=None, ema=None, **options):
    checkpoint = ModelCheckpoint(path, filename="{epoch}", save_top_k=-1)
    callbacks = [ema or EMA(0.5, ramp=False), checkpoint]
    built = trainer(max_epochs=epochs, callbacks=callbacks, enable_checkpointing=True, **options)
    built.fit(task, loader(), loader(), ckpt_path=ckpt_path)
    return built


def load(path):
    return torch.load(path, weights_only=True)


@pytest.mark.parametrize("ramp", [False, True])
def test_average_follows_its_recursion(trainer, task, loader, tmp_path, ramp):
    start = task.net.weight.detach().clone()
    fit(trainer, task, loader, tmp_path, ema=EMA(0.8, ramp=ramp))
    last = load(tmp_path / "epoch=1.ckpt")
    after_each_step = [*task.seen["train"][1:], last["current_model_state"]["net.weight"]]
    assert len(after_each_step) == 4
    expected = by_hand(after_each_step, start, decay=0.8, ramp=ramp)
    torch.testing.assert_close(
        last["state_dict"]["net.weight"].double(), expected, atol=1e-6, rtol=0
    )


def test_validation_and_the_checkpoint_it_triggers_hold_the_average(
    trainer, task, loader, tmp_path
):
    fit(trainer, task, loader, tmp_path)
    for epoch in (0, 1):
        saved = load(tmp_path / f"epoch={epoch}.ckpt")
        seen = task.seen["val"][2 * epoch]
        assert torch.equal(saved["state_dict"]["net.weight"], seen)
        assert not torch.equal(saved["current_model_state"]["net.weight"], seen)


def test_training_is_not_disturbed(trainer, new_task, loader, tmp_path):
    averaged, plain = new_task(), new_task()
    fit(trainer, averaged, loader, tmp_path)
    trainer(max_epochs=2).fit(plain, loader(), loader())
    assert all(map(torch.equal, averaged.seen["train"], plain.seen["train"]))
    raw = load(tmp_path / "epoch=1.ckpt")["current_model_state"]
    assert torch.equal(raw["net.weight"], plain.net.weight)


@pytest.mark.parametrize("batches_a_step", [1, 2])
def test_resume_is_exact(trainer, new_task, loader, tmp_path, batches_a_step):
    steps = {"accumulate_grad_batches": batches_a_step}
    fit(trainer, new_task(), loader, tmp_path / "whole", epochs=4, **steps)
    fit(trainer, new_task(), loader, tmp_path / "half", epochs=2, **steps)
    fit(
        trainer,
        new_task(),
        loader,
        tmp_path / "resumed",
        epochs=4,
        ckpt_path=tmp_path / "half" / "epoch=1.ckpt",
        **steps,
    )
    whole = load(tmp_path / "whole" / "epoch=3.ckpt")
    resumed = load(tmp_path / "resumed" / "epoch=3.ckpt")
    for part in ("state_dict", "current_model_state"):
        assert whole[part].keys() == resumed[part].keys()
        assert all(torch.equal(whole[part][name], resumed[part][name]) for name in whole[part])


def test_resume_of_a_run_without_average_begins_with_its_weights(
    trainer, new_task, loader, tmp_path
):
    checkpoint = ModelCheckpoint(tmp_path / "plain", filename="last")
    built = trainer(max_epochs=1, callbacks=[checkpoint], enable_checkpointing=True)
    built.fit(new_task(), loader(), loader())
    start = load(tmp_path / "plain" / "last.ckpt")["state_dict"]["net.weight"]
    task = new_task()
    path = tmp_path / "plain" / "last.ckpt"
    fit(trainer, task, loader, tmp_path / "more", ckpt_path=path)
    saved = load(tmp_path / "more" / "epoch=1.ckpt")
    steps = [task.seen["train"][1], saved["current_model_state"]["net.weight"]]
    expected = by_hand(steps, start, decay=0.5, ramp=False)
    torch.testing.assert_close(
        saved["state_dict"]["net.weight"].double(), expected, atol=1e-6, rtol=0
    )


def test_later_test_without_the_callback_uses_the_average(trainer, new_task, loader, tmp_path):
    fit(trainer, new_task(), loader, tmp_path)
    path = tmp_path / "epoch=1.ckpt"
    task = new_task()
    trainer().test(task, loader(), ckpt_path=path, verbose=False)
    assert torch.equal(task.seen["test"][0], load(path)["state_dict"]["net.weight"])


def test_test_in_the_process_that_trained_uses_the_average(trainer, task, loader, tmp_path):
    built = fit(trainer, task, loader, tmp_path)
    path = tmp_path / "epoch=0.ckpt"
    built.test(task, loader(), ckpt_path=path, verbose=False)
    assert torch.equal(task.seen["test"][0], load(path)["state_dict"]["net.weight"])


def test_model_keeps_the_average_after_training(trainer, task, loader, tmp_path):
    built = fit(trainer, task, loader, tmp_path)
    average = load(tmp_path / "epoch=1.ckpt")["state_dict"]["net.weight"]
    assert torch.equal(task.net.weight, average)
    built.validate(task, loader(), verbose=False)
    assert torch.equal(task.seen["val"][-1], average)
    built.save_checkpoint(tmp_path / "after.ckpt")
    after = load(tmp_path / "after.ckpt")
    assert torch.equal(after["state_dict"]["net.weight"], average)
    assert "current_model_state" not in after  # there are no trained weights any more


def test_checkpoint_of_the_last_step_keeps_the_trained_weights(trainer, task, loader, tmp_path):
    checkpoint = ModelCheckpoint(tmp_path, save_last=True, every_n_epochs=50)
    built = trainer(max_epochs=1, callbacks=[EMA(0.5), checkpoint], enable_checkpointing=True)
    built.fit(task, loader(), loader())
    saved = load(tmp_path / "last.ckpt")
    different = saved["state_dict"]["net.weight"] != saved["current_model_state"]["net.weight"]
    assert different.any()


def test_frozen_encoder_is_neither_averaged_nor_saved(trainer, task, loader, tmp_path):
    encoder = task.encoder.encoder
    fit(trainer, task, loader, tmp_path)
    assert task.encoder.encoder is encoder
    saved = load(tmp_path / "epoch=1.ckpt")
    names = {"net.weight", "net.bias", "index"}
    assert set(saved["state_dict"]) == set(saved["current_model_state"]) == names


def test_integer_buffers_are_copied(trainer, task, loader, tmp_path):
    start = task.index.clone()
    fit(trainer, task, loader, tmp_path, ema=EMA(0.3, ramp=False))
    saved = load(tmp_path / "epoch=1.ckpt")
    assert torch.equal(saved["state_dict"]["index"], start + 4)  # it counts the batches


def test_only_optimiser_steps_count(trainer, task, loader, tmp_path):
    start = task.net.weight.detach().clone()
    fit(trainer, task, loader, tmp_path, epochs=2, accumulate_grad_batches=2)
    after_steps = [
        load(tmp_path / f"epoch={epoch}.ckpt")["current_model_state"]["net.weight"]
        for epoch in (0, 1)
    ]
    average = load(tmp_path / "epoch=1.ckpt")["state_dict"]["net.weight"].double()
    expected = by_hand(after_steps, start, decay=0.5, ramp=False)
    torch.testing.assert_close(average, expected, atol=1e-6, rtol=0)


def test_interrupted_validation_puts_the_trained_weights_back(
    trainer, task, loader, tmp_path, monkeypatch
):
    def fail(*_):
        raise RuntimeError("power cut")

    monkeypatch.setattr(task, "validation_step", fail)
    checkpoint = ModelCheckpoint(tmp_path, filename="cut", save_on_exception=True)
    built = trainer(max_epochs=1, callbacks=[EMA(0.5), checkpoint], enable_checkpointing=True)
    with pytest.raises(RuntimeError, match="power cut"):
        built.fit(task, loader(), loader())
    saved = load(tmp_path / "cut.ckpt")
    assert torch.equal(task.net.weight, saved["current_model_state"]["net.weight"])
    assert not torch.equal(task.net.weight, saved["state_dict"]["net.weight"])


def test_checkpoints_of_weights_alone_are_refused(trainer, task, loader, tmp_path):
    checkpoint = ModelCheckpoint(tmp_path, save_weights_only=True)
    built = trainer(max_epochs=1, callbacks=[EMA(), checkpoint], enable_checkpointing=True)
    with pytest.raises(ValueError, match="save_weights_only must be false with EMA, got true"):
        built.fit(task, loader(), loader())


def test_sharded_strategies_are_refused(task):
    strategy = SimpleNamespace(restore_checkpoint_after_setup=True)
    with pytest.raises(ValueError, match=r"strategy must keep every weight .* use ddp"):
        EMA().setup(SimpleNamespace(strategy=strategy), task, "fit")


@pytest.mark.parametrize("decay", [-0.1, 1.0, float("nan")])
def test_decay_out_of_range(decay):
    with pytest.raises(ValueError, match=r"decay must lie in \[0, 1\), got"):
        EMA(decay)
