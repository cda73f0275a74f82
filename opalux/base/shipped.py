"""The configurations and batch scripts that come with Opalux: where they lie, and their names."""

import os
from pathlib import Path

from opalux.base.errors import InputError

PACKAGE = Path(__file__).absolute().parents[1]
CONFIGS = PACKAGE / "configs"
BATCH_SCRIPTS = PACKAGE / "slurm"


def _checkout() -> Path | None:
    parent = PACKAGE.resolve().parent
    return parent if (parent / "pyproject.toml").is_file() else None


CHECKOUT = _checkout()
"""The checkout that this is; None when Opalux was installed from a wheel."""


def find_config(job: str, given: Path) -> Path:
    """Return the configuration file that a user means by ``given``.

    Parameters
    ----------
    job : the command, such as ``solve``
    given : path of a file; or the bare name of a configuration that comes with Opalux, such as
        ``published``

    Raises
    ------
    InputError
        When a bare name is neither a file nor the name of such a configuration.
    """
    named = sorted((CONFIGS / job).glob("*.yaml"))
    if given.exists() or given.suffix or len(given.parts) != 1 or not named:
        return given
    found = CONFIGS / job / f"{given}.yaml"
    if found not in named:
        names = ", ".join(path.stem for path in named)
        raise InputError(
            f"{given}: found no such file and no configuration of that name for {job}; give the "
            f"path of a file, or one of the names {names}"
        )
    return found


def true_folder(folder: Path) -> Path:
    """Return ``folder`` without links, except those that make a checkout the package."""
    folder = folder.absolute()
    return folder if folder.is_relative_to(PACKAGE) else folder.resolve()


def in_current_folder(path: Path) -> Path:
    """Return ``path``; if it leads to ``runs`` beside the package's configurations, ``./runs``.

    Results do not belong into an installed package.  So the ``../../runs`` of a configuration that
    was given by its name is the ``runs`` of the user's current folder.
    """
    runs = PACKAGE / "runs"
    plain = Path(os.path.normpath(path))
    return Path.cwd() / "runs" / plain.relative_to(runs) if plain.is_relative_to(runs) else path
