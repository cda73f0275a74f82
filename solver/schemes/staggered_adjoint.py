"""The adjoint of the staggered scheme: exact derivatives of what it computes, backwards in time.

A step takes (E, F, T) to (E⁺, F⁺, T⁺). Its adjoint takes the derivatives of some number J with
respect to the latter, Ē⁺, F̄⁺, T̄⁺, to those with respect to the former, and adds what the step
contributes to ρ̄ = ∂J/∂ρ.

*Cells.* With the derivatives of `staggered_derivatives`,

    μ = (T̄⁺ − Ē⁺ G_T⁺)/g_T⁺,     Ē* = Ē⁺ − μ g_E*,     Ē = Ē* − μ g_E,
    T̄ = −Ē⁺ G_T − μ g_T,         ρ̄ += −Ē⁺ G_ρ − μ g_ρ

*Faces* between the cells k and l get F̄⁺ += (c Δt/h) (Ē*_l − Ē*_k) from div F⁺, and hand on what
F⁺ depends on. The edges (`staggered_adjoint_edges`) come before the other faces, because a free
edge depends on the flux that the next face has already.

Each cell gathers from its four faces in the same order, so that nothing depends on how faces are
visited, nor on how the grid is divided among processes. A face between two of them is stepped by
both, from copies of what the other one has: Ē* of the cell beyond it, and F̄⁺ of its owner, which is
the cell on its left or below it. Nothing is summed across processes.
"""

from typing import Any

import numpy as np

from opalux.base.kernels import njit
from opalux.solver.schemes.ghosts import wrap
from opalux.solver.schemes.staggered_adjoint_cells import cells_back
from opalux.solver.schemes.staggered_adjoint_edges import edge, place, spread, spread_points
from opalux.solver.schemes.staggered_adjoint_faces import face_scratch, faces_back
from opalux.solver.schemes.staggered_derivatives import cell_scratch
from opalux.solver.schemes.staggered_edges import CENTRED, INNER, START
from opalux.solver.schemes.strips import strip_rows

E, FX, FY, T = range(4)
UP, DOWN, LEFT, RIGHT = range(4)


@njit(error_model="numpy", borrows=True)
def close(bar, kinds, wraps):
    """Fill the ghosts of ``bar`` where there is no neighbour: from the other side, or Ē* with 0."""
    wrap(bar, wraps[0], wraps[1])
    ny, nx = bar.shape[1] - 2, bar.shape[2] - 2
    for i in range(nx + 2):
        if kinds[UP] != INNER:
            bar[E, ny + 1, i] = 0.0
        if kinds[DOWN] != INNER:
            bar[E, 0, i] = 0.0
    for j in range(ny + 2):
        if kinds[LEFT] != INNER:
            bar[E, j, 0] = 0.0
        if kinds[RIGHT] != INNER:
            bar[E, j, nx + 1] = 0.0


@njit(error_model="numpy", borrows=True)
def step_cells_back(n, bar, p_bar, states, rho, physics, programs, times, weights, at_edge,
                    points, work):  # fmt: skip
    """Begin step n backwards: what its cells do, and what the signals see after it.

    Afterwards bar[E] is Ē*, and its ghosts and those of F̄⁺ have to be filled from the neighbours.
    The parameters are those of `march_back`.
    """
    dt, c, a = physics
    _, _, matter, powers = programs
    lag_bar, scratch, strip = work[0], work[1], work[6]
    if times[n] != 0.0:
        spread(bar, -0.5, weights, n, at_edge)
        spread_points(bar, -0.5, points, n)
    width, size = rho.shape[1], rho.size
    cells_back(
        bar.reshape((4, size)), p_bar.reshape((p_bar.shape[0], size)), lag_bar,
        states[n].reshape((4, size)), states[n + 1].reshape((4, size)), rho.reshape(size), width,
        a, c * dt, matter, powers[1], strip, scratch,
    )  # fmt: skip


@njit(error_model="numpy", borrows=True)
def step_faces_back(n, bar, p_bar, states, rho, spacing, w, physics, programs, kinds, betas,
                    rules, wraps, times, given, weights, given_bar, at_edge, points,
                    work):  # fmt: skip
    """End step n backwards: what its faces do, and what the signals see before it."""
    dx, dy = spacing
    dt, c, a = physics
    pair, knows_T, _, powers = programs
    lag_bar, _, x_faces, y_faces, G_bars, done, strip = work
    old, new = states[n], states[n + 1]
    ny, nx = rho.shape[0] - 2, rho.shape[1] - 2
    close(bar, kinds, wraps)
    k = w * w
    c_dt_F = c * (0.5 * dt if times[n] == 0.0 else dt)
    theta = START if times[n] == 0.0 else CENTRED
    width, size = nx + 2, (ny + 2) * (nx + 2)
    flat, flat_old, flat_new = (
        bar.reshape((4, size)), old.reshape((4, size)), new.reshape((4, size))
    )  # fmt: skip
    flat_rho, p_rows = rho.reshape(size), p_bar.reshape((p_bar.shape[0], size))
    lag_rows, nu_x, nu_y = lag_bar.reshape((ny + 2, width)), c * dt / dx, c * dt / dy
    # F̄ on the edges waits in ``done``: the other faces must not hand it on again. What is left
    # there instead becomes 0 by the divergence.
    for side in range(4):
        if kinds[side] == INNER:
            continue
        f, nu = (FY, nu_y) if side < 2 else (FX, nu_x)
        for m in range(G_bars[side].shape[0]):
            _, _, face, _ = place(side, m, ny, nx)
            bar[f, face[0], face[1]] += diverged(bar, f, face, nu)
        edge(
            side, kinds[side], betas[side], rules[side], bar, p_bar, lag_rows, given_bar[side][n],
            G_bars[side], given[side][n][f], old, new, rho, pair, dy if side < 2 else dx, c_dt_F, k,
            w, a, theta,
        )  # fmt: skip
        for m in range(G_bars[side].shape[0]):
            _, _, face, _ = place(side, m, ny, nx)
            done[side, m] = bar[f, face[0], face[1]]
            bar[f, face[0], face[1]] = -diverged(bar, f, face, nu)
    faces_back(
        flat, p_rows, lag_bar, flat_old, flat_new, flat_rho, width, pair, knows_T, powers[0], nu_x,
        nu_y, c_dt_F, k * c_dt_F / dx, k * c_dt_F / dy, x_faces, y_faces, strip,
    )  # fmt: skip
    for side in range(4):
        if kinds[side] == INNER:
            continue
        f = FY if side < 2 else FX
        for m in range(G_bars[side].shape[0]):
            _, _, face, beside = place(side, m, ny, nx)
            bar[f, face[0], face[1]] += done[side, m]
            bar[f, beside[0], beside[1]] += G_bars[side][m]
    share = 1.0 if times[n] == 0.0 else 0.5
    spread(bar, share, weights, n, at_edge)
    spread_points(bar, share, points, n)


@njit(error_model="numpy", inline="always")
def diverged(bar, f, face, nu):
    """Return what F̄⁺ on a face on an edge gets from div F⁺, as `push_back` computes it."""
    j, i = face
    return nu * ((bar[E, j + 1, i] if f == FY else bar[E, j, i + 1]) - bar[E, j, i])


@njit(error_model="numpy", borrows=True)
def march_back(bar, p_bar, states, rho, spacing, w, physics, programs, kinds, betas, rules, wraps,
               times, given, weights, given_bar, at_edge, points, work):  # fmt: skip
    """Go back through the steps that led from states[0] to states[n], in place.

    Several processes take the two halves of each step themselves: the neighbours' cells come
    between them.

    Parameters
    ----------
    bar : (4, ny + 2, nx + 2) Ē, F̄, T̄ after the steps, which become those before them
    p_bar : (parameters, ny + 2, nx + 2), added to
    states : (n + 1, 4, ny + 2, nx + 2), with ghosts
    rho, spacing, w : as for the scheme itself
    physics : Δt, c, radiation constant
    programs : of the pair's opacity, whether it depends on T, of absorption, and of ρ C_v; see
        `staggered_derivatives`; and what `faces_back` and `cells_back` take where these are
        products K Tᵇ
    kinds, betas, rules, wraps : what the edges do
    times : (n,) of the states but the last
    given : per edge (n, 4, cells), what is prescribed
    weights : per edge (n, 4, cells + 1): ∂J/∂signals, and those of the next cell on the edge
    given_bar : per edge (n, cells), filled with the derivatives by what is given there
    at_edge : whether signals are those on the edge itself
    points : places (3, m) in ``bar`` that detectors read, and ∂J (n, m) by what is there
    work : see `scratch`
    """
    for n in range(times.shape[0] - 1, -1, -1):
        step_cells_back(
            n, bar, p_bar, states, rho, physics, programs, times, weights, at_edge, points, work
        )
        step_faces_back(
            n, bar, p_bar, states, rho, spacing, w, physics, programs, kinds, betas, rules, wraps,
            times, given, weights, given_bar, at_edge, points, work,
        )  # fmt: skip


def scratch(nx: int, ny: int, parameters: int) -> tuple[Any, ...]:
    """Return the scratch of `march_back`, and how many cells are a strip."""
    width = nx + 2
    strip = strip_rows(ny, width) * width
    return (
        np.zeros((ny + 2) * width), cell_scratch(parameters),
        *face_scratch(parameters, strip, width), tuple(np.zeros(n) for n in (nx, nx, ny, ny)),
        np.zeros((4, max(nx, ny))), strip,
    )  # fmt: skip
