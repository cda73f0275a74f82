"""What tests share: starting jobs as a user does, in this process or under mpirun."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest

# The same draws in every run, so that a failure is that of a change; others with
# HYPOTHESIS_PROFILE=explore.
hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.register_profile("explore")
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

ROOT = Path(__file__).parents[1]
MPI_IS_HERE = shutil.which("mpirun") is not None and all(
    importlib.util.find_spec(name) for name in ("mpi4py", "petsc4py")
)
LEFT_OUT = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where MPI and PETSc are not installed, leave the tests out that are marked ``mpi``."""
    left_out = [] if MPI_IS_HERE else [item for item in items if item.get_closest_marker("mpi")]
    config.stash[LEFT_OUT] = len(left_out)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("mpi")]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say that tests were left out."""
    if left_out := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(
            f"{left_out} tests were left out, as MPI and PETSc are not installed; "
            "'./setup.sh --mpi' brings them"
        )


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
