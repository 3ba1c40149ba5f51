"""What is asked of Slurm, and how its answers are read."""

import os

import pytest

from ppvd import slurm


@pytest.fixture
def program(monkeypatch, tmp_path):
    """Writes a program that Slurm's is looked up as."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def write(name, *lines):
        file = tmp_path / name
        file.write_text("\n".join(["#!/bin/sh", *lines]))
        file.chmod(0o755)

    return write


@pytest.fixture(autouse=True)
def no_job(monkeypatch):
    for name in [name for name in os.environ if name.startswith("SLURM_")]:
        monkeypatch.delenv(name)


def test_outside_of_slurm_there_is_no_job():
    assert slurm.job() is None
    assert slurm.run_of_job() is None


def test_a_job_s_run_is_named_by_how_often_it_was_started_again(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "8")
    assert (slurm.job(), slurm.run_of_job()) == ("8", "8.0")
    monkeypatch.setenv("SLURM_RESTART_COUNT", "2")
    assert slurm.run_of_job() == "8.2"


def test_a_task_of_an_array_goes_by_the_array_s_name(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "8")
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "5")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "2")
    assert slurm.job() == "5_2"


def test_what_runs_is_named_as_runs_name_themselves(program):
    program("squeue", 'printf "5_1    0   \\n5_2   3  \\n8  0 \\n\\n"')
    assert slurm.runs_at_work() == {"5_1.0", "5_2.3", "8.0"}


def test_where_slurm_does_not_answer_nothing_is_known(program, monkeypatch, tmp_path):
    program("squeue", "exit 1")
    assert slurm.runs_at_work() is None
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert slurm.runs_at_work() is None


def test_a_refusal_to_requeue_is_told(program, monkeypatch, caplog):
    monkeypatch.setenv("SLURM_JOB_ID", "8")
    program("scontrol", "echo not allowed >&2", "exit 1")
    slurm.requeue()
    assert "does not start job 8 again: not allowed" in caplog.text


def test_processes_that_are_no_tasks_do_not_see_the_job(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "8")
    monkeypatch.setenv("OTHER", "1")
    env = slurm.without_job()
    assert env["OTHER"] == "1"
    assert "SLURM_JOB_ID" not in env
