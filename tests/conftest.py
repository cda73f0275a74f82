"""What tests share: starting jobs as a user does, in this process or under mpirun."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def clean_environment() -> dict[str, str]:
    """Return the environment without what a launcher leaves in it, fit to start another MPI run."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PMIX_", "PMI_", "SLURM_", "OMPI_COMM", "OMPI_UNIVERSE"))
    }
    return kept | {
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "OMPI_MCA_mpi_yield_when_idle": "1",
    }


@pytest.fixture
def mpirun():
    """Run a Python module or script on n processes: ``mpirun(n, "-m", "jobs.solve", ...)``."""

    def start(
        n: int, *words: object, timeout: float = 120, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["mpirun", "-n", str(n), sys.executable, *map(str, words)],
            cwd=ROOT,
            env=clean_environment() | environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return start
