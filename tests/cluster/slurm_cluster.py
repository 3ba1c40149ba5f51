"""A real Slurm of two nodes on the loopback address, in a folder of its own.

It needs Debian's `slurm-wlm` and `munge`, and disturbs no other Slurm of the machine: ports, keys,
sockets and files are its own.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol", "squeue")
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
NODES = ("one", "two")
LONG = 300.0
"""Seconds after which a test gives up on the cluster."""

CONF = """\
ClusterName=toy
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
# A requeued job waits as long as a credential lives: two minutes, were it not said.
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_min_interval=500000,bf_interval=2
ReturnToService=2
SlurmdTimeout=6
KillWait=5
MinJobAge=300
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
{nodes}
PartitionName=all Nodes=one,two Default=YES State=UP MaxTime=INFINITE
"""
NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=2 State=UNKNOWN"


def missing() -> list[str]:
    """Return the programs of Slurm and munge that this machine has not."""
    return [program for program in PROGRAMS if shutil.which(program, path=PATH) is None]


class Cluster:
    """Commands for a running cluster.

    Attributes:
        folder: Where all its files lie.
        env: Environment in which Slurm's programs find it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {**_clean_environment(), "SLURM_CONF": str(folder / "slurm.conf")}
        self._daemons: list[subprocess.Popen[bytes]] = []
        self._munge = pwd.getpwnam("munge") if os.getuid() == 0 else pwd.getpwuid(os.getuid())

    def start(self) -> None:
        """Start munge, the controller and the nodes, and wait until the nodes are idle."""
        host = socket.gethostname().split(".")[0]
        controller, *ports = free_ports(1 + len(NODES))
        named = zip(NODES, ports, strict=True)
        nodes = "\n".join(NODE.format(name=name, host=host, port=port) for name, port in named)
        user = pwd.getpwuid(os.getuid()).pw_name
        conf = CONF.format(
            host=host, controller=controller, user=user, folder=self.folder, nodes=nodes
        )
        (self.folder / "slurm.conf").write_text(conf)
        (self.folder / "state").mkdir()
        self._start_munge()
        self._start("slurmctld", "-D")
        for name in NODES:
            self.start_node(name)
        self.wait_until_idle()

    def wait_until_idle(self) -> None:
        """Wait until all nodes are there, and have nothing to do."""
        self.wait(lambda: self.nodes().count("idle") == len(NODES), "idle nodes")

    def start_node(self, name: str) -> None:
        """Start a node, also one that was killed."""
        (self.folder / name).mkdir(exist_ok=True)
        self._start("slurmd", "-D", "-N", name, PPVD_TEST_NODE=name)

    def kill_node(self, name: str) -> None:
        """Kill all processes of a node at once, as when its power fails."""
        marks = (f"PPVD_TEST_NODE={name}", f"SLURMD_NODENAME={name}")
        for process in self._processes():
            if any(mark in process.environment for mark in marks):
                process.kill()

    def nodes(self) -> list[str]:
        """Return the states of the nodes."""
        return self.run("sinfo", "--noheader", "--Node", "--format=%T").split()

    def run(self, *words: str, **options: object) -> str:
        """Run one of Slurm's programs and return what it says."""
        options = {"env": self.env, **options}
        done = subprocess.run(words, capture_output=True, text=True, check=False, **options)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def job(self, number: str) -> dict[str, str]:
        """Return what Slurm knows of a job, or of a task of an array."""
        said = self.run("scontrol", "show", "job", "--oneliner", number)
        return dict(word.split("=", 1) for word in said.split() if "=" in word)

    def end_soon(self, number: str) -> None:
        """Set the limit of a job so that it is over in a minute at least, and in two at most.

        Slurm looks at limits twice a minute, and half a minute ahead: with ``--signal=USR1@90`` the
        job is told at the next look, when it has half a minute left or more.
        """
        hours, minutes, _ = map(int, self.job(number)["RunTime"].split(":"))
        limit = hours * 60 + minutes + 2
        self.run("scontrol", "update", f"JobId={number}", f"TimeLimit={limit}")

    def wait(self, is_so: Callable[[], bool], what: str, seconds: float = LONG) -> None:
        """Wait until something is so; the logs are shown if it never is."""
        end = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < end, f"no {what} in {seconds} s\n{self.logs()}"
            time.sleep(0.1)

    def free_port(self) -> int:
        """Return a port that is free now."""
        return free_ports(1)[0]

    def logs(self) -> str:
        """Return the ends of all logs."""
        files = sorted(file for file in self.folder.glob("*.log") if ".out." not in file.name)
        queue = subprocess.run(["squeue"], env=self.env, capture_output=True, text=True).stdout
        return "\n".join([queue, *(f"{f.name}:\n{f.read_text()[-1500:]}" for f in files)])

    def close(self) -> None:
        """End all that was started, jobs included, whatever state it is in."""
        for process in self._processes():
            process.kill()
        for daemon in self._daemons:
            daemon.kill()
            daemon.wait()

    def _start_munge(self) -> None:
        """Start munge as its own user, who alone may read its key and write its folder."""
        home = self.folder / "munge"
        home.mkdir(mode=0o755)
        key = home / "key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        for path in (home, key):
            os.chown(path, self._munge.pw_uid, self._munge.pw_gid)
        socket_file = self.folder / "munge.socket"
        words = [f"--socket={home}/socket", f"--key-file={key}", f"--pid-file={home}/pid"]
        words += [f"--log-file={home}/log", f"--seed-file={home}/seed", "--num-threads=2"]
        self._start("munged", "--foreground", *words, owner=self._munge)
        socket_file.symlink_to(home / "socket")
        self.wait(socket_file.exists, "socket of munge", 30)

    def _start(
        self, program: str, *words: str, owner: pwd.struct_passwd | None = None, **marks: str
    ) -> None:
        other = owner is not None and owner.pw_uid != os.getuid()
        user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if other else {}
        found = shutil.which(program, path=PATH)
        assert found is not None
        with (self.folder / f"{program}.out.log").open("ab") as output:
            daemon = subprocess.Popen(
                [found, *words],
                env={**self.env, **marks},
                cwd=self.folder,
                stdout=output,
                stderr=output,
                start_new_session=True,
                **user,
            )
        self._daemons.append(daemon)

    def _processes(self) -> "list[Process]":
        """Return the processes of this cluster: what Slurm starts knows its configuration."""
        mark = f"SLURM_CONF={self.folder / 'slurm.conf'}"
        return [process for process in processes() if mark in process.environment]


class Process:
    """A process, and the environment that it was started in."""

    def __init__(self, number: int, environment: list[str]) -> None:
        self.number, self.environment = number, environment

    def kill(self) -> None:
        """Kill it; it may be gone already."""
        try:
            os.kill(self.number, signal.SIGKILL)
        except ProcessLookupError:
            return


def processes() -> Iterator[Process]:
    """Yield the other processes of this machine whose environment may be read."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            content = (folder / "environ").read_bytes()
        except (PermissionError, ProcessLookupError, FileNotFoundError):
            continue
        yield Process(int(folder.name), content.decode(errors="replace").split("\0"))


def free_ports(count: int) -> list[int]:
    """Return ports that are free now, no two the same."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Start a cluster in a folder; end it whatever happens."""
    running = Cluster(folder)
    try:
        running.start()
        yield running
    finally:
        running.close()


def _clean_environment() -> dict[str, str]:
    """Return this environment without what another Slurm has put in it."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("SLURM", "SBATCH", "SRUN"))}
    return {**kept, "PATH": PATH}
