"""The noise of each measured value."""

import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.jobs.measured.settings import AbsoluteNoise
from opalux.solver.files.table_columns import FARTHEST
from opalux.solver.inversion.rows import Rows

FLAT = 1e-9  # relative deviation of a channel below which a share of it is no noise


def sigma_of(rows: Rows, noise: float | AbsoluteNoise | None) -> NDArray[np.float64]:
    """Return the standard deviation of each row (n,); a row's own sigma goes first.

    Raises
    ------
    InputError
        When it is not known, a share of nothing, or too small to divide by.
    """
    sigma = _filled(rows, noise)
    if sigma.min() < 1 / FARTHEST:
        raise InputError(
            f"noise: found a standard deviation of {sigma.min():g}, expected one >= "
            f"{1 / FARTHEST:g}; give the noise of your instrument"
        )
    return sigma


def _filled(rows: Rows, noise: float | AbsoluteNoise | None) -> NDArray[np.float64]:
    """Return the standard deviation of each row, where it is known."""
    sigma = rows.sigma.copy()
    open_rows = np.isnan(sigma)
    if not open_rows.any():
        return sigma
    if noise is None:
        count = int(open_rows.sum())
        raise InputError(
            f"noise: missing, and {count} of {len(rows)} rows have no sigma; give the noise of "
            "your instrument: 'noise: 0.01' (a share of each channel's deviation), 'noise: "
            "{absolute: ...}', or a column sigma"
        )
    if isinstance(noise, AbsoluteNoise):
        sigma[open_rows] = _absolute(rows.take(open_rows), noise)
        return sigma
    channels = rows.channels
    for channel in np.unique(channels[open_rows]):
        own = channels == channel
        value = rows.value[own]
        deviation = float(value.std())
        if deviation <= FLAT * float(np.abs(value).max()):
            row = int(np.flatnonzero(own)[0])
            raise InputError(
                f"noise: found a share, but source {rows.source[row]}, "
                f"{f'edge {rows.edge[row]}' if rows.edge[row] else 'inside'}, "
                f"quantity {rows.quantity[row]} does not vary, expected signals that do; give "
                "'noise: {absolute: ...}' or a column sigma, or leave these rows out"
            )
        sigma[own & open_rows] = noise * deviation
    return sigma


def _absolute(rows: Rows, noise: AbsoluteNoise) -> NDArray[np.float64]:
    given = noise.absolute
    if not isinstance(given, dict):
        return np.full(len(rows), float(given))
    lacking = sorted({str(q) for q in np.unique(rows.quantity)} - {str(q) for q in given})
    if lacking:
        raise InputError(
            f"noise.absolute: found {', '.join(given)}, expected {', '.join(lacking)}, too, which "
            "was measured; add it"
        )
    by_name = {str(name): value for name, value in given.items()}
    return np.array([by_name[str(quantity)] for quantity in rows.quantity])
