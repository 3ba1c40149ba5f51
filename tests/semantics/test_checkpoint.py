from pathlib import Path

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from safetensors.torch import save_file
from torch import nn

from ppvd.semantics import ViT, ViTEncoder, ViTRegressor, load_strictly, read_state_dict


def vit(seed=0, **changes):
    torch.manual_seed(seed)
    return ViT(**{"width": 16, "depth": 1, "num_heads": 2, "patch": 4, "grid": 4} | changes)


def equal(one, other):
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


class Pretraining(LightningModule):
    def __init__(self):
        super().__init__()
        self.network = ViTRegressor(ViTEncoder(vit(seed=1)))

    def training_step(self, batch):
        return (self.network(batch) - batch.mean(1, keepdim=True)).square().mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*many workers")
def test_lightning_checkpoint_of_the_pretraining_fills_the_encoder(tmp_path):
    task = Pretraining()
    before = task.network.encoder.backbone.state_dict()["norm.weight"].clone()
    trainer = Trainer(
        max_steps=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(task, torch.utils.data.DataLoader(torch.rand(4, 3, 8, 8)))
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    encoder = ViTEncoder(vit(), weights=tmp_path / "last.ckpt")
    assert equal(encoder.backbone, task.network.encoder.backbone)
    assert not torch.equal(before, encoder.backbone.norm.weight)


@pytest.mark.parametrize("name", ["vit.pth", "vit.safetensors"])
def test_published_file_with_a_mask_token_fills_the_backbone(tmp_path, name):
    source = vit(seed=1)
    state = source.state_dict() | {"mask_token": torch.ones(1, 16)}
    save = save_file if name.endswith("safetensors") else torch.save
    save(state, tmp_path / name)
    filled = vit()
    load_strictly(filled, tmp_path / name)
    assert equal(filled, source)


def test_model_level_of_mae_checkpoints_is_opened(tmp_path):
    torch.save({"model": vit(seed=1).state_dict()}, tmp_path / "mae.pth")
    filled = vit()
    load_strictly(filled, tmp_path / "mae.pth")
    assert equal(filled, vit(seed=1))


def test_missing_and_unexpected_names_are_listed_with_the_file(tmp_path):
    state = {f"net.{name}": value for name, value in vit(depth=2).state_dict().items()}
    del state["net.norm.bias"]
    torch.save({"state_dict": state}, tmp_path / "x.ckpt")
    with pytest.raises(ValueError, match=r"missing \['norm.bias'\]") as error:
        load_strictly(vit(), tmp_path / "x.ckpt")
    assert "the part 'net.'" in str(error.value)
    assert str(tmp_path / "x.ckpt") in str(error.value)
    assert "'blocks.1.attn.proj.bias'" in str(error.value)


def test_other_shapes_are_named(tmp_path):
    torch.save(vit(grid=3).state_dict(), tmp_path / "x.pth")
    with pytest.raises(
        ValueError, match=r"x\.pth must have the shapes.*pos_embed \(1, 10,.* instead of \(1,"
    ):
        load_strictly(vit(), tmp_path / "x.pth")


def test_two_equal_parts_are_ambiguous(tmp_path):
    state = vit().state_dict()
    both = {f"{side}.{name}": value for side in "ab" for name, value in state.items()}
    torch.save(both, tmp_path / "x.pth")
    with pytest.raises(ValueError, match=r"exactly once, it fits under \['a.', 'b.'\]"):
        load_strictly(vit(), tmp_path / "x.pth")


def test_file_of_another_network(tmp_path):
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "x.pth")
    with pytest.raises(ValueError, match=r"exactly once, got names \['bias', 'weight'\]"):
        load_strictly(vit(), tmp_path / "x.pth")


def test_missing_file(tmp_path):
    with pytest.raises(ValueError, match=r"weights must name a file, got .*gone"):
        read_state_dict(tmp_path / "gone.pth")


@pytest.mark.parametrize("name", ["x.pth", "x.safetensors"])
@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04half"])
def test_damaged_file(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"readable checkpoint, got .*{name}"):
        read_state_dict(tmp_path / name)


def test_truncated_file(tmp_path):
    torch.save(vit().state_dict(), tmp_path / "x.pth")
    whole = (tmp_path / "x.pth").read_bytes()
    (tmp_path / "x.pth").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"readable checkpoint, got .*truncated or no checkpoint"):
        read_state_dict(tmp_path / "x.pth")


def test_web_page_saved_in_place_of_a_file(tmp_path):
    (tmp_path / "x.pth").write_text("\n<!DOCTYPE html><title>Sign in</title>")
    with pytest.raises(ValueError, match=r"x\.pth: it is a web page"):
        read_state_dict(tmp_path / "x.pth")


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_code_in_a_file_is_named_and_not_run(tmp_path):
    torch.save({"state_dict": Trap(tmp_path / "executed")}, tmp_path / "x.pth")
    with pytest.raises(ValueError, match=r"got .*which holds code \(\w+\); nothing of it was"):
        read_state_dict(tmp_path / "x.pth")
    assert not (tmp_path / "executed").exists()


def test_file_that_holds_no_names(tmp_path):
    torch.save([1, 2], tmp_path / "x.pth")
    with pytest.raises(ValueError, match="tensors by name"):
        read_state_dict(tmp_path / "x.pth")


def test_parts_that_may_lack_keep_their_own_values_or_come_whole(tmp_path):
    class Extended(nn.Module):
        def __init__(self):
            super().__init__()
            self.old, self.new = nn.Linear(2, 2), nn.Linear(2, 2)

    module = Extended()
    before = module.new.weight.clone()
    state = {name: value + 1 for name, value in module.state_dict().items()}
    old = {name: value for name, value in state.items() if name.startswith("old.")}
    save_file(old, tmp_path / "old.safetensors")
    load_strictly(module, tmp_path / "old.safetensors", may_lack=["new"])
    assert torch.equal(module.old.weight, state["old.weight"])
    assert torch.equal(module.new.weight, before)
    with pytest.raises(ValueError, match=r"missing \['new.bias', 'new.weight'\]"):
        load_strictly(module, tmp_path / "old.safetensors")
    save_file(state, tmp_path / "whole.safetensors")
    load_strictly(module, tmp_path / "whole.safetensors", may_lack=["new"])
    assert torch.equal(module.new.weight, state["new.weight"])
    save_file(old | {"new.bias": state["new.bias"]}, tmp_path / "half.safetensors")
    with pytest.raises(ValueError, match=r"missing \['new.weight'\]"):
        load_strictly(module, tmp_path / "half.safetensors", may_lack=["new"])
