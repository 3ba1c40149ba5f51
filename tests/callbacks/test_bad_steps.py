import json

import lightning as L
import pytest
import torch
from torch.utils.data import DataLoader

from ppvd.callbacks import BadStepError, BadSteps

NUM_STEPS = 40


class Line(L.LightningModule):
    """Its loss at a step is the factor given for it times the square of its weight."""

    def __init__(self, factors):
        super().__init__()
        self.weight, self.factors = torch.nn.Parameter(torch.ones(1)), factors
        self.seen = []

    def training_step(self, batch, batch_idx):  # noqa: ARG002
        self.seen.append(float(self.weight.detach()))
        return self.factors.get(batch_idx, 1.0) * self.weight.square().sum()

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=0.01)


@pytest.fixture
def fit(tmp_path):
    def fit(callback, factors):
        batches = [{"key": [f"a{i}", f"b{i}"]} for i in range(NUM_STEPS)]
        trainer = L.Trainer(
            accelerator="cpu",
            max_epochs=1,
            default_root_dir=tmp_path,
            logger=L.pytorch.loggers.CSVLogger(tmp_path, name=""),
            enable_progress_bar=False,
            enable_model_summary=False,
            enable_checkpointing=False,
            gradient_clip_val=1.0,
            log_every_n_steps=1,
            callbacks=[callback],
        )
        line = Line(factors)
        trainer.fit(line, DataLoader(batches, batch_size=None))
        return line.seen

    return fit


@pytest.mark.parametrize("factor", [float("nan"), float("inf"), 1e6])
def test_a_bad_step_is_left_out_as_if_it_had_not_been(fit, factor):
    usual = fit(BadSteps(), {})
    seen = fit(BadSteps("skip", max_growth=100.0), {30: factor})
    assert seen[:31] == usual[:31]
    assert seen[31] == seen[30]
    assert seen[32] < seen[31]


def test_a_bad_step_ends_the_training_and_names_its_samples(fit, tmp_path):
    with pytest.raises(BadStepError, match=r"nan at step 3 for the samples a3, b3; .*debug batch"):
        fit(BadSteps(), {3: float("nan")})
    written = json.loads((tmp_path / "version_0/bad_step_3.json").read_text())
    assert (written["step"], written["keys"], written["norm"]) == (3, ["a3", "b3"], "nan")


def test_growth_is_accepted_unless_it_is_forbidden(fit):
    fit(BadSteps(), {30: 1e6})
    with pytest.raises(BadStepError, match="step 30"):
        fit(BadSteps(max_growth=100.0), {30: 1e6})


def test_too_many_skipped_steps_end_the_training(fit):
    factors = {i: float("nan") for i in range(5, 9)}
    fit(BadSteps("skip", max_skipped=4), factors)
    with pytest.raises(BadStepError, match="step 8"):
        fit(BadSteps("skip", max_skipped=3), factors)


def test_bad_numbers_are_refused():
    with pytest.raises(ValueError, match="max_growth must be above 1, got 1"):
        BadSteps(max_growth=1)
    with pytest.raises(ValueError, match="max_skipped must be at least 0, got -1"):
        BadSteps(max_skipped=-1)
