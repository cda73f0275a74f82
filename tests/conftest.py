"""What tests share: starting jobs as a user does, in this process or under mpirun."""

import ctypes
import importlib.util
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


@pytest.fixture(autouse=True)
def no_traces_of_mpi() -> Iterator[None]:
    """Once MPI runs in this process, take away what it set in the environment of C.

    `os.environ` does not show that, but processes started later would inherit it and take
    themselves for a part of an MPI run.
    """
    yield
    if "mpi4py.MPI" not in sys.modules:
        return
    entries = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
    names = [entry.partition(b"=")[0].decode() for entry in _until_null(entries)]
    for name in names:
        if name.startswith(("PMIX_", "PMI_", "OMPI_", "ORTE_", "OPAL_")) and name not in os.environ:
            os.unsetenv(name)


def _until_null(entries: Any) -> Iterator[bytes]:
    """Yield the entries of a C array that ends with a null pointer."""
    for number in itertools.count():
        entry = entries[number]
        if entry is None:
            return
        yield entry


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
