"""The analysis is light: what a command line needs is loaded first, and torch or MPI never."""

import subprocess
import sys

import pytest

EVERY_MODULE = """
import importlib, pkgutil
import opalux.jobs.siqd, opalux.learning.siqd as siqd
for module in pkgutil.walk_packages(siqd.__path__, "opalux.learning.siqd."):
    importlib.import_module(module.name)
"""
FOREIGN = {"torch", "mpi4py", "petsc4py", "h5py", "dask", "distributed"}
SLOW = {"sklearn", "scipy", "numba", "matplotlib", "jinja2"}


def loaded(program: str, names: set[str]) -> list[str]:
    """Run a program in a new Python; return those of the packages that it has loaded."""
    program += f"\nimport sys; print(*sorted({names!r} & set(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()[-1].split()


def test_no_module_imports_torch_mpi_petsc_or_dask():
    assert loaded(EVERY_MODULE, FOREIGN) == []


@pytest.mark.parametrize("argument", ["--help", "absent.yaml"])
def test_the_command_line_is_understood_before_anything_slow_is_loaded(argument):
    program = f"""
import contextlib, io
from opalux.jobs import siqd
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    siqd.main(["{argument}"])
"""
    assert loaded(program, FOREIGN | SLOW) == []


def test_a_configuration_is_checked_before_anything_slow_is_loaded():
    program = "import opalux.jobs.cluster.siqd"
    assert loaded(program, FOREIGN | SLOW) == []


def test_the_clusterer_comes_without_matplotlib_and_torch():
    program = "import opalux; opalux.IterativeLabelSpreading"
    assert loaded(program, FOREIGN | {"matplotlib", "jinja2"}) == []
