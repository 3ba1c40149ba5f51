import pytest
import torch

from ppvd.losses import FlowStep


@pytest.fixture
def make_step():
    """A training step from a clean code and its prediction; other fields follow."""

    def make(clean, predicted, valid=None, **fields):
        return FlowStep(
            clean=clean,
            velocity=fields.pop("velocity", clean),
            predicted_velocity=fields.pop("predicted_velocity", predicted),
            predicted_clean=predicted,
            time=torch.full((len(clean),), 0.5),
            valid=torch.ones_like(clean, dtype=torch.bool) if valid is None else valid,
            **fields,
        )

    return make
