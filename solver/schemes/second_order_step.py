"""The step of the consistent scheme at second order, from its stages; see `second_order`."""

import numpy as np

from opalux.base.kernels import njit
from opalux.solver.schemes.ghosts import record
from opalux.solver.schemes.halo import fill_halo, wrap_halo
from opalux.solver.schemes.second_order_stage import stage

E, FX, FY, T = range(4)
UP, DOWN, LEFT, RIGHT = range(4)


@njit(error_model="numpy")
def advance(wide, state, old, rho, inside, kept, spacing, w, dt, physics, formulas, opacities, held,
            choices, x, y, times, starts, judged, rules, feeds, given, wraps, signals, at_edge,
            work):  # fmt: skip
    """Do some stages of each of the steps at ``times`` (n,), recording the signals before each.

    Return how many steps were done, and in how many cells transport left a negative E in the last:
    if ``judged``, such a step is taken back, and is the end.

    Parameters
    ----------
    wide, state : (4, ny + 4, nx + 4); its view with one layer of ghosts (4, ny + 2, nx + 2)
    old, rho, inside, kept, spacing, w, formulas, opacities, held, choices, x, y, work : as for
        `stage`
    physics : (c, a, C_v (1 if a formula), tolerance)
    dt : how long the step is that the stages are of [sh]
    starts : (m, 2) of each stage, when its step begins after ``times``, and which stage it is
    feeds : (4,) whether energy enters at an edge
    given : per edge (n, m, 4, cells) the prescribed values
    rules, wraps, signals, at_edge : as in `consistent.advance`
    """
    up, down, left, right = given
    c, a, C_v, tolerance = physics
    lacking = 0
    for n in range(times.shape[0]):
        lacking = 0
        for m in range(starts.shape[0]):
            start, second = starts[m, 0], starts[m, 1] > 0
            wrap_halo(wide, wraps[0], wraps[1])
            fill_halo(wide, rules, up[n, m], down[n, m], left[n, m], right[n, m], a)
            if not second:
                if start == 0:
                    record(state, at_edge, signals[0][n], signals[1][n], signals[2][n],
                           signals[3][n])  # fmt: skip
                keep_state(old, wide, feeds)
            lacking += stage(second, held, choices, wide, old, rho, inside, kept, spacing, w,
                  (dt, c, a, C_v, tolerance), formulas, opacities, x, y, times[n] + start, rules,
                  work)  # fmt: skip
        if judged and lacking > 0:
            take_back(wide, old)
            return n, lacking
    return times.shape[0], lacking


@njit(error_model="numpy")
def take_back(wide, old):
    """Go back to the state before the step. E of the ghosts, which is not kept, is filled again."""
    wide[E, 2:-2, 2:-2] = old[E, 2:-2, 2:-2]
    wide[FX:] = old[FX:]


@njit(error_model="numpy")
def keep_state(old, wide, feeds):
    """Keep the state before the step; ghosts do not bound the energy that enters there."""
    old[:] = wide
    if feeds[UP]:
        old[E, -2:] = np.inf
    if feeds[DOWN]:
        old[E, :2] = np.inf
    if feeds[LEFT]:
        old[E, :, :2] = np.inf
    if feeds[RIGHT]:
        old[E, :, -2:] = np.inf
