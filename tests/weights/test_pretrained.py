import shutil

import pytest
import torch

from ppvd.semantics import MoGe2
from ppvd.weights.imported import import_weights
from ppvd.weights.pretrained import read_pretrained


def equal(one, other):
    one, other = one.state_dict(), other.state_dict()
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


@pytest.fixture
def expected(files, released):
    return released("ppd_forward_test_a")[1], MoGe2(files / "moge2.pt")


def test_a_name_brings_the_network_and_its_encoder(files, expected):
    found = read_pretrained("ppd-moge2")
    assert (found.kind, found.path) == ("image", files / "ppd_moge.pth")
    assert equal(found.net, expected[0])
    assert equal(found.encoder, expected[1])


def test_files_anywhere_are_taken_as_they_are(files, expected, tmp_path):
    net, encoder = tmp_path / "mine.ckpt", tmp_path / "enc.pt"
    shutil.move(files / "ppd_moge.pth", net)
    shutil.move(files / "moge2.pt", encoder)
    found = read_pretrained(net, encoder=encoder)
    assert equal(found.net, expected[0])
    assert equal(found.encoder, expected[1])


def test_a_file_of_a_published_name_needs_no_encoder_named(files, expected):
    assert equal(read_pretrained(files / "ppd_moge.pth").encoder, expected[1])


def test_imported_files_do_as_well(files, expected, tmp_path):
    for source, name in (("ppd_moge.pth", "ppd-moge2"), ("moge2.pt", "moge2-l")):
        import_weights(files / source, name=name, out=files / f"{name}.safetensors")
        (files / source).unlink()
    moved = shutil.copy(files / "ppd-moge2.safetensors", tmp_path / "any.safetensors")
    for source in ("ppd-moge2", moved):
        found = read_pretrained(source)
        assert equal(found.net, expected[0])
        assert equal(found.encoder, expected[1])


def test_another_name_of_the_file_asks_for_the_encoder(files, tmp_path):
    net = shutil.copy(files / "ppd_moge.pth", tmp_path / "mine.pth")
    with pytest.raises(
        ValueError, match=r"encoder must be given for .*mine\.pth.* or one of depth"
    ):
        read_pretrained(net)
    assert read_pretrained(net, encoder="moge2-l").encoder.width == 1024


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("source", "encoder", "sentence"),
    [
        ("moge2-l", None, "moge2-l is an encoder; name a network: ppd-dav2, ppd-moge2, ppvd-pi3"),
        ("ppd-moge", None, "must be a file or one of .*, got ppd-moge; did you mean ppd-moge2"),
        ("gone.pth", None, r"must be a file or one of .*, got gone\.pth"),
        ("ppd-moge2", "gone.pt", r"must be a file or one of .*, got gone\.pt"),
        ("ppd-moge2", "ppd-moge2", "must be of a published encoder"),
    ],
)
def test_what_cannot_be_found_is_named(source, encoder, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_pretrained(source, encoder=encoder)


def test_another_encoder_than_the_networks_is_refused(files, golden, weights):
    state = weights(golden("dinov2_noreg_a"))
    torch.save(state, files / "dinov2.pth")
    with pytest.raises(ValueError, match=r"must be of moge2 for this network, but .* dinov2"):
        read_pretrained("ppd-moge2", encoder=files / "dinov2.pth")


def test_an_encoder_of_another_width_is_refused(files, moge2_file):
    moge2_file(files / "moge2.pt", projected=512)
    with pytest.raises(ValueError, match=r"encoder must have 1024 channels for .*, got 512"):
        read_pretrained("ppd-moge2")


def test_an_imported_network_is_no_encoder(files):
    out = files / "net.safetensors"
    import_weights(files / "ppd_moge.pth", name="ppd-moge2", out=out)
    with pytest.raises(ValueError, match=r"encoder must be an encoder, but .* holds a network"):
        read_pretrained("ppd-moge2", encoder=out)


@pytest.mark.usefixtures("hub")
def test_a_missing_encoder_is_asked_for_before_the_network_is_read(files):
    (files / "moge2.pt").unlink()
    (files / "ppd_moge.pth").write_bytes(b"damaged")
    with pytest.raises(ConnectionError, match="moge2-l cannot be fetched"):
        read_pretrained("ppd-moge2")
