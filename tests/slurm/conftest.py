"""A real Slurm for the tests of this folder, and the commands that they run on it."""

import dataclasses
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT, clean_environment
from tests.slurm.private_slurm import SlurmUnavailableError, running_slurm

SITE = {
    "environment": {
        # Open MPI between nodes that are in truth one machine, and as root.
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_pml": "ob1",
        "OMPI_MCA_btl": "tcp,self",
        "OMPI_MCA_btl_tcp_if_include": "lo",
        "OMPI_MCA_oob_tcp_if_include": "lo",
        "OMPI_MCA_mpi_yield_when_idle": "1",
        "GLOO_SOCKET_IFNAME": "lo",
        # There are more threads than cores: they must not spin while they wait.
        "OMP_WAIT_POLICY": "passive",
    },
    "time": "00:10:00",
    "cpus_per_task": 1,
    "jobs": {"train": {"gpus_per_node": 0}},
}
"""Site settings of the private Slurm."""


@dataclasses.dataclass
class Slurm:
    """The private Slurm, from the login node's point of view.

    Attributes
    ----------
    environment : for programs that submit
    folder : where they are called
    """

    environment: dict[str, str]
    folder: Path

    def call(self, *words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command, which may fail."""
        return subprocess.run(
            [str(word) for word in words],
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def out(self, *words: object, **environment: str) -> str:
        """Run a command that must succeed, and return its output."""
        done = self.call(*words, **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def opalux(self, *words: object) -> str:
        """Run opalux, which must succeed."""
        return self.out(ROOT / ".venv" / "bin" / "python", "-m", "opalux", *words)

    def sbatch(self, *words: object, **environment: str) -> str:
        """Submit a job; return its number."""
        return self.out("sbatch", "--parsable", "--time=10", *words, **environment).strip()

    def states(self) -> dict[str, str]:
        """Return the state of each job, and of each element of an array as number_element."""
        shown = self.out("squeue", "-h", "-r", "-t", "all", "-o", "%i %T")
        return dict(line.split() for line in shown.splitlines())

    def show(self, job: str, key: str) -> str:
        """Return what `scontrol show job` says of ``key``."""
        found = re.search(rf"\b{key}=(\S+)", self.out("scontrol", "show", "job", job))
        assert found is not None
        return found[1]

    def until(self, claim: Callable[[], object], seconds: float = 300) -> None:
        """Wait until ``claim()`` is true."""
        deadline = time.monotonic() + seconds
        while not claim():
            assert time.monotonic() < deadline, f"not within {seconds} s\n{self.logs()}"
            time.sleep(0.1)

    def finish(self, *jobs: str, seconds: float = 300) -> dict[str, str]:
        """Wait until the jobs have left the queue; return their last states, as `states`."""

        def mine() -> dict[str, str]:
            return {
                name: state
                for name, state in self.states().items()
                if name.partition("_")[0] in jobs
            }

        active = {"PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "REQUEUED", "PREEMPTED"}
        self.until(lambda: not active.intersection(mine().values()), seconds)
        return mine()

    def logs(self) -> str:
        """Return the ends of all logs of jobs and the queue, for the message of a failure."""
        found = sorted(self.folder.rglob("*.log"))
        texts = [f"--- {path.name}\n{path.read_text()[-1500:]}" for path in found]
        return "\n".join([str(self.states()), *texts])


@pytest.fixture(scope="session")
def private_slurm() -> Iterator[dict[str, str]]:
    """Start Slurm before all tests, and stop it after them."""
    try:
        with running_slurm() as variables:
            yield variables
    except SlurmUnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture
def slurm(private_slurm: dict[str, str], tmp_path: Path) -> Slurm:
    """Give Slurm to a test, with a folder of its own."""
    here = {"OPALUX": str(ROOT), "PYTHONPATH": str(ROOT)}
    environment = clean_environment() | SITE["environment"] | private_slurm | here  # type: ignore[operator]
    return Slurm(environment, tmp_path)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return the file of the private Slurm's site settings."""
    path = tmp_path / "site.yaml"
    path.write_text(yaml.safe_dump(SITE))
    return path


def script(name: str) -> Path:
    """Return the path of a batch script."""
    return ROOT / "slurm" / f"{name}.sbatch"
