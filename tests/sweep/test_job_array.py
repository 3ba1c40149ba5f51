"""The script that Slurm runs is whole, and a sweep is submitted with it."""

import os
import subprocess
from pathlib import Path

import pytest

from ppvd.sweep.job_array import submit, write_job_script


def script(folder, **settings):
    words = ["-c", "a recipe.yaml", "--jobs", "2"]
    given = {"name": "lr", "num_workers": 3, "words": words, **settings}
    return write_job_script(folder, **given)


def test_the_script_says_all_that_slurm_must_know(tmp_path):
    file = script(tmp_path, options="--time=4:00:00 --gpus=1")
    lines = file.read_text().splitlines()
    assert lines[0] == "#!/bin/bash"
    options = [line.removeprefix("#SBATCH ") for line in lines if line.startswith("#SBATCH")]
    assert {"--array=1-3", "--requeue", "--signal=USR1@120", "--open-mode=append"} <= set(options)
    assert options[-2:] == ["--time=4:00:00", "--gpus=1"]
    assert lines[-2] == f"cd {Path.cwd()}"
    assert lines[-1].endswith("-m ppvd sweep -c 'a recipe.yaml' --jobs 2")
    assert subprocess.run(["bash", "-n", str(file)], check=False).returncode == 0


def test_as_many_workers_as_none_are_refused(tmp_path):
    with pytest.raises(ValueError, match="slurm must be 1 worker or more, got 0"):
        script(tmp_path, num_workers=0)


def put_sbatch(folder, monkeypatch, *lines):
    file = folder / "sbatch"
    file.write_text("\n".join(["#!/bin/sh", *lines]))
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_the_job_s_name_is_told(tmp_path, monkeypatch):
    put_sbatch(tmp_path, monkeypatch, 'test "$1" = --parsable && echo "17;cluster"')
    assert submit(script(tmp_path)) == "17"


def test_what_slurm_refuses_is_told(tmp_path, monkeypatch):
    put_sbatch(tmp_path, monkeypatch, "echo no such partition >&2", "exit 1")
    with pytest.raises(ValueError, match=r"Slurm refuses .*: no such partition"):
        submit(script(tmp_path))


def test_without_slurm_the_script_is_there_to_be_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match=r"workers\.sbatch can be taken there"):
        submit(script(tmp_path))
