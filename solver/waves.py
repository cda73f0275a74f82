"""Waves on a mesh: how a scheme damps and slows them, by its Fourier symbol.

A source that oscillates with ω sends waves that a scheme damps and slows. With u = e^{iθj} on cells
of the size h, v = √k c, ν = v Δt/h and z = e^{−iωΔt}, the schemes have, where nothing absorbs,

    order 1     z = 1 − ν (1 − e^{−iθ})
    order 2     z = 1 + ζ + ζ²/2,   ζ = −ν (1 − e^{−iθ}) [1 + (1 − e^{−iθ})/6 + (e^{iθ} − 1)/3]
    staggered   sin(ωΔt/2) = ν sin(θ/2)

Over n cells exp(−n Im θ) of the amplitude is kept, and the phase is off by n (Re θ − ωh/v). Of
short waves the limiter of order 2 takes a little more: 3 % a centimetre at 16 cells a wavelength.
"""

import cmath
import math

import numpy as np

from opalux.solver.problem import Problem
from opalux.solver.start import time_steps


def angle(problem: Problem, omega: float, h: float) -> complex:
    """Return θ of a wave of ω [1/sh] on cells of ``h`` [cm], as the problem's scheme has it."""
    speed = problem.wave_speed * problem.constants.c
    dt = time_steps(problem)[0]
    nu = speed * dt / h
    if problem.scheme == "staggered":
        return 2 * cmath.asin(min(1.0, math.sin(min(omega * dt, math.pi) / 2)) / nu)
    if problem.order == 1:
        return 1j * cmath.log(1 - (1 - cmath.exp(-1j * omega * dt)) / nu)
    grid = problem.cells
    halved = speed * dt * (1 / grid.dx + 1 / grid.dy) > 0.5 * (1 + 1e-12)
    if halved and problem.positivity == "keep":
        dt, nu = dt / 2, nu / 2
    theta, step = complex(omega * h / speed), 1e-6
    for _ in range(50):
        miss = _second_order(theta, nu) - cmath.exp(-1j * omega * dt)
        slope = (_second_order(theta + step, nu) - _second_order(theta - step, nu)) / (2 * step)
        change = miss / slope
        theta -= change
        if abs(change) < 1e-12:
            break
    return theta


def _second_order(theta: complex, nu: float) -> complex:
    back, ahead = 1 - cmath.exp(-1j * theta), cmath.exp(1j * theta) - 1
    zeta = -nu * back * (1 + back / 6 + ahead / 3)
    return 1 + zeta + zeta**2 / 2


def frequency_of(t: np.ndarray, values: np.ndarray) -> float:
    """Return the frequency of the sine that is as steep, in the mean, as a signal.

    Parameters
    ----------
    t, values : (n,) of the signal, evenly spaced [sh]

    Returns
    -------
    f [1/sh], 0 where nothing changes.
    """
    largest = float(np.abs(values).max())
    if not 0 < largest < math.inf:  # the run itself tells what is not finite
        return 0.0
    values = values / largest
    about = values - values.mean()
    size = math.sqrt(float(np.mean(about**2)))
    if not size > 1e-12:
        return 0.0
    slope = math.sqrt(float(np.mean((np.diff(values) / np.diff(t)) ** 2)))
    return slope / size / (2 * math.pi)
