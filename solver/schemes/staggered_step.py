"""The step of the staggered scheme: kernels on strips of rows, end to end; see `staggered`."""

import math

from opalux.base.kernels import njit
from opalux.solver.schemes.coupling_fitted import couple
from opalux.solver.schemes.emission import emit
from opalux.solver.schemes.ghosts import wrap
from opalux.solver.schemes.opacities import face_opacity, whole_power
from opalux.solver.schemes.staggered_edges import (
    ARRIVE,
    CENTRED,
    DOWN,
    FX,
    FY,
    INNER,
    LEFT,
    RIGHT,
    START,
    UP,
    E,
    T,
    edge_value,
    fill_outside,
    push_edge,
)
from opalux.solver.schemes.staggered_signals import record
from opalux.solver.schemes.strips import PIECE


@njit(error_model="numpy", borrows=True)
def push(F, s, E_k, E_l, opacity, half_c_dt, q, half):
    """Step the flux on n faces between the cells k and l; ``s`` becomes ``opacity`` = σ_k + σ_l."""
    one = half + half
    for i in range(F.shape[0]):
        z = half_c_dt * opacity[i]
        linear = half * z + one
        F[i] = (F[i] - linear * (q * (E_l[i] - E_k[i]))) / (linear + half * z * (z + one))
        s[i] = opacity[i]


@njit(error_model="numpy", borrows=True)
def push_by_power(F, s, E_k, E_l, T_k, T_l, factor_k, factor_l, power, half_c_dt, q, half):
    """Do what `push` does for σ = K Tᵇ, in one loop: ``factor`` is K and ``power`` b."""
    one = half + half
    for i in range(F.shape[0]):
        low, high = T_k[i] * T_k[i], T_l[i] * T_l[i]
        T_f = math.sqrt(math.sqrt(half * (low * low + high * high)))
        opacity = (factor_k[i] + factor_l[i]) * whole_power(T_f, power, one)
        z = half_c_dt * opacity
        linear = half * z + one
        F[i] = (F[i] - linear * (q * (E_l[i] - E_k[i]))) / (linear + half * z * (z + one))
        s[i] = opacity


@njit(error_model="numpy", borrows=True)
def push_faces(F, s, E, T, rho, start, stop, step, pair, half_c_dt, q, half):
    """Step the flux on the faces between the cells start..stop − 1 and those ``step`` further.

    ``F``, ``E``, ``T``, ``rho`` are all cells, end to end; ``s`` (>= stop − start,) becomes
    σ_k + σ_l.
    """
    power, factor = pair[4], pair[5]
    for low in range(start, stop, PIECE):
        high = min(low + PIECE, stop)
        k, l = slice(low, high), slice(low + step, high + step)  # noqa: E741
        s_here = s[low - start : high - start]
        if power != 0:
            push_by_power(F[k], s_here, E[k], E[l], T[k], T[l], factor[k], factor[l], power,
                          half_c_dt, q, half)  # fmt: skip
        else:
            face_opacity(pair, rho[k], rho[l], T[k], T[l], half)
            push(F[k], s_here, E[k], E[l], pair[2][pair[1]], half_c_dt, q, half)


@njit(error_model="numpy", borrows=True)
def step(state, rho_block, spacing, w, physics, formulas, pair, kinds, betas, x, y, t, given, theta,
         work):  # fmt: skip
    """Take one step in place, in one pass over the rows in strips, bottom to top.

    ``theta`` is that of the edges: CENTRED, or F takes half a step only.

    A face needs E and T of its two cells before the step, a cell the fluxes on its four faces after
    it: so the faces on the right and above each row are stepped, then its cells. The flux on the
    left and lower side of a block is stepped by both processes that need it, to the same bits.
    """
    dx, dy = spacing
    dt, c, a, C_v, tolerance, half = physics
    sigma_a, factor, heat, source = formulas
    s, brought, emitted, scratch, sides, kept, live = work
    ny, width = state.shape[1] - 2, state.shape[2]
    nx = width - 2
    height = live.shape[0] // width
    flat = state.reshape((4, (ny + 2) * width))
    rho = rho_block.reshape((ny + 2) * width)
    k, c_dt = w * w, c * dt
    dt_F = dt if theta == CENTRED else half * dt
    c_dt_F = c * dt_F
    for i in range(width):  # the old fluxes beside the lower and the upper edge
        kept[0, i], kept[1, i] = state[FY, 0, i], state[FY, 1, i]
        kept[2, i], kept[3, i] = state[FY, ny, i], state[FY, ny - 1, i]
    # The faces below the first row
    push_faces(
        flat[FY], s, flat[E], flat[T], rho, 0, width, width, pair, half * c_dt_F, k * c_dt_F / dy,
        half,
    )  # fmt: skip
    if kinds[DOWN] != INNER:
        for i in range(1, nx + 1):
            sides[0, i] = half * s[i]
    for low in range(1, ny + 1, height):
        high = min(low + height, ny + 1)  # rows low..high − 1
        start, stop = low * width, high * width
        for j in range(low, high):  # the old fluxes beside the left and the right edge
            sides[1, j], sides[2, j] = state[FX, j, 0], state[FX, j, 1]
            sides[3, j], sides[4, j] = state[FX, j, nx], state[FX, j, nx - 1]
        push_faces(
            flat[FY], s, flat[E], flat[T], rho, start, stop, width, pair, half * c_dt_F,
            k * c_dt_F / dy, half,
        )  # fmt: skip
        if low == 1 and kinds[DOWN] != INNER:
            for i in range(1, nx + 1):
                state[FY, 0, i] = push_edge(
                    kinds[DOWN], kept[0, i], kept[1, i], state[FY, 1, i], state[E, 1, i],
                    edge_value(kinds[DOWN], state[E, 0, i], given[DOWN][FY, i - 1], 1, w),
                    betas[DOWN], 1, sides[0, i], c_dt_F, dy, k, w, theta,
                )  # fmt: skip
        if high == ny + 1 and kinds[UP] != INNER:
            for i in range(1, nx + 1):
                state[FY, ny, i] = push_edge(
                    kinds[UP], kept[2, i], kept[3, i], state[FY, ny - 1, i], state[E, ny, i],
                    edge_value(kinds[UP], state[E, ny + 1, i], given[UP][FY, i - 1], -1, w),
                    betas[UP], -1, half * s[stop - start - width + i], c_dt_F, dy, k, w, theta,
                )  # fmt: skip
        push_faces(
            flat[FX], s, flat[E], flat[T], rho, start, stop - 1, 1, pair, half * c_dt_F,
            k * c_dt_F / dx, half,
        )  # fmt: skip
        if kinds[LEFT] != INNER:
            for j in range(low, high):
                state[FX, j, 0] = push_edge(
                    kinds[LEFT], sides[1, j], sides[2, j], state[FX, j, 1], state[E, j, 1],
                    edge_value(kinds[LEFT], state[E, j, 0], given[LEFT][FX, j - 1], 1, w),
                    betas[LEFT], 1, half * s[(j - low) * width], c_dt_F, dx, k, w, theta,
                )  # fmt: skip
        if kinds[RIGHT] != INNER:
            for j in range(low, high):
                state[FX, j, nx] = push_edge(
                    kinds[RIGHT], sides[3, j], sides[4, j], state[FX, j, nx - 1], state[E, j, nx],
                    edge_value(kinds[RIGHT], state[E, j, nx + 1], given[RIGHT][FX, j - 1], -1, w),
                    betas[RIGHT], -1, half * s[(j - low) * width + nx], c_dt_F, dx, k, w, theta,
                )  # fmt: skip
        if source[2].shape[0] > 0:
            for i in range(stop - start):
                emitted[i] = 0.0
            for j in range(low, high):
                emit(emitted[(j - low) * width : (j - low + 1) * width], x, y[j],
                     t + half * dt, dt, source)  # fmt: skip
        for first in range(start, stop, PIECE):
            last = min(first + PIECE, stop)
            here, there = slice(first, last), slice(first - start, last - start)
            diverge(
                brought, flat[FX, first - 1 : last - 1], flat[FX, here],
                flat[FY, first - width : last - width], flat[FY, here], live[there],
                emitted[there], c_dt / dx, c_dt / dy,
            )  # fmt: skip
            couple(
                flat[E, here], flat[T, here], rho[here], factor[here], brought, live[there], C_v,
                a, c_dt, half, tolerance, sigma_a, heat, scratch,
            )  # fmt: skip


@njit(error_model="numpy", borrows=True)
def diverge(brought, left, right, below, above, live, emitted, nu_x, nu_y):
    """Fill ``brought`` with Δt S − c Δt div F of n cells, 0 in ghost cells."""
    zero = nu_x - nu_x
    for i in range(live.shape[0]):
        gone = nu_x * (right[i] - left[i]) + nu_y * (above[i] - below[i])
        brought[i] = emitted[i] - gone if live[i] != zero else zero


@njit(error_model="numpy", borrows=True)
def advance(state, rho, spacing, w, physics, formulas, pair, kinds, betas, x, y, times, rules,
            given, wraps, signals, at_edge, work):  # fmt: skip
    """Take a step for each of ``times`` (n,), recording the signals at each.

    As `consistent.advance`, and ``kinds``, ``betas`` (4,): what the edges do, and β.
    """
    for n in range(times.shape[0]):
        one_step(state, rho, spacing, w, physics, formulas, pair, kinds, betas, x, y, times[n],
                 rules, given, wraps, signals, at_edge, work, n)  # fmt: skip


@njit(error_model="numpy", borrows=True)
def advance_and_keep(state, states, rho, spacing, w, physics, formulas, pair, kinds, betas, x, y,
                     times, rules, given, wraps, signals, at_edge, work):  # fmt: skip
    """Do what `advance` does and keep the state before each step, and the last one."""
    for n in range(times.shape[0]):
        fill_ghosts(state, kinds, rules, given, wraps, physics, n)
        keep(states[n], state)
        one_step(state, rho, spacing, w, physics, formulas, pair, kinds, betas, x, y, times[n],
                 rules, given, wraps, signals, at_edge, work, n)  # fmt: skip
    keep(states[times.shape[0]], state)


@njit(error_model="numpy", borrows=True)
def keep(copy, state):
    """Copy a state."""
    into, out = copy.reshape(copy.size), state.reshape(state.size)
    for i in range(into.shape[0]):
        into[i] = out[i]


@njit(error_model="numpy", borrows=True)
def fill_ghosts(state, kinds, rules, given, wraps, physics, n):
    """Fill the ghost cells at the edges of the domain before step n of the tables ``given``."""
    wrap(state, wraps[0], wraps[1])
    for side in range(4):
        if kinds[side] != INNER:
            fill_outside(state, side, rules[side], given[side][n], physics[2])


@njit(error_model="numpy", borrows=True)
def one_step(state, rho, spacing, w, physics, formulas, pair, kinds, betas, x, y, t, rules, given,
             wraps, signals, at_edge, work, n):  # fmt: skip
    """Fill the ghosts, record the signals and take step n of the tables ``given``."""
    fill_ghosts(state, kinds, rules, given, wraps, physics, n)
    now = (given[UP][n], given[DOWN][n], given[LEFT][n], given[RIGHT][n])
    seen = (signals[UP][n], signals[DOWN][n], signals[LEFT][n], signals[RIGHT][n])
    record(state, 1.0 if t == 0.0 else 0.5, seen, at_edge)
    theta = START if t == 0.0 else CENTRED
    step(state, rho, spacing, w, physics, formulas, pair, kinds, betas, x, y, t, now, theta, work)
    if t != 0.0:
        record(state, -0.5, seen, at_edge)


@njit(error_model="numpy", borrows=True)
def arrive(state, rho, spacing, w, physics, formulas, pair, kinds, betas, x, y, t, rules, given,
           wraps, work):  # fmt: skip
    """Bring F from t − Δt/2 to t; E and T, which are at t, end up half a step further."""
    fill_ghosts(state, kinds, rules, given, wraps, physics, 0)
    now = (given[UP][0], given[DOWN][0], given[LEFT][0], given[RIGHT][0])
    step(state, rho, spacing, w, physics, formulas, pair, kinds, betas, x, y, t, now, ARRIVE, work)
