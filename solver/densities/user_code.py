"""Finding and loading a class that a user names: ``file.py:Class`` or ``package.module:Class``."""

import functools
import hashlib
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from opalux.solver.densities.family import Family


def file_of(code: str) -> Path:
    """Return the file with the class, without running it.

    Raises
    ------
    ValueError
        When there is none.
    """
    place = code.rpartition(":")[0]
    path = Path(place)
    if path.suffix != ".py":
        try:
            spec = importlib.util.find_spec(place)
        except (ImportError, ValueError):
            spec = None
        if spec is None or spec.origin is None:
            raise ValueError(f"found no module {place}; install its package, or name a file")
        path = Path(spec.origin)
    if not path.is_file():
        raise ValueError(f"found no file {path}, expected the Python file with the class")
    return path


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def class_of(code: str, sha256: str) -> type[Family]:
    """Run the code and return the class.

    Raises
    ------
    ValueError
        When it cannot be run, or holds no such class.
    """
    place, _, name = code.rpartition(":")
    in_a_file = place.endswith(".py")
    try:
        module = _module_in(place, sha256) if in_a_file else importlib.import_module(place)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"{place} cannot be loaded ({reason}); mend it") from None
    found = getattr(module, name, None)
    if not (isinstance(found, type) and issubclass(found, Family)):
        there = "no" if found is None else "something else as"
        raise ValueError(
            f"found {there} '{name}' in {place}, expected a class that derives from "
            "opalux.solver.densities.family.Family"
        )
    return found


@functools.lru_cache(maxsize=16)
def _module_in(path: str, sha256: str) -> ModuleType:
    """Load a file as a module of its own; once for each content."""
    name = f"opalux_user_family_{sha256[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Where its classes look for the names in their annotations.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
