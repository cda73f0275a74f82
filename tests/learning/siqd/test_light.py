"""The analysis is light: it runs where torch, MPI and PETSc are not installed."""

import subprocess
import sys

PROGRAM = """
import importlib, pkgutil, sys
import jobs.siqd, learning.siqd
for module in pkgutil.iter_modules(learning.siqd.__path__, "learning.siqd."):
    importlib.import_module(module.name)
print(sorted({"torch", "mpi4py", "petsc4py", "h5py", "dask", "distributed"} & set(sys.modules)))
"""


def test_no_module_imports_torch_mpi_petsc_or_dask():
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert run.stdout.strip() == "[]", run.stderr
