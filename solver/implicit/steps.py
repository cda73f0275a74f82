"""How long the next implicit step is."""

import math

SAFETY = 0.85
LONGER, SHORTER = 4.0, 0.2  # factors that a step changes by at most
HARD = 9  # iterations of Newton's method from which on steps do not grow
NOTCHES = 16  # lengths an octave


def next_step(h: float, error: float, order: int, iterations: int) -> float:
    """Return the length of the step after one of length ``h`` [sh].

    Parameters
    ----------
    error : of that step, as a share of what is allowed
    order : of the method: a step's error goes with h^(order + 1)
    iterations : of Newton's method in that step's hardest stage

    Lengths are 2^(n/16) for whole n, so that a sum that another number of processes rounds
    differently changes no step.
    """
    factor = SAFETY * max(error, 1e-12) ** (-1 / (order + 1))
    factor = min(max(factor, SHORTER), LONGER if iterations < HARD else 1.0)
    return on_notch(h * factor)


def on_notch(h: float) -> float:
    """Return the greatest length 2^(n/16) that is ``h`` or less, but for rounding."""
    return float(2.0 ** (math.floor(NOTCHES * math.log2(h) + 1e-6) / NOTCHES))


def towards(left: float, h: float) -> float:
    """Return the length of a step when ``left`` is left to a time that must be met.

    The last two steps before it share what is left, so that none is tiny.
    """
    if h >= left * (1 - 1e-12):
        return left
    return left / 2 if 2 * h > left else h
