"""Check in a second, before MPI ranks are started, whether they can be started here.

The batch script calls ``python -m opalux.jobs.cluster.mpi_check LAUNCHER...``. The ranks themselves
check whether the launcher and the MPI library belong together: see `opalux.jobs.simulation.ranks`.
"""

import ctypes
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from opalux.base import command_line
from opalux.base.errors import InputError
from opalux.base.exit_codes import OK

LIBRARIES = {"mpi4py": "MPI*.so", "petsc4py": "PETSc*.so"}
"""Packages that the ranks need, and their compiled modules; there may be one for each MPI."""


def check_launcher(launcher: list[str]) -> None:
    """Check the words that start the ranks.

    Raises
    ------
    InputError
        When there is no such program, or Slurm lacks the MPI plugin asked for.
    """
    if shutil.which(launcher[0]) is None:
        raise InputError(
            f"launcher: found no program '{launcher[0]}' on {platform.node()}; load the MPI "
            "module, or use another launcher (srun --mpi=pmix, mpirun)"
        )
    asked = [word.removeprefix("--mpi=") for word in launcher[1:] if word.startswith("--mpi=")]
    if launcher[0] != "srun" or not asked:
        return
    shown = subprocess.run(["srun", "--mpi=list"], capture_output=True, text=True, check=False)
    plugins = re.findall(r"^\s+(\S+)$", shown.stdout + shown.stderr, flags=re.MULTILINE)
    if asked[-1] not in plugins:
        raise InputError(
            f"launcher: found --mpi={asked[-1]}, but this Slurm knows {', '.join(plugins)}; use "
            "one that the MPI library was built for, or mpirun"
        )


def check_libraries() -> None:
    """Check that the libraries of MPI and PETSc load, without starting them.

    Raises
    ------
    InputError
        When one is missing, mostly because a module is not loaded.
    """
    for package, pattern in LIBRARIES.items():
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            raise InputError(
                f"found no {package} in {sys.prefix}, which several processes need; run setup.sh "
                "with MPI and PETSc (modules, PETSC_DIR)"
            )
        errors = [_load(path) for path in sorted(Path(spec.origin).parent.rglob(pattern))]
        if "" not in errors:
            raise InputError(
                f"{package} does not load on {platform.node()} ({'; '.join(errors)}); PETSC_DIR "
                f"is {os.environ.get('PETSC_DIR') or 'not set'}: load the modules that setup.sh "
                "was run with"
            )


def _load(library: Path) -> str:
    """Load a library; return the error message, or an empty text."""
    try:
        ctypes.CDLL(str(library), mode=os.RTLD_LAZY)
    except OSError as error:
        return str(error)
    return ""


def main(argv: list[str] | None = None) -> int:
    """Check the launcher given by the words of the command line, and the libraries."""
    launcher = sys.argv[1:] if argv is None else argv

    def work() -> int:
        check_launcher(launcher)
        check_libraries()
        return OK

    return command_line.run(work)


if __name__ == "__main__":
    sys.exit(main())
