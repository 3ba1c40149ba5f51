import dataclasses
import hashlib
import os

import pytest
from huggingface_hub import constants

from ppvd.weights import cache
from ppvd.weights.cache import locate, weights_folder
from ppvd.weights.published import PUBLISHED

CONTENT = os.urandom(5000)
PATH = "/gangweix/Pixel-Perfect-Depth/resolve/main/ppd.pth"


@pytest.fixture
def served(hub):
    hub.files[PATH] = CONTENT
    return hub


def everything(folder):
    return {path.name for path in folder.iterdir() if path.suffix != ".lock"}


def test_a_model_is_downloaded_once_and_then_found(served, weights_dir):
    assert locate("ppd-dav2") == weights_dir / "ppd.pth"
    assert (weights_dir / "ppd.pth").read_bytes() == CONTENT
    num_asked = len(served.asked)
    assert locate("ppd-dav2") == weights_dir / "ppd.pth"
    assert len(served.asked) == num_asked
    assert everything(weights_dir) == {"ppd.pth"}


def test_a_broken_connection_is_resumed_at_its_byte(served):
    served.cuts, served.cut_after = 2, 1200
    assert locate("ppd-dav2").read_bytes() == CONTENT
    assert served.ranges() == [None, "bytes=1200-", "bytes=2400-"]


@pytest.fixture
def broken_off(served, weights_dir):
    """The hub after it broke off a download at byte 1200 and then vanished; it is back now."""

    class Vanishing(dict):
        def get(self, path):
            return None if len(served.ranges()) > 1 else super().get(path)

    whole, served.files = served.files, Vanishing(served.files)
    served.cuts, served.cut_after = 1, 1200
    with pytest.raises(ConnectionError, match=r"ppd-dav2 cannot be fetched from .*run again"):
        locate("ppd-dav2")
    assert not (weights_dir / "ppd.pth").exists()
    served.files = whole
    return served


def test_a_download_that_stopped_goes_on_in_the_next_call(broken_off, weights_dir):
    (part,) = everything(weights_dir)
    assert (weights_dir / part).read_bytes() == CONTENT[:1200]
    assert locate("ppd-dav2").read_bytes() == CONTENT
    assert broken_off.ranges()[-1] == "bytes=1200-"
    assert everything(weights_dir) == {"ppd.pth"}


def test_a_file_that_changed_at_the_hub_is_not_mixed_with_what_had_arrived(broken_off):
    other = broken_off.files[PATH] = bytes(reversed(CONTENT))
    assert locate("ppd-dav2").read_bytes() == other
    assert broken_off.ranges()[-1] is None


def test_a_wrong_checksum_of_the_hub_leaves_nothing(served, weights_dir):
    served.checksum = "0" * 64
    with pytest.raises(ValueError, match=r"ppd-dav2 must have the SHA-256 0{64}, got .*removed"):
        locate("ppd-dav2")
    assert everything(weights_dir) == set()


def test_a_published_checksum_comes_before_the_hubs(served, weights_dir, monkeypatch):
    entry = dataclasses.replace(PUBLISHED["ppd-dav2"], sha256="1" * 64)
    monkeypatch.setattr(cache, "published", lambda _: entry)
    with pytest.raises(ValueError, match=r"must have the SHA-256 1{64}"):
        locate("ppd-dav2")
    right = dataclasses.replace(entry, sha256=hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setattr(cache, "published", lambda _: right)
    served.checksum = "0" * 64
    assert locate("ppd-dav2").read_bytes() == CONTENT
    assert everything(weights_dir) == {"ppd.pth"}


def test_a_file_with_a_plain_address_is_downloaded_too(served, monkeypatch):
    address = f"{served.address}{PATH}"
    entry = dataclasses.replace(PUBLISHED["mae-l"], url=address)
    monkeypatch.setattr(cache, "published", lambda _: entry)
    assert locate("mae-l").read_bytes() == CONTENT


@pytest.mark.usefixtures("hub")
def test_a_file_that_is_gone_is_named_with_its_address(weights_dir):
    with pytest.raises(
        ConnectionError, match=r"cannot be fetched from http.*ppd\.pth: .*404 Not Found"
    ):
        locate("ppd-dav2")
    assert everything(weights_dir) == set()


def test_offline_nothing_is_asked(served, weights_dir, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ConnectionError, match="offline"):
        locate("ppd-dav2")
    assert served.asked == []
    (weights_dir / "ppd.pth").write_bytes(CONTENT)
    assert locate("ppd-dav2").read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["ppd-moge2", "ppvd-pi3"])
def test_a_file_behind_a_page_is_asked_of_the_person(name, weights_dir):
    model = PUBLISHED[name]
    with pytest.raises(FileNotFoundError) as error:
        locate(name)
    assert model.page in str(error.value)
    assert str(weights_dir / model.file) in str(error.value)


def test_an_imported_file_comes_first(weights_dir):
    weights_dir.mkdir(exist_ok=True)
    (weights_dir / "ppd_moge.pth").touch()
    assert locate("ppd-moge2") == weights_dir / "ppd_moge.pth"
    (weights_dir / "ppd-moge2.safetensors").touch()
    assert locate("ppd-moge2") == weights_dir / "ppd-moge2.safetensors"


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="got ppd-moge; did you mean ppd-moge2"):
        locate("ppd-moge")


def test_the_folder_is_the_variables_or_the_home_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("PPVD_WEIGHTS", str(tmp_path))
    assert weights_folder() == tmp_path
    monkeypatch.delenv("PPVD_WEIGHTS")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert weights_folder() == tmp_path / ".cache" / "ppvd"
