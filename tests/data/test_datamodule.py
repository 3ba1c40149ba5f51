from collections import Counter
from types import SimpleNamespace

import cv2
import lightning as L
import numpy as np
import pytest
import torch

from ppvd.data import ShardDataModule, ShardError, ShardSource

# Lightning 2.6 on torch 2.13; nothing of ours.
pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")


class Recorder(L.LightningModule):
    """Writes down what it is given."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen = Counter()
        self.epochs = []
        self.images = []

    def training_step(self, batch, _):
        self.seen.update(batch["key"])
        self.epochs.append((self.current_epoch, tuple(batch["key"])))
        self.images.append(batch["image"])
        return self.weight * batch["image"].mean()

    def validation_step(self, batch, _, dataloader_idx=0):
        self.seen.update((f"val{dataloader_idx}", source) for source in batch["source"])

    def test_step(self, batch, _, dataloader_idx=0):  # noqa: PT019 - no test of ours
        self.seen.update((f"test{dataloader_idx}", source) for source in batch["source"])

    def predict_step(self, batch, _):
        return batch["key"], batch["image"].shape

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def trainer(**options):
    return L.Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )


def source(folder, **options):
    return ShardSource(manifest=str(folder), **options)


def test_lightning_trains_and_validates_on_it(build):
    toys, more = build("a", count=8), build("b", count=3, split="val", prefix="b")
    data = ShardDataModule(
        {"toys": source(toys)},
        {"toys": source(toys, num_samples=5), "more": source(more)},
        size=(8, 8),
        batch_size=2,
    )
    model = Recorder()
    trainer(max_epochs=2, num_sanity_val_steps=0).fit(model, data)
    assert [model.seen[f"toy/{number:06d}"] for number in range(8)] == [2] * 8
    assert model.seen["val0", "toys"] == 2 * 5
    assert model.seen["val1", "more"] == 2 * 3
    expected = data.train_dataloader()
    first = next(iter(expected))["image"]
    assert first.dtype == torch.uint8
    assert torch.equal(model.images[0], first / 255)
    expected.set_epoch(0)
    orders = [[keys for epoch, keys in model.epochs if epoch == number] for number in range(2)]
    assert len(orders[0]) == len(orders[1]) == 4
    assert orders[0] != orders[1]
    for order in orders:
        assert order == [tuple(batch["key"]) for batch in expected]


@pytest.mark.filterwarnings("ignore:Total length of `list` across ranks is zero:UserWarning")
def test_a_run_without_validation_needs_no_set_for_it(build):
    model = Recorder()
    data = ShardDataModule({"toys": source(build())}, size=(8, 8), batch_size=5)
    trainer(max_epochs=1).fit(model, data)
    assert sum(model.seen.values()) == 10


@pytest.mark.filterwarnings("ignore:Total length of `list` across ranks is zero:UserWarning")
def test_a_trainer_knows_how_many_samples_were_left_out(build):
    folder = build()
    shard = folder / ShardSource(manifest=str(folder)).open().manifest.shards[0].file
    shard.write_bytes(shard.read_bytes().replace(b"\xff\xd8\xff", b"\xff\xd8\xfe", 1))
    data = ShardDataModule({"toys": source(folder)}, size=(8, 8), max_bad_fraction=0.1)
    run = trainer(max_epochs=1)
    run.fit(Recorder(), data)
    assert run.train_dataloader.num_bad == 1


def test_tests_run_over_named_sets(build):
    data = ShardDataModule(test={"a": source(build("a")), "b": source(build("b", count=2))})
    model = Recorder()
    trainer().test(model, data, verbose=False)
    assert model.seen == {("test0", "a"): 10, ("test1", "b"): 2}


@pytest.mark.filterwarnings("ignore:.*does not have many workers:UserWarning")
def test_photographs_are_predicted_one_by_one(tmp_path):
    for name, size in (("a.png", (6, 9)), ("b.jpg", (12, 8))):
        cv2.imwrite(str(tmp_path / name), np.zeros((*size, 3), np.uint8))
    data = ShardDataModule(predict=str(tmp_path))
    assert trainer().predict(Recorder(), data) == [
        (["a"], (1, 3, 6, 9)),
        (["b"], (1, 3, 12, 8)),
    ]


def test_ranks_share_the_data(build):
    toys = {"toys": source(build())}
    trained, validated = Counter(), Counter()
    for rank in range(2):
        data = ShardDataModule(toys, toys, batch_size=2)
        data.trainer = SimpleNamespace(global_rank=rank, world_size=2)
        loader = data.train_dataloader()
        assert len(loader) == 2
        trained.update(key for batch in loader for key in batch["key"])
        validated.update(key for batch in data.val_dataloader()["toys"] for key in batch["key"])
    assert len(trained) == sum(trained.values()) == 8  # what fills a batch on both ranks
    assert len(validated) == sum(validated.values()) == 10


def test_an_epoch_has_the_length_asked_for(build):
    toys = {"toys": source(build())}
    for wanted, expected in ((None, 3), (3, 1), (20, 6), (1000, 333)):
        data = ShardDataModule(toys, batch_size=3, samples_per_epoch=wanted)
        assert len(data.train_dataloader()) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": (0, 8)}, "height must be at least 1, got 0"),
        ({"size": (8, -1)}, "width must be at least 1, got -1"),
        ({"batch_size": 0}, "batch_size"),
        ({"eval_batch_size": 0}, "eval_batch_size"),
        ({"num_workers": -1}, "num_workers must be at least 0, got -1"),
        ({"samples_per_epoch": 0}, "samples_per_epoch"),
        ({"shuffle_buffer": 0}, "shuffle_buffer"),
        ({"seed": -1}, "seed"),
        ({"max_bad_fraction": 1.0}, r"max_bad_fraction must lie in \[0, 1\), got 1.0"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ShardDataModule(**options)


def test_stages_without_data_say_what_is_wanted(build):
    data = ShardDataModule({"toys": source(build(count=2))}, batch_size=4)
    with pytest.raises(ValueError, match="one batch of 4 on each of 1 ranks, got 2 samples"):
        data.train_dataloader()
    with pytest.raises(ValueError, match="test must name at least one shard set"):
        data.test_dataloader()
    with pytest.raises(ValueError, match="predict must name a photograph or folder"):
        data.predict_dataloader()
    with pytest.raises(ValueError, match="train must name"):
        ShardDataModule().train_dataloader()


def test_a_missing_set_is_named(tmp_path):
    data = ShardDataModule({"toys": source(tmp_path / "nowhere")})
    with pytest.raises(ShardError, match=f"manifest {tmp_path}/nowhere must exist"):
        data.train_dataloader()


def test_shards_may_lie_apart_from_their_manifest(build, tmp_path):
    folder = build()
    apart = tmp_path / "toys.json"
    (folder / "manifest.json").rename(apart)
    data = ShardDataModule(val={"toys": source(apart, root=str(folder))})
    assert sum(len(batch["key"]) for batch in data.val_dataloader()["toys"]) == 10
