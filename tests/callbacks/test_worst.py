import cv2
import pytest
import torch

from ppvd.callbacks import WorstCases

pytestmark = pytest.mark.filterwarnings("ignore:.*many workers")


@pytest.fixture
def scored(task):
    """The tiny task with scores: the worst scene is number 1, then 3, 0 and 2."""
    errors = {"scene_0": 0.2, "scene_1": 0.9, "scene_2": 0.1, "scene_3": 0.5}

    def step(batch, batch_idx, dataloader_idx=0):  # noqa: ARG001
        scores = [{"abs_rel": torch.tensor(errors[key])} for key in batch["key"]]
        return {"prediction": task._predict("test", batch), "scores": scores, "alignment": None}

    task.test_step = step
    return task, errors


def drawn(trainer, task, loader, folder, **options):
    trainer(callbacks=[WorstCases(**options)]).test(task, {"rooms": loader(4)}, verbose=False)
    return sorted(file.name for file in (folder / "worst").iterdir())


def test_the_worst_are_drawn_in_order(scored, trainer, loader, tmp_path):
    names = drawn(trainer, scored[0], loader, tmp_path, num_samples=2)
    assert names == ["rooms_01_scene_1.png", "rooms_02_scene_3.png"]
    assert cv2.imread(str(tmp_path / "worst" / names[0])) is not None


def test_more_may_be_better(scored, trainer, loader, tmp_path):
    names = drawn(trainer, scored[0], loader, tmp_path, num_samples=1, less_is_better=False)
    assert names == ["rooms_01_scene_2.png"]


def test_a_score_that_is_no_number_is_the_worst(scored, trainer, loader, tmp_path):
    task, errors = scored
    errors["scene_2"] = float("nan")
    assert drawn(trainer, task, loader, tmp_path, num_samples=1) == ["rooms_01_scene_2.png"]


def test_a_score_that_no_step_returns_is_refused(scored, trainer, loader, tmp_path):
    with pytest.raises(ValueError, match=r"score must be one that test_step returns, \['abs_rel'"):
        drawn(trainer, scored[0], loader, tmp_path, score="delta9")
    with pytest.raises(ValueError, match="num_samples must be at least 1, got 0"):
        WorstCases(0)
