"""What the published formats cannot say of their simulations, in a file beside them.

sds02 files and CSV exports name neither the scheme nor the true time step. ``all.sds.json`` says
both for each simulation of ``all.sds``, which it knows by a checksum: a simulation that was
changed, or that another program added, has no origin.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pydantic

from opalux.base.errors import InputError
from opalux.base.files import write_json
from opalux.base.settings import Settings

FORMAT = 1


class Origin(Settings):
    """Where a simulation comes from."""

    scheme: str
    order: int
    dt: float = pydantic.Field(gt=0)
    """Step of its signals; the first ones are those at t = 0 [sh]."""
    problem: dict[str, Any]
    """Resolved configuration of the problem, without the density."""


class _Origins(Settings):
    format: int = pydantic.Field(FORMAT, ge=FORMAT, le=FORMAT)
    simulations: dict[str, Origin]


def checksum(record: bytes) -> str:
    """Return the name by which the origin of a simulation is found."""
    return hashlib.sha256(record).hexdigest()


def origins_beside(path: Path) -> Path:
    """Return the file that tells the origins of the simulations in ``path``."""
    return path.with_name(f"{path.name}.json")


def read_origins(path: Path) -> dict[str, Origin]:
    """Return the origins of the simulations in ``path`` by their checksums; none without a file.

    Raises
    ------
    InputError
        When the file beside ``path`` cannot be read.
    """
    beside = origins_beside(path)
    try:
        return _Origins.model_validate_json(beside.read_bytes()).simulations
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise InputError(
            f"{beside}: is not what `opalux solve` wrote beside {path.name} ({first}); bring back "
            "the file, or remove it, and scheme and step are taken as unknown"
        ) from None


def write_origins(path: Path, origins: Mapping[str, Origin]) -> None:
    """Write what `read_origins` reads."""
    content = _Origins(simulations=dict(origins))
    write_json(origins_beside(path), content.model_dump(mode="json"))


def step_of(origin: Origin | None, given: float | None, published: float) -> tuple[float, str]:
    """Return the step of a simulation [sh], and in words what is assumed of it.

    Parameters
    ----------
    origin : of the simulation, None where it is not known
    given : by the user
    published : CFL·Δx/c, by which the original program steps
    """
    if given is not None:
        if origin and abs(given - origin.dt) > 1e-6 * origin.dt:
            return (
                given,
                f"step {given:.6g} sh as given, though it was made with {origin.dt:.6g} sh",
            )
        return given, ""
    if origin:
        return origin.dt, ""
    return published, (
        f"step {published:.6g} sh = CFL·Δx/c, as published, since nothing says it; give dt if it "
        "is another"
    )
