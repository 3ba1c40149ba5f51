import cv2
import numpy as np
import pytest

from ppvd.cli import main as ppvd


def main(words):
    ppvd(["shards", *words])


SCAN = "scene0707_00"


@pytest.fixture
def scan(tmp_path):
    """Twenty exported frames of a slanted wall, as ScanNet's program writes them."""
    root = tmp_path / "scans"
    for part in ("color", "depth"):
        (root / SCAN / part).mkdir(parents=True)
    rows, columns = np.mgrid[:480, :640]
    metres = 2 / (1 + 0.2 * (columns - 319.5) / 577.87 + 0.1 * (rows - 239.5) / 577.87)
    picture = np.full((480, 640, 3), 90, np.uint8)
    for number in range(4):
        cv2.imwrite(str(root / SCAN / f"color/{number}.jpg"), picture)
        cv2.imwrite(str(root / SCAN / f"depth/{number}.png"), (1000 * metres).astype(np.uint16))
    return root


def status(args):
    with pytest.raises(SystemExit) as stopped:
        main(["doctor", *map(str, args)])
    return stopped.value.code


def test_a_sound_download_is_recognised_and_ends_with_0(scan, capsys):
    main(["doctor", str(scan)])
    out = capsys.readouterr().out
    assert f"{scan}: scannet" in out
    assert "4 frames read (640x480): 100% valid" in out
    assert "say that depth is planar" in out
    assert "no kinds of faults in 4 frames" in out


def test_faults_are_listed_and_end_with_1(scan, capsys):
    (scan / SCAN / "depth/1.png").unlink()
    color = scan / SCAN / "color/2.jpg"
    color.write_bytes(color.read_bytes()[:-9])
    assert status([scan, "--frames", "0"]) == 1
    out = capsys.readouterr().out
    assert "wrong: 1 x its depth file is missing: scannet/scene0707_00/000001" in out
    assert "wrong: 1 x it is a JPEG that breaks off: scene0707_00/color/2.jpg" in out


def test_a_folder_of_nothing_known_is_a_sentence(tmp_path, capsys):
    assert status([tmp_path]) == 1
    assert "look like none of the known data sets" in capsys.readouterr().err
    assert status([tmp_path / "gone"]) == 1
    assert "must be the folder of the downloaded data" in capsys.readouterr().err
    assert status([tmp_path, "--as", "bonn"]) == 1
    assert "must hold frames" in capsys.readouterr().err
    assert status([tmp_path, "--as", "bonn", "--frames", "-1"]) == 1
    assert "frames must not be negative" in capsys.readouterr().err
    assert status([tmp_path, "--as", "other"]) == 2


def test_two_sets_in_one_folder_ask_for_one(scan, capsys):
    (scan / "training/camdata_left").mkdir(parents=True)
    assert status([scan]) == 1
    assert "look like scannet and sintel at once" in capsys.readouterr().err
    main(["doctor", str(scan), "--as", "scannet"])
