"""Compiled kernels, whose cache never outlives the sources that they came from.

numba keys its cache on one file alone: after an upgrade that changes a function which kernels of
other files have inlined, it would run old machine code under the new version's name. Here
the cache lies in a folder named after the sources of the whole package. Where no folder can be
written, kernels are compiled without a cache; where its disk has no room, they are not kept.
"""

import contextlib
import functools
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numba.core.event

from opalux.base import compilation
from opalux.base.shipped import PACKAGE


class _Compiling(numba.core.event.Listener):
    """Reports to `compilation` what is compiled because the cache does not hold it."""

    def on_start(self, event: Any) -> None:
        compilation.begin()

    def on_end(self, event: Any) -> None:
        compilation.end()


numba.core.event.register("numba:compile", _Compiling())


class _Forgiving:
    """A numba cache that keeps what there is room for: a run must not end for its machine code."""

    def __init__(self, cache: Any) -> None:
        self._kept = cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kept, name)

    def save_overload(self, signature: Any, data: Any) -> None:
        """Save compiled code, if the disk takes it."""
        with contextlib.suppress(OSError):
            self._kept.save_overload(signature, data)


def njit(*, borrows: bool = False, **options: Any) -> Callable[[Any], Any]:
    """Return `numba.njit` with ``options`` and the package's cache; threads run side by side.

    A kernel that ``borrows`` neither makes arrays nor returns any: it does not count who holds
    those that it is given. Counting takes longer than some tens of cells for each slice.
    """
    options = {"nogil": True, "_nrt": not borrows, **options}

    def compiled(function: Any) -> Any:
        folder = cache_folder()
        if folder is None:
            return numba.njit(**options)(function)
        config: Any = numba.config
        before = config.CACHE_DIR
        config.CACHE_DIR = str(folder)  # looked at while the function is decorated, only
        try:
            kernel = numba.njit(cache=True, **options)(function)
        finally:
            config.CACHE_DIR = before
        if hasattr(kernel, "_cache"):  # not where NUMBA_DISABLE_JIT leaves Python functions
            kernel._cache = _Forgiving(kernel._cache)
        return kernel

    return compiled


@functools.cache
def cache_folder() -> Path | None:
    """Return the folder for machine code of these sources, None where none can be written.

    It lies in NUMBA_CACHE_DIR or XDG_CACHE_HOME where one is set, else in ~/.cache.
    """
    name = f"kernels-{_fingerprint()}"
    given = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
    try:
        folder = (Path(given) if given else Path.home() / ".cache") / "opalux" / name
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (OSError, RuntimeError):  # RuntimeError: no home folder
        return None


def _fingerprint() -> str:
    """Return a name for what kernels are compiled from: the solver, and other modules with some.

    All of the solver, since its kernels take constants from modules that have no kernel.
    """
    found = hashlib.sha256()
    tops = ("base", "solver", "learning", "jobs")
    for path in sorted(path for top in tops for path in (PACKAGE / top).rglob("*.py")):
        module = path.relative_to(PACKAGE).as_posix()
        text = path.read_bytes()
        if module.startswith("solver/") or b"njit" in text:
            found.update(module.encode() + b"\0" + text)
    return found.hexdigest()[:16]
