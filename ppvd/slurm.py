"""What Slurm says of this process: its job, and which jobs run."""

import logging
import os
import subprocess

log = logging.getLogger(__name__)

AT_WORK = "CONFIGURING,RUNNING,COMPLETING,SUSPENDED,STOPPED"


def job() -> str | None:
    """Return the job's name for ``scontrol``, of an array the task's; ``None`` outside Slurm."""
    array = os.environ.get("SLURM_ARRAY_JOB_ID")
    if array:
        return f"{array}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    return os.environ.get("SLURM_JOB_ID")


def run_of_job() -> str | None:
    """Return the job's name and how often it was started again, as in ``7.0`` or ``5_2.1``."""
    name = job()
    return name and f"{name}.{os.environ.get('SLURM_RESTART_COUNT', '0')}"


def runs_at_work() -> set[str] | None:
    """Return those runs of jobs, named as by ``run_of_job``, whose processes may live.

    Returns:
        Their names; ``None`` if Slurm cannot be asked.
    """
    words = ["squeue", "--noheader", "--array", f"--states={AT_WORK}"]
    words.append("--Format=JobArrayID:48,RestartCnt:16")
    try:
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return {".".join(line.split()) for line in said.splitlines() if line.strip()}


def requeue() -> None:
    """Ask Slurm to end this process's job and to start it again; a refusal is logged."""
    name = str(job())
    done = subprocess.run(
        ["scontrol", "requeue", name], capture_output=True, text=True, check=False
    )
    if done.returncode:
        log.warning("Slurm does not start job %s again: %s", name, done.stderr.strip())


def without_job() -> dict[str, str]:
    """Return the environment without Slurm's, for processes that are no tasks of the job."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
