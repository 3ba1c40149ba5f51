import dataclasses
import hashlib
import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from ppvd.semantics import MoGe2
from ppvd.weights.card import digest, read_card
from ppvd.weights.imported import import_weights, load_imported, verify_weights
from ppvd.weights.published import PUBLISHED


@pytest.fixture
def imported(files, tmp_path):
    out = tmp_path / "new" / "model.safetensors"
    import_weights(files / "ppd_moge.pth", name="ppd-moge2", out=out)
    return out


def equal(one, other):
    one, other = one.state_dict(), other.state_dict()
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def test_an_imported_network_is_rebuilt_as_it_was(imported, released):
    _, expected = released("ppd_forward_test_a")
    net = load_imported(imported, read_card(imported))
    assert equal(net, expected)
    noisy, image, time = torch.randn(1, 1, 32, 48), torch.rand(1, 3, 32, 48), torch.tensor([0.3])
    features = torch.randn(1, 1024, 2, 3)
    assert torch.equal(net(noisy, image, time, features), expected(noisy, image, time, features))


def test_a_video_network_is_rebuilt_as_it_was(weights_dir, golden, weights, tmp_path):
    state = weights(golden("dit_video_a"))
    torch.save({f"dit_video.{k}": v for k, v in state.items()}, weights_dir / "ppvd.pth")
    out = tmp_path / "video.safetensors"
    card = import_weights(weights_dir / "ppvd.pth", name="ppvd-pi3", out=out)
    net = load_imported(out, card)
    assert (net.positions, net.propagation.last_blocks) == ("sincos", 6)
    assert net.propagation.references == (0, 1, 2)
    assert verify_weights(out) == card


def test_an_imported_encoder_is_rebuilt_as_it_was_and_serves_its_class(files, tmp_path):
    out = tmp_path / "moge2.safetensors"
    card = import_weights(files / "moge2.pt", name="moge2-l", out=out)
    published = MoGe2(files / "moge2.pt")
    image = torch.rand(1, 3, 32, 48)
    for encoder in (load_imported(out, card), MoGe2(out)):
        assert equal(encoder, published)
        assert torch.equal(encoder(image), published(image))


def test_the_number_of_heads_is_kept(golden, weights, tmp_path):
    state = {
        f"encoder.{k.removeprefix('encoder.')}": v for k, v in weights(golden("moge2_a")).items()
    }
    torch.save({"model": state}, tmp_path / "moge2.pt")
    out = tmp_path / "moge2.safetensors"
    card = import_weights(tmp_path / "moge2.pt", name="moge2-l", out=out, num_heads=4)
    assert load_imported(out, card).backbone.blocks[0].attn.num_heads == 4


def test_the_card_says_whence_the_file_came(imported, files):
    card = read_card(imported)
    assert (card.name, card.kind, card.encoder) == ("ppd-moge2", "image", "moge2-l")
    assert card.source == "ppd_moge.pth"
    assert card.sha256 == hashlib.sha256((files / "ppd_moge.pth").read_bytes()).hexdigest()
    assert card.licence == PUBLISHED["ppd-moge2"].licence
    assert (card.config["width"], card.config["semantic_width"]) == (32, 1024)
    assert verify_weights(imported) == card


def test_our_names_are_stored_in_float32_and_nothing_else_is_left(imported):
    tensors = load_file(imported)
    assert "embed.noisy.weight" in tensors
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32}
    assert list(imported.parent.iterdir()) == [imported]


@pytest.mark.parametrize(
    ("file", "name", "sentence"),
    [
        ("moge2.pt", "ppd-moge2", "must hold one published network"),
        ("ppd_moge.pth", "moge2-l", "must be of a published encoder"),
        ("ppd_moge.pth", "ppvd-pi3", "ppvd-pi3 must be a network of video, but .* of image"),
        ("moge2.pt", "dinov2-l", "dinov2-l must be of dinov2, but .* holds moge2"),
        ("moge2.pt", "moge2", "got moge2; did you mean moge2-l"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_and_nothing_is_written(
    file, name, sentence, files, tmp_path
):
    out = tmp_path / "x.safetensors"
    with pytest.raises(ValueError, match=sentence):
        import_weights(files / file, name=name, out=out)
    assert not out.exists()


def test_an_error_while_writing_leaves_the_old_file(files, tmp_path, monkeypatch):
    out = tmp_path / "x.safetensors"
    out.write_bytes(b"old")

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ppvd.weights.imported.save_file", fail)
    with pytest.raises(OSError, match="No space"):
        import_weights(files / "ppd_moge.pth", name="ppd-moge2", out=out)
    assert out.read_bytes() == b"old"


def test_an_imported_file_is_not_imported_again(imported, tmp_path):
    with pytest.raises(ValueError, match="it was imported already"):
        import_weights(imported, name="ppd-moge2", out=tmp_path / "again.safetensors")
    with pytest.raises(ValueError, match=r"out must end in \.safetensors, got x\.pth"):
        import_weights(imported, name="ppd-moge2", out=type(imported)("x.pth"))


def rewrite(path, tensors, **fields):
    """Store other tensors, or with another card."""
    card = dataclasses.replace(read_card(path), **fields)
    save_file(tensors, path, metadata=card.metadata())


def test_a_changed_tensor_does_not_verify(imported):
    tensors = load_file(imported)
    tensors["head.bias"] += 1e-6
    rewrite(imported, tensors)
    with pytest.raises(ValueError, match="must hold the tensors that were imported"):
        verify_weights(imported)


def test_a_weight_that_is_no_number_does_not_verify(imported):
    tensors = load_file(imported)
    tensors["head.bias"][0] = torch.nan
    rewrite(imported, tensors, tensors_sha256=digest(tensors))
    with pytest.raises(ValueError, match=r"NaN or infinity in head\.bias"):
        verify_weights(imported)


def test_tensors_that_do_not_fit_the_card_do_not_verify(imported):
    rewrite(imported, load_file(imported), config={**read_card(imported).config, "depth": 6})
    with pytest.raises(ValueError, match="this CascadeDiT"):
        verify_weights(imported)


def test_a_file_without_a_card_does_not_verify(files):
    with pytest.raises(ValueError, match="must be an imported file; import it: ppvd weights"):
        verify_weights(files / "ppd_moge.pth")


def test_a_card_of_another_version_is_refused(imported):
    with safe_open(imported, "pt") as file:
        card = json.loads(file.metadata()["ppvd"])
    save_file(load_file(imported), imported, metadata={"ppvd": json.dumps({**card, "new": 1})})
    with pytest.raises(ValueError, match="must be one of this version; import the published"):
        read_card(imported)


def test_a_truncated_file_is_refused(imported):
    imported.write_bytes(imported.read_bytes()[:-100])
    with pytest.raises(ValueError, match="readable checkpoint"):
        verify_weights(imported)
