"""A real Slurm of two virtual nodes on this machine: installed, started and stopped.

It is private: its own ports, keys and folders, beside any other Slurm of the machine.  To try job
scripts on it by hand:

    python -m tests.slurm.private_slurm bash
"""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PACKAGES = ("slurm-wlm", "munge", "libpmix-dev")
"""Debian's; without libpmix-dev, Slurm refuses --mpi=pmix."""

PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch")

NODES = ("n1", "n2")

CONF = """\
ClusterName=opalux
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={d}/munge/munge.socket,cred_expire=5
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={d}/state
SlurmdSpoolDir={d}/spool/%n
SlurmctldPidFile={d}/pid/slurmctld.pid
SlurmdPidFile={d}/pid/slurmd-%n.pid
SlurmctldLogFile={d}/log/slurmctld.log
SlurmdLogFile={d}/log/slurmd-%n.log
TmpFS={d}/tmp/%n
SwitchType=switch/none
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0
SlurmdParameters=config_overrides
ReturnToService=1
JobRequeue=1
MinJobAge=3600
KillWait=5
MessageTimeout=30
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
MailProg=/bin/true
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
GresTypes=gpu
NodeName=n1 Port={ports[1]} {node}
NodeName=n2 Port={ports[2]} {node}
PartitionName=main Nodes=n[1-2] Default=YES {partition} PriorityTier=1 PreemptMode=REQUEUE \
GraceTime=20
PartitionName=urgent Nodes=n[1-2] Default=NO {partition} PriorityTier=10 PreemptMode=OFF
"""

# Twice the cores of a small machine, as the jobs of the tests mostly wait.  And a GPU that only
# Slurm knows, as on a node with a broken driver.
NODE = (
    "NodeHostname={host} NodeAddr=127.0.0.1 CPUs=4 Boards=1 SocketsPerBoard=1 CoresPerSocket=4 "
    "ThreadsPerCore=1 RealMemory=4000 Gres=gpu:1 State=UNKNOWN"
)
PARTITION = "MaxTime=INFINITE DefaultTime=10 OverSubscribe=NO State=UP"


class SlurmUnavailableError(RuntimeError):
    """The machine has no Slurm and cannot get it."""


def install() -> None:
    """Install Debian's packages if any program is missing.

    Raises
    ------
    SlurmUnavailableError
        When that takes an administrator, or does not work.
    """
    if all(find(program) for program in PROGRAMS):
        return
    wanted = " ".join(PACKAGES)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise SlurmUnavailableError(
            f"no Slurm here; ask for: apt-get install --no-install-recommends {wanted}"
        )
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for words in (("update",), ("install", "-y", "--no-install-recommends", *PACKAGES)):
        done = subprocess.run(
            ["apt-get", *words], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SlurmUnavailableError(f"apt-get {words[0]} failed: {done.stderr.strip()}")


def find(program: str) -> str | None:
    """Return the path of ``program``; daemons lie in folders that are not in a user's PATH."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


@contextlib.contextmanager
def names_of_nodes() -> Iterator[None]:
    """Make the names of the virtual nodes lead to this machine; torchrun on several nodes needs it.

    The lines that this adds to /etc/hosts are taken out again.
    """
    missing = [name for name in (socket.gethostname(), *NODES) if not resolves(name)]
    lines = "".join(f"127.0.0.1 {name} # for the private Slurm\n" for name in missing)
    hosts = Path("/etc/hosts")
    if missing:
        try:
            with hosts.open("a") as file:
                file.write(lines)
        except PermissionError:
            raise SlurmUnavailableError(f"add to /etc/hosts:\n{lines}") from None
    try:
        yield
    finally:
        if missing:
            hosts.write_text(hosts.read_text().replace(lines, ""))


def resolves(name: str) -> bool:
    """Return whether ``name`` has an address."""
    try:
        return bool(socket.getaddrinfo(name, None))
    except OSError:
        return False


def free_ports(n: int) -> list[int]:
    """Return ``n`` free ports."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for made in sockets:
            made.bind(("127.0.0.1", 0))
        return [made.getsockname()[1] for made in sockets]


@contextlib.contextmanager
def running_slurm() -> Iterator[dict[str, str]]:
    """Run a Slurm and give the environment variables that lead to it.

    Raises
    ------
    SlurmUnavailableError
        When this machine has none and cannot get it.
    RuntimeError
        When it does not start.
    """
    install()
    # Short, and not in pytest's folders: the path of a socket has at most 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    processes: list[subprocess.Popen[bytes]] = []
    try:
        with names_of_nodes():
            conf = configure(folder)
            environment = os.environ | {"SLURM_CONF": str(conf)}
            try:
                start(folder, environment, processes)
                yield {"SLURM_CONF": str(conf)}
            finally:
                stop(environment, processes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def configure(folder: Path) -> Path:
    """Write slurm.conf and what it names; return its path."""
    names = ["state", "log", "pid", "munge", *(f"{d}/{n}" for d in ("spool", "tmp") for n in NODES)]
    for name in names:
        (folder / name).mkdir(parents=True, mode=0o755)
    folder.chmod(0o755)
    key = folder / "munge" / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(1024))
    host = socket.gethostname().partition(".")[0]
    (folder / "gres.conf").write_text("Name=gpu File=/dev/null\n")
    conf = folder / "slurm.conf"
    conf.write_text(
        CONF.format(
            d=folder,
            host=host,
            user=pwd.getpwuid(os.geteuid()).pw_name,
            ports=free_ports(3),
            node=NODE.format(host=host),
            partition=PARTITION,
        )
    )
    return conf


def start(
    folder: Path, environment: dict[str, str], processes: list[subprocess.Popen[bytes]]
) -> None:
    """Start the daemons, adding them to ``processes``, and wait until all nodes are idle."""
    munge = folder / "munge"
    log = (folder / "log" / "daemons.log").open("wb")

    def daemon(program: str, *words: object) -> None:
        path = find(program)
        assert path is not None
        processes.append(
            subprocess.Popen(
                [path, *map(str, words)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Signals for the tests (Ctrl-C) must not reach the daemons.
                start_new_session=True,
            )
        )

    daemon(
        "munged",
        "--foreground",
        "--force",
        f"--key-file={munge}/munge.key",
        f"--socket={munge}/munge.socket",
        f"--pid-file={munge}/munged.pid",
        f"--log-file={munge}/munged.log",
        f"--seed-file={munge}/munged.seed",
        "--num-threads=2",
    )
    wait_for(lambda: (munge / "munge.socket").exists(), processes, folder)
    daemon("slurmctld", "-D", "-c")
    for node in NODES:
        daemon("slurmd", "-D", "-N", node)

    def idle() -> bool:
        words = ["sinfo", "-h", "-N", "-p", "main", "-o", "%t"]
        shown = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        return shown.stdout.split() == ["idle"] * len(NODES)

    wait_for(idle, processes, folder)


def wait_for(
    ready: Callable[[], bool], processes: list[subprocess.Popen[bytes]], folder: Path
) -> None:
    """Wait until ``ready()``; if it never is, say why from the logs."""
    deadline = time.monotonic() + 30
    while not ready():
        if time.monotonic() > deadline or any(p.poll() is not None for p in processes):
            logs = [path for path in folder.rglob("*.log") if path.stat().st_size]
            tails = "\n".join(f"{p.name}: {p.read_text().strip()[-800:]}" for p in logs)
            raise RuntimeError(f"Slurm does not start\n{tails}")
        time.sleep(0.05)


def stop(environment: dict[str, str], processes: list[subprocess.Popen[bytes]]) -> None:
    """Cancel all jobs, wait for their ends, and stop the daemons in reverse order."""

    def call(*words: str) -> str:
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        return done.stdout

    if len(processes) > 1 and all(process.poll() is None for process in processes):
        call("scancel", "--user", str(os.geteuid()))
        deadline = time.monotonic() + 15
        while call("squeue", "-h", "-o", "%A").split() and time.monotonic() < deadline:
            time.sleep(0.2)
    for process in reversed(processes):
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def main(words: list[str]) -> int:
    """Run a command with a Slurm around it."""
    with running_slurm() as variables:
        return subprocess.run(words, env=os.environ | variables, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["bash"]))
