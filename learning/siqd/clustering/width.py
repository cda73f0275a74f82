"""The width p of Iterative Label Spreading: a count of points, or a share of them."""

from typing import Any

import numpy as np

from opalux.base.errors import InputError


def count_of(p: Any, n: int) -> int:
    """Return the width ``p`` as a count of points: p itself, or that share of n, at least 1.

    Raises
    ------
    InputError
        When p is neither a whole number from 1 nor a share between 0 and 1.
    """
    number = isinstance(p, int | float | np.integer | np.floating) and not isinstance(p, bool)
    if number and p >= 1 and p == np.floor(p) and np.isfinite(p):
        return int(p)
    if number and 0.0 < p < 1.0:
        return max(1, round(float(p) * n))
    raise InputError(
        f"found p = {p!r}; expected a count of points (a whole number from 1) or a share between "
        "0 and 1; the published analysis uses 15 of 297 points"
    )
