"""Provenance: which program, versions, host and command made a result."""

import datetime
import functools
import importlib.metadata
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from opalux.base.shipped import CHECKOUT


@functools.cache
def git_revision() -> str:
    """Return the git revision of the checkout, '+' appended if it was changed, or 'unknown'."""
    source = CHECKOUT
    if source is None or not (source / ".git").exists():
        return "unknown"

    def git(*words: str) -> str:
        command = ["git", "-C", str(source), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def version(package: str = "opalux") -> str:
    """Return the installed version of ``package``, or 'unknown'."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def provenance(**details: Any) -> dict[str, Any]:
    """Return the record that run.json holds for every run, with the job's own ``details`` added."""
    numeric = ("numpy", "scipy", "numba", "h5py", "torch", "scikit-learn")
    spread = ("mpi4py", "petsc4py", "dask")
    found = {name: version(name) for name in numeric + spread}
    return {
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "python": platform.python_version(),
        "opalux_version": version(),
        "git_revision": git_revision(),
        "libraries": {name: value for name, value in found.items() if value != "unknown"},
        **details,
    }
