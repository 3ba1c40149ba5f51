"""The evaluation step: what a score depends on, and what it does not."""

import lightning as L
import numpy as np
import pytest
import torch
import torch.multiprocessing
from torch.utils.data import DataLoader

from ppvd.geometry import Alignment
from ppvd.metrics import DepthErrors
from ppvd.nn import CascadeDiT
from ppvd.protocols import Pixels, Protocol
from ppvd.semantics import NoSemantics
from ppvd.tasks import PPD, DepthTask, MeanDepth

SIZE = (24, 32)
PROTOCOL = Protocol(
    name="test/rooms",
    crop=Pixels(rows=(0, 16), columns=(0, 24)),
    far_m=9.0,
    resize="nearest",
    alignment=Alignment(far_m=10.0),
    metrics={"errors": DepthErrors},
)


def scene(index):
    generator = torch.Generator().manual_seed(index)
    depth = 1 + 9 * torch.rand(1, *SIZE, generator=generator)
    return {
        "image": torch.rand(3, *SIZE, generator=generator),
        "depth": depth,
        "valid": torch.rand(1, *SIZE, generator=generator) > 0.2,
        "sky": torch.zeros(1, *SIZE, dtype=torch.bool),
        "intrinsics": torch.tensor([[32.0, 0, 15.5], [0, 32.0, 11.5], [0, 0, 1]]),
        "pose": torch.eye(4),
        "key": f"rooms/a/{index:06d}",
        "source": "rooms",
    }


def small():
    torch.manual_seed(0)
    return PPD(NoSemantics(), _net, num_steps=1)


def _net(width):
    net = CascadeDiT(width, width=16, depth=2, num_heads=2, patch=4)
    for parameter in net.parameters():  # Zero weights at the end would hide the noise.
        torch.nn.init.normal_(parameter, std=0.1)
    return net


def loader(order, *, batch_size):
    return DataLoader([scene(index) for index in order], batch_size=batch_size)


def trainer(**options):
    quiet = {
        "accelerator": "cpu",
        "devices": 1,
        "logger": False,
        "enable_progress_bar": False,
        "enable_checkpointing": False,
        "enable_model_summary": False,
    }
    return L.Trainer(**quiet | options)


def outcome(task, order, *, batch_size=1, protocol=PROTOCOL):
    task.protocols = {} if protocol is None else {"rooms": protocol}
    loaders = {"rooms": loader(order, batch_size=batch_size)}
    trainer().test(task, loaders, verbose=False)
    return task.benchmarks["rooms"]


pytestmark = pytest.mark.filterwarnings("ignore:.*many workers")


def test_a_score_depends_neither_on_batch_size_nor_on_order():
    one = outcome(small(), range(5))
    other = outcome(small(), [4, 2, 0, 1, 3], batch_size=2)
    assert [row.key for row in other.rows] == [f"rooms/a/{index:06d}" for index in range(5)]
    for a, b in zip(one.rows, other.rows, strict=True):
        assert a.values["errors"] == pytest.approx(b.values["errors"], rel=1e-4)
    # To the last digit where the network itself computes alike.
    same = outcome(small(), [4, 2, 0, 1, 3])
    assert same.rows == one.rows
    one.means.pop("seconds_per_image")
    same.means.pop("seconds_per_image")
    assert same.means == one.means


def test_a_score_depends_on_the_noise_of_the_key():
    task = small()
    one = outcome(task, [0])
    task.seed = 1
    assert outcome(task, [0]).means["abs_rel"] != one.means["abs_rel"]


def _share_of(rank, world, folder):
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=world
    )
    task = small().eval()
    task.protocols = {"rooms": PROTOCOL}
    benchmark = task._new_benchmark("rooms")
    for index in list(range(5))[rank::world]:  # Three for one process, two for the other.
        batch = next(iter(loader([index], batch_size=1)))
        with torch.no_grad():
            task._evaluate(batch, benchmark)
    rows = benchmark.scores.rows()
    torch.save(benchmark.scores.means(rows), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_processes_with_uneven_shares_agree_with_one(tmp_path):
    # One process of its own, too: threads that other tests have set would round otherwise.
    for world in (1, 2):
        (tmp_path / f"{world}").mkdir()
        torch.multiprocessing.spawn(_share_of, (world, tmp_path / f"{world}"), nprocs=world)
    whole, first, second = (torch.load(tmp_path / f"{name}.pt") for name in ("1/0", "2/0", "2/1"))
    assert first == second
    for name, value in first.items():
        assert whole[name] == pytest.approx(value, rel=1e-12)


def test_a_protocol_decides_what_the_network_sees_and_what_counts():
    seen = []

    class Recorder(MeanDepth):
        def predict(self, image, *, keys):
            seen.append(tuple(image.shape))
            return super().predict(image, keys=keys)

    benchmark = outcome(Recorder(), range(2))
    assert seen == [(1, 3, 16, 24)] * 2
    truth = scene(0)
    counts = truth["valid"] & (truth["depth"] < 9.0)
    depth = truth["depth"][:, :16, :24][counts[:, :16, :24]].double().numpy()
    best = np.expm1(np.log1p(depth).mean())
    expected = np.mean(np.abs(best - depth) / depth)
    assert benchmark.rows[0].values["errors"]["abs_rel"] == pytest.approx(expected, rel=1e-6)


def test_callbacks_see_the_batch_that_was_scored():
    sizes = []

    class Look(L.Callback):
        def on_test_batch_end(self, trainer, task, outputs, batch, *_):  # noqa: ARG002
            sizes.append(
                (tuple(batch["depth"].shape[-2:]), outputs["frame"], tuple(outputs["box"]))
            )

    task = MeanDepth()
    task.protocols = {"rooms": PROTOCOL}
    trainer(callbacks=[Look()]).test(task, {"rooms": loader([0], batch_size=1)}, verbose=False)
    assert sizes == [((16, 24), SIZE, (0, 0, 16, 24))]


@pytest.mark.parametrize("mode", ["model", "nearest", "bilinear"])
def test_the_protocol_says_how_codes_are_enlarged(mode):
    class Coarse(DepthTask):
        divisor = 8

        def predict_code(self, image, *, keys):  # noqa: ARG002
            columns = torch.arange(image.shape[-1]) // 8 % 2
            return columns.float().expand(image[:, :1].shape)

    task = Coarse(pixels=8 * 16)
    task._resize = mode
    code = task.predict(torch.rand(1, 3, *SIZE), keys=["x"])
    values = len(code.unique())
    assert code.shape == (1, 1, *SIZE)
    assert (values > 2) == (mode == "bilinear")


def test_a_card_names_the_protocol_and_the_space_that_was_used():
    disparity = Protocol(name="p", alignment=Alignment(space="disparity", min_prediction=1e-3))
    task = MeanDepth()
    benchmark = outcome(task, [0], protocol=disparity)
    card = benchmark.card(task.unit)
    assert (card["name"], card["hash"]) == ("p", disparity.hash)
    assert card["used"]["prediction"] == "affine in log(depth + 1)"
    assert card["used"]["alignment"]["space"] == "log"
    assert card["used"]["alignment"]["min_prediction"] is None
    assert card["rules"]["alignment"]["space"] == "disparity"


def test_without_a_protocol_the_model_s_own_metrics_score_all_that_is_valid():
    task = MeanDepth(metrics={"errors": DepthErrors(eps=0.5)})
    benchmark = outcome(task, [0], protocol=None)
    card = benchmark.card(task.unit)
    assert card["name"] == "every valid pixel"
    assert card["rules"]["metrics"]["errors"]["eps"] == 0.5
    assert benchmark.means["num_without_truth"] == 0


def test_a_benchmark_without_protocol_beside_one_with_is_refused():
    task = MeanDepth()
    task.protocols = {"other": PROTOCOL}
    with pytest.raises(ValueError, match="must say how rooms is evaluated, but name only other"):
        trainer().test(task, {"rooms": loader([0], batch_size=1)}, verbose=False)
