"""Workers of a sweep as an array of jobs of Slurm, each of them requeued until no trial is left."""

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ppvd.whole import write_whole

SCRIPT = """\
#!/bin/bash
# Workers of the sweep {name}, written by `ppvd sweep`; submitted again, they go on with the rest.
#SBATCH --job-name=sweep-{name}
#SBATCH --array=1-{num_workers}
#SBATCH --ntasks=1
#SBATCH --output={folder}/worker_%a.log
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=USR1@120
{options}cd {here}
srun {python} -m ppvd sweep {words}
"""


def write_job_script(
    folder: Path, *, name: str, num_workers: int, words: Sequence[str], options: str = ""
) -> Path:
    """Write what ``sbatch`` is to run.

    Plain ``sbatch`` is enough for it: a worker is a command, and needs no library that packs
    functions for other machines.

    Args:
        folder: Folder of the sweep.
        name: Of the sweep.
        num_workers: Jobs in the array.
        words: Words after ``ppvd sweep`` that each worker is started with.
        options: Of ``sbatch``, such as ``--time=4:00:00 --gpus=1``; they win over the script's.

    Returns:
        The script.

    Raises:
        ValueError: If ``num_workers`` is not positive.
    """
    if num_workers < 1:
        raise ValueError(f"slurm must be 1 worker or more, got {num_workers}")
    script = SCRIPT.format(
        name=name,
        num_workers=num_workers,
        folder=folder.absolute(),
        options="".join(f"#SBATCH {shlex.quote(one)}\n" for one in shlex.split(options)),
        here=shlex.quote(str(Path.cwd())),
        python=shlex.quote(sys.executable),
        words=shlex.join(words),
    )
    file = folder / "workers.sbatch"
    write_whole(file, script.encode())
    return file


def submit(script: Path) -> str:
    """Hand a script to Slurm.

    Returns:
        The name of the job.

    Raises:
        ValueError: If there is no Slurm, or it refuses.
    """
    try:
        done = subprocess.run(
            ["sbatch", "--parsable", str(script)], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise ValueError(f"sbatch must be a program here; {script} can be taken there") from error
    if done.returncode:
        raise ValueError(f"Slurm refuses {script}: {done.stderr.strip()}")
    return done.stdout.strip().split(";")[0]
