"""The groups of rows that share an unknown gain: those of a source, or of a detector."""

import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.jobs.measured.settings import CouplingSettings
from opalux.solver.inversion.coupling import Coupling
from opalux.solver.inversion.rows import Rows

FEWEST = 4  # rows of a group whose gain can be told from noise
SHOWN = 6  # names in a message


def coupling_of(rows: Rows, given: CouplingSettings | None) -> Coupling:
    """Return the gains of rows, of which all are 1 where nothing is given.

    Raises
    ------
    InputError
        When no row has a gain, one has too few rows, or a known gain is of nothing.
    """
    if given is None:
        return Coupling.none(len(rows))
    chosen = np.flatnonzero(np.isin(rows.quantity, given.quantities))
    if not len(chosen):
        raise InputError(
            f"coupling.quantities: found {', '.join(given.quantities)}, of which no row is, "
            f"expected some of {', '.join(np.unique(rows.quantity))}"
        )
    names, numbers, counts = np.unique(
        _names(rows.take(chosen), given.by), return_inverse=True, return_counts=True
    )
    if given.spread > 0 and counts.min() < FEWEST:
        raise InputError(
            f"coupling: found {counts.min()} values of {given.by} {names[counts.argmin()]}, "
            f"expected at least {FEWEST} to find its gain; leave them out, or give 'spread: 0'"
        )
    known = np.ones(len(names))
    for name, gain in given.known.items():
        at = np.flatnonzero(names == name)
        if not len(at):
            more = ", ..." if len(names) > SHOWN else ""
            raise InputError(
                f"coupling.known: found '{name}', expected one of {', '.join(names[:SHOWN])}{more}"
            )
        known[at] = gain
    group = np.full(len(rows), -1, dtype=np.int64)
    group[chosen] = numbers.reshape(-1)
    return Coupling(tuple(names.tolist()), group, known, given.spread)


def _names(rows: Rows, by: str) -> NDArray[np.str_]:
    """Return the name of each row's source or detector."""
    if by == "source":
        return rows.source
    names = [
        f"{edge}/{quantity}/{position:.6g}" if edge else f"inside/{quantity}/{x:.6g}/{y:.6g}"
        for edge, quantity, position, x, y in zip(
            rows.edge.tolist(), rows.quantity.tolist(), rows.position.tolist(), rows.x.tolist(),
            rows.y.tolist(), strict=True,
        )
    ]  # fmt: skip
    if len({*zip(names, rows.width.tolist(), strict=True)}) > len(set(names)):
        names = [
            f"{name}/{width:.6g}" for name, width in zip(names, rows.width.tolist(), strict=True)
        ]
    return np.array(names, dtype=np.str_)
