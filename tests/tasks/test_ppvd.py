import functools
from copy import deepcopy
from pathlib import Path

import lightning as L
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from ppvd.flow import released_grid
from ppvd.geometry import DisparityCodec, WindowChain
from ppvd.losses import FeatureAlignment, GradientMatching, TemporalGradient, VelocityError
from ppvd.nn import CascadeDiT, Propagation
from ppvd.semantics import SemanticEncoder, ViT, ViTEncoder
from ppvd.tasks import PPD, PPVD, WindowPlan

GOLDEN = Path(__file__).parents[1] / "golden" / "released" / "infer_video_a.safetensors"
small_net = functools.partial(CascadeDiT, width=16, depth=2, num_heads=2, patch=4)
video_net = functools.partial(small_net, propagation=Propagation(pool=2), temporal_blocks=1)
SHORT = WindowPlan(length=5, keyframes=(0, 2, 4))


def encoder():
    torch.manual_seed(1)
    return ViTEncoder(ViT(width=16, depth=1, num_heads=2, patch=8, grid=2))


def quiet(task):
    task.logged = {}
    task.log = lambda name, value, **_: task.logged.update({name: value})
    task.log_dict = lambda values, **_: task.logged.update(values)
    task._fabric = None
    return task


def make(*, net=small_net, awake=True, kind=PPVD, **options):
    torch.manual_seed(0)
    task = kind(options.pop("encoder", None) or encoder(), net, **options)
    if awake:  # At its start the network puts out zero, whatever it is given.
        for parameter in task.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
    return quiet(task)


@pytest.fixture
def clips():
    """Two clips of five frames, deeper from frame to frame."""
    generator = torch.Generator().manual_seed(0)
    depth = 1 + 9 * torch.rand(2, 1, 1, 16, 24, generator=generator)
    depth = depth * torch.linspace(1, 2, 5).reshape(1, 5, 1, 1, 1)
    sky = torch.zeros_like(depth, dtype=torch.bool)
    sky[..., :4, :] = True
    valid = ~sky
    valid[0, :, :, 8:, :3] = False
    return {
        "image": torch.rand(2, 5, 3, 16, 24, generator=generator),
        "depth": depth * valid,
        "valid": valid,
        "sky": sky,
        "intrinsics": torch.tensor([[20.0, 0, 12], [0, 20, 8], [0, 0, 1]]).expand(2, 5, 3, 3),
        "pose": torch.eye(4).expand(2, 5, 4, 4),
        "key": ["a", "b"],
        "source": ["rooms"] * 2,
    }


# Training.


def test_at_its_start_the_loss_is_that_of_one_range_and_one_time_a_clip(clips):
    task = make(awake=False, losses={"velocity": VelocityError(), "temporal": TemporalGradient()})
    torch.manual_seed(5)
    task.training_step(clips, 0)
    torch.manual_seed(5)
    time = task.times(2, device=torch.device("cpu")).reshape(2, 1, 1, 1, 1)
    mask = clips["valid"] | clips["sky"]
    code = torch.empty_like(clips["depth"])
    for clip in range(2):
        depth, valid = clips["depth"][clip], clips["valid"][clip]
        low, high = np.quantile((1 / depth[valid]).numpy().astype(np.float64), [0.02, 0.98])
        disparity = 1 / depth.clamp_min(1e-3)
        code[clip] = ((disparity - low) / (high - low)).clamp(0, 1.5) - 0.5
    code = code.masked_fill(clips["sky"], -0.5).masked_fill(~mask, 0.0)
    noise = torch.randn_like(code)
    velocity = ((noise - code)[mask]).square().mean()
    torch.testing.assert_close(task.logged["train/velocity"], velocity, rtol=1e-5, atol=0)
    error = time * noise + (1 - time) * code - code  # The network says 0: clean is noisy.
    changes = [
        (error[:, j] - error[:, i]).abs()[mask[:, j] & mask[:, i]]
        for j in (3, 4)
        for i in (0, 1, 2)
    ]
    temporal = torch.cat(changes).mean()
    torch.testing.assert_close(task.logged["train/temporal"], temporal, rtol=1e-5, atol=0)


def test_the_loss_is_the_weighted_sum_of_eq_11(clips):
    losses = {
        "velocity": VelocityError(),
        "gradient": GradientMatching(),
        "temporal": TemporalGradient(),
    }
    task = make(net=video_net, losses=losses, weights={"gradient": 0.2, "temporal": 0.7})
    loss = task.training_step(clips, 0)
    terms = task.logged
    expected = terms["train/velocity"] + 0.2 * terms["train/gradient"]
    torch.testing.assert_close(loss, expected + 0.7 * terms["train/temporal"])


def test_the_gradient_reaches_every_parameter_of_the_video_network(clips):
    losses = {"velocity": VelocityError(), "repa": FeatureAlignment(tap=0)}
    task = make(net=video_net, losses=losses)
    task.training_step(clips, 0).backward()
    without = [name for name, p in task.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []


def test_images_train_as_clips_of_one_frame_do(batch):
    image, clip = make(), make()
    losses = []
    for task, frames in ((image, batch), (clip, {**batch})):
        if task is clip:
            maps = ("image", "depth", "valid", "sky", "intrinsics", "pose")
            frames |= {name: batch[name][:, None] for name in maps}
        torch.manual_seed(3)
        losses.append(task.training_step(frames, 0))
    torch.testing.assert_close(*losses)


# Weights.


@pytest.fixture
def image_weights(tmp_path):
    state = make(kind=PPD).net.state_dict()
    path = tmp_path / "ppd.safetensors"
    save_file({f"net.{name}": tensor for name, tensor in state.items()}, path)
    return path


class Trainer:
    ckpt_path = None


def started(path, net):
    task = make(net=net, awake=False, initial_weights=path)
    task._trainer = Trainer()
    task.setup("fit")
    return task


@pytest.mark.parametrize(
    "new",
    [
        {"temporal_blocks": 1},
        {"propagation": Propagation(pool=2, gated=True)},
        {"propagation": Propagation(pool=2, gated=True), "temporal_blocks": 1},
    ],
    ids=["temporal blocks", "gated propagation", "both"],
)
def test_an_image_network_starts_a_video_network_whose_new_parts_change_nothing(
    new, image_weights, clips
):
    image = make(kind=PPD).net
    net = started(image_weights, functools.partial(small_net, **new)).net
    features = torch.rand(2, 5, 16, 2, 3)
    noisy, time = torch.randn(2, 5, 1, 16, 24), torch.tensor([0.3, 0.8])
    frames = [image(noisy[:, n], clips["image"][:, n], time, features[:, n]) for n in range(5)]
    found = net(noisy, clips["image"], time, features)
    torch.testing.assert_close(found, torch.stack(frames, 1), rtol=1e-5, atol=1e-5)


def test_missing_weights_that_are_no_new_parts_are_refused(image_weights):
    state = load_file(image_weights)
    del state["net.blocks.0.attention.out.bias"]
    save_file(state, image_weights)
    with pytest.raises(ValueError, match=r"missing \['blocks.0.attention.out.bias'\]"):
        started(image_weights, small_net)


def test_new_parts_that_are_there_in_part_are_refused(tmp_path):
    state = make(net=video_net).net.state_dict()
    del state["blocks.1.temporal.attention.out.bias"]
    save_file(state, tmp_path / "part.safetensors")
    with pytest.raises(ValueError, match=r"missing \['blocks.1.temporal.attention.out.bias'\]"):
        started(tmp_path / "part.safetensors", video_net)


# Sampling.


def test_one_image_without_propagation_is_what_the_image_model_makes_of_it(batch):
    image, video = make(kind=PPD).eval(), make().eval()
    keys = batch["key"]
    alone, one = image.predict(batch["image"], keys=keys), video.predict(batch["image"], keys=keys)
    assert torch.equal(alone, one)


def test_a_clip_of_one_window_depends_on_neither_batch_nor_global_generator(clips):
    task = make(net=video_net, windows=SHORT).eval()
    together = task.predict(clips["image"], keys=clips["key"])
    assert together.shape == (2, 5, 1, 16, 24)
    torch.manual_seed(99)
    alone = task.predict(clips["image"][1:], keys=["b"])
    torch.testing.assert_close(together[1:], alone, rtol=1e-5, atol=1e-5)
    other = task.predict(clips["image"][1:], keys=["c"])
    assert (other - alone).abs().max() > 1e-3


@pytest.mark.parametrize("num_frames", [1, 2, 3, 5, 6, 8])
def test_a_video_of_any_length_and_size_comes_back_frame_by_frame(num_frames):
    task = make(net=video_net, windows=SHORT).eval()
    frames = torch.rand(num_frames, 3, 17, 23)
    codes = list(task.predict_clip(iter(frames), key="walk"))
    assert [code.shape for code in codes] == [(1, 17, 23)] * num_frames
    whole = task.predict(frames[None], keys=["walk"])
    assert torch.equal(torch.stack(codes)[None], whole)


def test_windows_share_their_noise_and_are_chained(monkeypatch):
    """A network that puts out the image's red, but each window on a scale of its own."""
    task = make(windows=SHORT, num_steps=1).eval()
    scales, noises = iter((1.0, 0.5, 3.0)), []

    def sample(clips, noise):
        noises.append(noise)
        return next(scales) * clips[:, :, :1] + 0.1

    monkeypatch.setattr(task, "_sample", sample)
    frames = torch.rand(9, 3, 16, 16)
    codes = torch.stack(list(task.predict_clip(frames, key="walk")))
    torch.testing.assert_close(codes, frames[:, :1] + 0.1, rtol=0, atol=1e-5)
    assert all(torch.equal(noise, noises[0]) for noise in noises)
    assert noises[0].shape == (5, 1, 16, 16)
    assert noises[0].flatten(1).unique(dim=0).shape[0] == 5


def test_still_noise_is_that_of_an_image_for_all_frames(batch):
    image, video = make().eval(), make(noise="still", windows=SHORT).eval()
    frames = batch["image"][:1].expand(7, -1, -1, -1)
    code = image.predict(frames[:1], keys=["walk"])
    codes = torch.stack(list(video.predict_clip(frames, key="walk")))
    torch.testing.assert_close(codes, code.expand_as(codes), rtol=1e-4, atol=1e-4)
    released = torch.stack(list(make(windows=SHORT).eval().predict_clip(frames, key="walk")))
    assert (released[1:] - released[:-1]).abs().amax() > 1e-2


def test_a_long_video_is_read_as_it_is_sampled_and_no_further():
    task = make(windows=SHORT, num_steps=1).eval()
    read = []
    frames = (read.append(n) or torch.rand(3, 16, 16) for n in range(1000))
    codes = task.predict_clip(frames, key="walk")
    for _ in range(6):
        next(codes)
    assert len(read) == 7  # Two windows: five frames, then two behind the three keyframes.


@pytest.mark.parametrize("num_seen", [0, 1, 2, 3])
def test_windows_that_a_chain_has_seen_are_passed_over(num_seen, monkeypatch):
    task = make(net=video_net, windows=SHORT).eval()
    frames = torch.rand(9, 3, 16, 16)
    chain = WindowChain(SHORT.keyframes)
    whole = list(task.predict_windows(frames, key="walk", chain=chain))
    assert [len(codes) for codes in whole] == [5, 2, 2]
    begun = WindowChain(SHORT.keyframes)
    first = task.predict_windows(frames, key="walk", chain=begun)
    for _ in range(num_seen):
        next(first)
    restored = WindowChain(SHORT.keyframes)
    restored.restore(begun.state(), device=task.device)
    sampled, sample = [], task._sample
    monkeypatch.setattr(task, "_sample", lambda *given: sampled.append(1) or sample(*given))
    rest = list(task.predict_windows(frames, key="walk", chain=restored))
    assert len(sampled) == 3 - num_seen
    assert all(map(torch.equal, rest, whole[num_seen:]))


@pytest.mark.parametrize("num_seen", [0, 1, 2, 3, 4])
def test_windows_may_go_through_the_network_together(num_seen, monkeypatch):
    """To the last digits, which the order of sums in a batch decides."""
    task = make(net=video_net, windows=SHORT).eval()
    frames = torch.rand(10, 3, 17, 23)
    alone = list(task.predict_windows(frames, key="walk", chain=WindowChain(SHORT.keyframes)))
    sizes, sample = [], task._sample
    monkeypatch.setattr(
        task, "_sample", lambda *given: sizes.append(len(given[0])) or sample(*given)
    )
    whole, begun = [], WindowChain(SHORT.keyframes)
    coming = task.predict_windows(frames, key="walk", chain=begun, num_at_once=3)
    whole = [next(coming) for _ in range(num_seen)]
    restored = WindowChain(SHORT.keyframes)
    restored.restore(begun.state(), device=task.device)
    rest = list(task.predict_windows(frames, key="walk", chain=restored, num_at_once=3))
    together = [*whole, *coming]
    assert [len(codes) for codes in together] == [5, 2, 2, 1]
    torch.testing.assert_close(torch.cat(together), torch.cat(alone), rtol=0, atol=1e-5)
    assert all(map(torch.equal, rest, together[num_seen:]))
    assert set(sizes) <= {3, 1}


@pytest.mark.parametrize("num_at_once", [1, 2])
def test_windows_may_be_spread_over_devices_and_no_digit_changes(num_at_once, monkeypatch):
    task = make(net=video_net, windows=SHORT).eval()
    frames = torch.rand(20, 3, 17, 23)
    replicas, took = [deepcopy(task) for _ in range(2)], {}
    for place, one in enumerate((task, *replicas)):

        def counted(*given, place=place, sample=one._sample):
            took[place] = took.get(place, 0) + 1
            return sample(*given)

        monkeypatch.setattr(one, "_sample", counted)

    def codes(**options):
        chain = WindowChain(SHORT.keyframes)
        windows = task.predict_windows(
            frames, key="walk", chain=chain, num_at_once=num_at_once, **options
        )
        return torch.cat(list(windows))

    alone = codes()
    took.clear()
    assert torch.equal(codes(replicas=replicas), alone)
    num_batches = -(-9 // num_at_once)
    assert sum(took.values()) == num_batches
    assert sorted(took) == [0, 1, 2]
    assert max(took.values()) - min(took.values()) <= 1


def test_frames_that_are_no_references_may_come_in_any_order_with_their_noise():
    """Sampled as a whole: no step knows the order."""
    order = [0, 1, 2, 4, 3]
    task = make(net=functools.partial(small_net, propagation=Propagation(pool=2))).eval()
    clip, noise = torch.rand(5, 3, 16, 24), torch.randn(5, 1, 16, 24)
    found = task._sample(clip[None], noise)[0]
    shuffled = task._sample(clip[None, order], noise[order])[0]
    torch.testing.assert_close(shuffled, found[order], rtol=1e-4, atol=1e-4)
    replaced = task._sample(torch.cat([clip[:2], clip[3:4], clip[3:]])[None], noise)[0]
    assert (replaced[3:] - found[3:]).abs().max() > 1e-3  # Another reference is no such thing.


def test_clips_are_seen_whole_by_an_encoder_of_clips(clips):
    seen = []

    class Pair(SemanticEncoder):
        width, sees_clips = 4, True

        def forward(self, image):
            seen.append(image.shape)
            mean = image.mean((1, 2, 3, 4)).reshape(-1, 1, 1, 1, 1)
            return mean.expand(*image.shape[:2], 4, 2, 3)

    task = make(encoder=Pair(), windows=SHORT).eval()
    task.predict(clips["image"], keys=clips["key"])
    task.training_step(clips, 0)
    assert seen == [(1, 5, 3, 16, 24)] * 2 + [(2, 5, 3, 16, 24)]


def test_an_image_model_sees_a_clip_frame_by_frame_from_one_noise(clips):
    task = make(kind=PPD).eval()
    codes = task.predict(clips["image"], keys=clips["key"])
    third = task.predict(clips["image"][:, 2], keys=clips["key"])
    assert torch.equal(codes[:, 2], third)


# Evaluation.


def test_a_clip_is_scored_in_disparity_with_one_scale_and_shift_and_timed_by_the_frame(
    clips, monkeypatch
):
    task = PPVD(encoder(), small_net)
    code, _ = DisparityCodec(clamp=None).encode(clips["depth"], clips["valid"])
    drift = 0.2 * torch.arange(5.0).reshape(5, 1, 1, 1)
    predictions = iter((0.3 * code + 7, code + drift))
    monkeypatch.setattr(task, "predict", lambda *_, **__: next(predictions))
    trainer = L.Trainer(accelerator="cpu", logger=False, enable_progress_bar=False)
    loader = torch.utils.data.DataLoader([clips], batch_size=None)
    (exact,) = trainer.test(task, loader, verbose=False)
    assert exact["test/data/abs_rel"] < 1e-3
    assert exact["test/data/chamfer"] < 1e-2
    assert task.benchmarks["data"].seconds.weight == 10
    (drifting,) = trainer.test(task, loader, verbose=False)
    assert drifting["test/data/abs_rel"] > 0.05


# The released script.


def hash_uniform(shape, *, salt, low, high):
    """Numbers that any machine makes alike; see the golden's README."""
    h = (
        (np.arange(np.prod(shape), dtype=np.uint64) + np.uint64(salt * 1000003))
        * np.uint64(2654435761)
        % np.uint64(2**32)
    )
    h = (h ^ (h >> np.uint64(15))) * np.uint64(2246822519) % np.uint64(2**32)
    h ^= h >> np.uint64(13)
    unit = (h >> np.uint64(8)).astype(np.float64) / 2**24
    return torch.from_numpy((low + (high - low) * unit).astype(np.float32).reshape(shape))


class GreyEncoder(SemanticEncoder):
    """The golden's stand-in: each frame's mean."""

    width, sees_clips = 1, True

    def forward(self, image):
        return image.mean((2, 3, 4)).reshape(*image.shape[:2], 1, 1, 1)


class GoldenNet(torch.nn.Module):
    """The golden's stand-in for the network; colour is in [-0.5, 0.5] there."""

    divisor = 16

    def velocity_field(self, image, features, times):  # noqa: ARG002 - the network's signature
        red, green, blue = (image - 0.5).unbind(2)
        mixed = (1.1 * red - 0.3 * green + 0.2 * blue).unsqueeze(2)
        mixed = mixed * (0.7 + 0.05 * torch.sin(3 * features.sum()))
        return lambda noisy, time: 0.9 * noisy - mixed + 1000 * time / 5000


def test_released_parity_gives_the_released_videos_numbers(monkeypatch):
    golden = load_file(GOLDEN)
    task = quiet(
        PPVD(
            GreyEncoder(),
            lambda _: GoldenNet(),
            parity="released",
            grid=released_grid,
            num_steps=2,
        )
    )
    noise = hash_uniform((16, 1, 512, 512), salt=206, low=-1.5, high=1.5)
    monkeypatch.setattr("ppvd.tasks.ppvd.keyed_noise", lambda *_, **__: noise)
    frames = golden["in.frames"].permute(0, 3, 1, 2) / 255
    codes = torch.stack(list(task.predict_clip(frames, key="any")))
    expected = golden["out.depth"]
    assert codes.shape == (31, 1, 12, 20)
    assert (codes[:, 0] + 0.5 - expected).abs().max() < 2e-5 * expected.std()


def test_by_default_colour_and_aspect_are_kept(monkeypatch):
    task = make(windows=SHORT, num_steps=1, pixels=16 * 32).eval()
    seen = []
    monkeypatch.setattr(task, "_sample", lambda clips, noise: seen.append(clips[0]) or noise[None])
    frames = torch.stack([torch.full((32, 64), level) for level in (0.9, 0.5, 0.1)])
    list(task.predict_clip([frames], key="walk"))
    assert seen[0].shape == (5, 3, 16, 32)
    torch.testing.assert_close(seen[0][0, :, 0, 0], torch.tensor([0.9, 0.5, 0.1]))


def test_an_unknown_parity_or_noise_is_refused():
    with pytest.raises(ValueError, match="parity must be released or None, got 'same'"):
        make(parity="same")
    with pytest.raises(ValueError, match="noise must be released or still, got 'white'"):
        make(noise="white")
    with pytest.raises(ValueError, match="noise must be released where parity is, got still"):
        make(parity="released", noise="still")


def test_the_chain_keeps_the_keyframes_alone():
    chain = WindowChain((0, 2))
    chain(torch.rand(4, 1, 3, 3))
    assert chain._opening.shape == (2, 1, 3, 3)


def test_a_prediction_says_that_it_is_disparity(batch):
    predicted = make().predict_step({"image": batch["image"][:1], "key": ["a"]}, 0)
    assert predicted["codec"].unit == "1 / depth"
    assert make(kind=PPD).codec.unit == "log(depth + 1)"
