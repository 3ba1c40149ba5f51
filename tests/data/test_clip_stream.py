import numpy as np
import pytest
import torch

from ppvd.data import Augment, Clips, ShardDataModule, ShardSource, build_shards
from ppvd.data.collate import with_floats
from ppvd.data.plan import Reader
from ppvd.data.stream import EvalStream, TrainStream

FOUR = Clips(length=4, keyframes=(0, 3), later="released")


def open_set(folder):
    return ShardSource(manifest=str(folder)).open()


def train_stream(folder, **changes):
    settings = {
        "weights": {"toys": 1.0},
        "size": (24, 36),
        "batch_size": 2,
        "num_batches": 6,
        "seed": 0,
        "augment": None,
        "shuffle_buffer": 4,
        "max_bad_fraction": 0.0,
        "clips": FOUR,
    }
    return TrainStream(sources={"toys": open_set(folder)}, **settings | changes)


def test_clip_batches_hold_the_contract(build, frame):
    folder = build(count=4, frames_per_clip=6)
    for batch in map(with_floats, train_stream(folder).read(epoch=0, reader=Reader())):
        assert batch["image"].shape == (2, 4, 3, 24, 36)
        assert batch["depth"].shape == batch["valid"].shape == batch["sky"].shape
        assert batch["depth"].shape == (2, 4, 1, 24, 36)
        assert batch["intrinsics"].shape == (2, 4, 3, 3)
        assert batch["pose"].shape == (2, 4, 4, 4)
        assert batch["source"] == ["toys"] * 2
        for place, key in enumerate(batch["key"]):
            first = 6 * int(key[-6:])
            starts = []
            for start in range(3):
                wanted = np.stack([frame(first + start + n).depth for n in range(4)])
                if np.allclose(batch["depth"][place, :, 0], wanted, rtol=2e-5):
                    starts.append(start)
            assert starts, "the frames are consecutive ones of the clip that the key names"


def test_one_draw_of_view_and_colour_serves_a_whole_clip(toys, tmp_path):
    class Still(toys):
        """Clips in which nothing moves: any change is the augmentation's."""

        def sample(self, index):
            sample = super().sample(index)
            frames = tuple([sample.frames[0]] * 6)
            return type(sample)(key=sample.key, frames=frames)

    build_shards(Still(count=3, frames_per_clip=6), tmp_path / "still", name="a", split="train")
    stream = train_stream(tmp_path / "still", augment=Augment(side=(0.4, 0.9)), size=(8, 12))
    views = [batch for epoch in range(2) for batch in stream.read(epoch=epoch, reader=Reader())]
    for batch in views:
        for name in ("image", "codes", "curve", "intrinsics"):
            assert torch.equal(batch[name], batch[name][:, :1].expand_as(batch[name]))
    focal = torch.cat([batch["intrinsics"][:, 0, 0, 0] for batch in views])
    assert focal.unique().numel() > 12


def test_pictures_are_clips_that_stand_still(build):
    batch = next(train_stream(build(count=8)).read(epoch=0, reader=Reader()))
    assert torch.equal(batch["image"], batch["image"][:, :1].expand(-1, 4, -1, -1, -1))


def test_the_stride_is_the_sources(build):
    folder = build(count=2, frames_per_clip=10)
    found = set()
    for batch in train_stream(folder, strides={"toys": 3}).read(epoch=0, reader=Reader()):
        numbers = batch["image"][:, :, 2].float().mean((-1, -2))  # blue counts the frames
        found |= set((numbers[:, 1] - numbers[:, 0]).round().int().tolist())
    assert found == {1, 2, 3}


def test_an_evaluation_reads_whole_segments_under_their_own_key(build):
    shards = open_set(build(count=3, frames_per_clip=5, split="test"))
    batches = list(
        EvalStream(name="a", shards=shards, batch_size=2, clips=True).read(epoch=0, reader=Reader())
    )
    assert [batch["image"].shape for batch in batches] == [(2, 5, 3, 24, 36), (1, 5, 3, 24, 36)]
    keys = [key for batch in batches for key in batch["key"]]
    assert keys == [f"toy/{number:06d}" for number in range(3)]


def test_clips_of_unequal_length_do_not_fit_one_batch(toys, tmp_path):
    class Mixed(toys):
        def sample(self, index):
            sample = super().sample(index)
            return type(sample)(key=sample.key, frames=sample.frames[: 2 + index])

    build_shards(Mixed(count=2, frames_per_clip=3), tmp_path / "mixed", name="a", split="val")
    stream = EvalStream(name="a", shards=open_set(tmp_path / "mixed"), batch_size=2, clips=True)
    with pytest.raises(ValueError, match=r"one length, got \[2, 3\] frames: set eval_batch_size"):
        list(stream.read(epoch=0, reader=Reader()))


def test_a_data_module_of_clips_trains_on_them_and_evaluates_whole_segments(build):
    source = ShardSource(manifest=str(build(count=8, frames_per_clip=10)), max_stride=3)
    data = ShardDataModule({"a": source}, {"a": source}, size=(8, 12), clips=FOUR, augment=None)
    trained = [batch["image"] for batch in data.train_dataloader()]
    assert {image.shape for image in trained} == {(1, 4, 3, 8, 12)}
    blue = torch.cat(trained)[:, :2, 2].float().mean((-1, -2))  # counts the frames
    assert len(set((blue[:, 1] - blue[:, 0]).round().int().tolist())) > 1
    assert {batch["image"].shape for batch in data.val_dataloader()["a"]} == {(1, 10, 3, 24, 36)}


def test_a_stride_below_one_is_refused():
    with pytest.raises(ValueError, match="max_stride must be positive, got 0"):
        ShardSource(manifest="a", max_stride=0)
