"""Runs of ``ppvd fit`` that begin at once: forked from a process that has loaded everything."""

import multiprocessing
import os
import signal
import socket
import sys
from pathlib import Path

import torch

from ppvd.cli import main

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["ppvd.cli.lightning", "ppvd.callbacks", "ppvd.data", "ppvd.tasks"])


class QuickRun:
    """A training in a folder, with all the processes that it has begun.

    Args:
        folder: Where it runs, and its ``log`` is.
        words: What follows ``ppvd``.
        num_ranks: Processes that train together.
    """

    def __init__(self, folder, words, *, num_ranks=1):
        ranks = [{}]
        if num_ranks > 1:
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = str(free.getsockname()[1])
            shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "NODE_RANK": "0"}
            ranks = [{**shared, "LOCAL_RANK": str(rank)} for rank in range(num_ranks)]
        self.processes = [
            CONTEXT.Process(target=train, args=(folder, words, environment))
            for environment in ranks
        ]
        for process in self.processes:
            process.start()

    def runs(self):
        return all(process.is_alive() for process in self.processes)

    def wait(self):
        """Wait for the end, and return the exit codes."""
        for process in self.processes:
            process.join()
        return [process.exitcode for process in self.processes]

    def kill(self):
        """Kill the first process, then all others, and return whether they still ran."""
        still_ran = self.runs()
        for process in self.processes:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:  # It has not made its group yet, or is over.
                process.kill()
        self.wait()
        return still_ran


def train(folder, words, environment):
    os.setpgid(0, 0)
    os.chdir(folder)
    with Path("log").open("ab", buffering=0) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.environ.update(environment)
    sys.path.insert(0, str(Path(__file__).parent))
    sys.argv = ["ppvd", *words]
    torch.set_num_threads(1)
    main(list(words))
