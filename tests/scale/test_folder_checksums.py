import pytest
import torch

from ppvd.cli.continuing import furthest
from ppvd.scale import require_whole
from ppvd.scale.folder_checksums import write_checksums

PARTS = (
    ".metadata",
    "__0_0.distcp",
    "__1_0.distcp",
    "meta.pt",
    "raw/__1_0.distcp",
    "raw/.metadata",
)


def write(folder, step=1):
    """A checkpoint as two processes leave it."""
    (folder / "raw").mkdir(parents=True)
    for part in PARTS:
        (folder / part).write_bytes(f"{part} of {folder.name}".encode())
    torch.save({"state_dict": {}, "global_step": step}, folder / "meta.pt")
    passing = folder / ".checksums-1-of-2.json.abc"  # The other process may be a bit faster.
    passing.touch()
    write_checksums(folder, rank=0, world=2)
    passing.unlink()
    write_checksums(folder, rank=1, world=2)
    return folder


def flip(file):
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("part", PARTS)
def test_a_flipped_bit_is_found_in_whichever_file(tmp_path, part):
    folder = write(tmp_path / "step=1.ckpt")
    require_whole(folder)
    flip(folder / part)
    with pytest.raises(ValueError, match=rf"step=1.ckpt must be .*{part} in it is damaged"):
        require_whole(folder)


@pytest.mark.parametrize("part", [*PARTS, "checksums-1-of-2.json", "checksums-0-of-2.json"])
def test_a_file_that_is_gone_is_missed(tmp_path, part):
    folder = write(tmp_path / "step=1.ckpt")
    (folder / part).unlink()
    with pytest.raises(ValueError, match=f"{part} in it is gone"):
        require_whole(folder)


def test_each_process_sums_up_what_it_has_written_and_no_file_twice(tmp_path):
    folder = write(tmp_path / "step=1.ckpt")
    second = (folder / "checksums-1-of-2.json").read_text()
    assert all((f'"{part}"' in second) == ("__1_" in part) for part in PARTS)
    first = (folder / "checksums-0-of-2.json").read_text()
    assert all((f'"{part}"' in first) != ("__1_" in part) for part in PARTS)


def test_a_training_goes_on_from_the_folder_before_the_damaged_one(tmp_path):
    run = tmp_path / "version_0" / "checkpoints"
    for step in (1, 2, 3, 4):
        write(run / f"step={step}.ckpt", step)
    (run / "step=4.ckpt" / "meta.pt").unlink()  # Of a run that was killed while it wrote.
    flip(run / "step=3.ckpt" / "__1_0.distcp")
    assert furthest(tmp_path).path == run / "step=2.ckpt"


def test_a_folder_without_checksums_is_believed(tmp_path):
    (tmp_path / "meta.pt").touch()
    require_whole(tmp_path)
