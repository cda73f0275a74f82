"""The adjoint of what the staggered scheme does on faces, but for those on the edges."""

import math

import numpy as np

from opalux.base.kernels import njit
from opalux.solver.schemes.opacities import whole_power
from opalux.solver.schemes.staggered_adjoint_cells import copy
from opalux.solver.schemes.staggered_derivatives import (
    BY_S,
    BY_T3,
    BY_TEMPERATURE,
    FACE_BY,
    FALL,
    FIRST,
    VALUE,
    evaluate_faces,
    face_rows,
    push,
)  # fmt: skip
from opalux.solver.schemes.strips import LINE, PIECE, aligned, fetch

E, FX, FY, T = range(4)

BESIDE = LINE - 1
"""Where in its scratch the face on the left of a piece is."""


@njit(error_model="numpy", borrows=True)
def push_back(F_bar, star_k, star_l, F_new, E_k, E_l, s, s_T, T_f, nu, half_c_dt, q, fall, by_T3,
              by_s):  # fmt: skip
    """Turn F̄⁺ on n faces into F̄, and fill what they hand on to their cells.

    ``star_k``, ``star_l`` are Ē* of the cells, to which ``nu`` times div F⁺ has gone.
    """
    for i in range(F_bar.shape[0]):
        by_F, by_E, by_T, by_sigma = push(
            F_new[i], E_k[i], E_l[i], s[i], 0.5 * s_T[i], T_f[i] * T_f[i] * T_f[i], half_c_dt, q
        )
        after = F_bar[i] + nu * (star_l[i] - star_k[i])
        F_bar[i] = after * by_F
        fall[i], by_T3[i], by_s[i] = after * by_E, after * by_T, after * by_sigma


@njit(error_model="numpy", borrows=True)
def raise_faces(raised, T_k, T_l, power):
    """Fill ``raised`` with T_fᵇ of n faces: in a loop so short that it is compiled for each b."""
    for i in range(T_k.shape[0]):
        low, high = T_k[i] * T_k[i], T_l[i] * T_l[i]
        T_f = math.sqrt(math.sqrt(0.5 * (low * low + high * high)))
        raised[i] = whole_power(T_f, power, 1.0)


@njit(error_model="numpy", borrows=True)
def push_back_by_power(F_bar, star_k, star_l, F_new, E_k, E_l, T_k, T_l, factor_k, factor_l, power,
                       nu, half_c_dt, q, fall, by_T3, by_s):  # fmt: skip
    """Do what `push_back` does for σ = K Tᵇ: ``factor`` is K and ``power`` b.

    ``by_s`` holds T_fᵇ and becomes what faces hand on by K, T_fᵇ times that by s.
    """
    for i in range(F_bar.shape[0]):
        low, high = T_k[i] * T_k[i], T_l[i] * T_l[i]
        T_f4 = 0.5 * (low * low + high * high)
        s = (factor_k[i] + factor_l[i]) * by_s[i]
        by_F, by_E, by_T, by_sigma = push(
            F_new[i], E_k[i], E_l[i], s, 0.5 * power * s, T_f4, half_c_dt, q
        )
        after = F_bar[i] + nu * (star_l[i] - star_k[i])
        F_bar[i] = after * by_F
        fall[i], by_T3[i], by_s[i] = after * by_E, after * by_T, after * by_sigma * by_s[i]


@njit(error_model="numpy", borrows=True)
def opacity_back(by_k, by_l, by_s, s_k, s_l):
    """Fill what n faces contribute to the derivatives by a parameter of their cells."""
    for i in range(by_s.shape[0]):
        by_k[i], by_l[i] = by_s[i] * s_k[i], by_s[i] * s_l[i]


@njit(error_model="numpy", borrows=True)
def fill_faces(bar, new, old, rho, f, start, stop, step, out, at, pair, knows_T, powers, nu, c_dt,
               q):  # fmt: skip
    """Turn F̄⁺ on the faces of the cells start..stop − 1 into F̄, and fill ``out`` from ``at`` on.

    All cells lie end to end; the other cells of the faces are ``step`` further on.
    """
    _, results, registers = pair
    s, s_T, T_f = registers[results[VALUE]], registers[results[BY_TEMPERATURE]], registers[1]
    power, factor, _ = powers
    for low in range(start, stop, PIECE):
        high = min(low + PIECE, stop)
        first, last = at + low - start, at + high - start
        k, l = slice(low, high), slice(low + step, high + step)  # noqa: E741
        if power != 0:
            raise_faces(out[BY_S, first:], old[T, k], old[T, l], power)
            push_back_by_power(
                bar[f, k], bar[E, k], bar[E, l], new[f, k], old[E, k], old[E, l], old[T, k],
                old[T, l], factor[k], factor[l], power, nu, 0.5 * c_dt, q, out[FALL, first:],
                out[BY_T3, first:], out[BY_S, first:],
            )  # fmt: skip
            continue
        evaluate_faces(pair, knows_T, old[T, k], old[T, l], rho[k], rho[l])
        push_back(
            bar[f, k], bar[E, k], bar[E, l], new[f, k], old[E, k], old[E, l], s, s_T, T_f, nu,
            0.5 * c_dt, q, out[FALL, first:], out[BY_T3, first:], out[BY_S, first:],
        )  # fmt: skip
        for row in range(0, results.shape[0] - FIRST, 2):
            opacity_back(
                out[FACE_BY + row, first:], out[FACE_BY + row + 1, first:], out[BY_S, first:last],
                registers[results[FIRST + row]], registers[results[FIRST + row + 1]],
            )  # fmt: skip


@njit(error_model="numpy", borrows=True)
def gather(E_bar, T_bar, lag_bar, T, x_fall, x_T, y_fall, y_T, above_fall, above_T):
    """Add to n cells what their faces hand on, and turn Ē* into Ē.

    Cell i lies between the faces i and i + 1 of ``x``, and below the face i of ``above``.
    """
    for i in range(E_bar.shape[0]):
        E_bar[i] += lag_bar[i] + ((x_fall[i + 1] - x_fall[i]) + (above_fall[i] - y_fall[i]))
        T_bar[i] += (T[i] * T[i] * T[i]) * ((x_T[i + 1] + x_T[i]) + (above_T[i] + y_T[i]))


@njit(error_model="numpy", borrows=True)
def gather_medium(p_bar, x_k, x_l, above_k, y_l):
    """Add to n cells what their faces contribute to the derivatives by a parameter."""
    for i in range(p_bar.shape[0]):
        p_bar[i] += (x_k[i + 1] + x_l[i]) + (above_k[i] + y_l[i])


@njit(error_model="numpy", borrows=True)
def gather_factor(p_bar, K_p, x_K, y_K, above_K):
    """Add to n cells what their faces hand on by K, times ∂K/∂p."""
    for i in range(p_bar.shape[0]):
        p_bar[i] += K_p[i] * ((x_K[i + 1] + x_K[i]) + (above_K[i] + y_K[i]))


@njit(error_model="numpy", borrows=True)
def faces_back(bar, p_bar, lag_bar, old, new, rho, width, pair, knows_T, powers, nu_x, nu_y, c_dt,
               q_x, q_y, x_faces, y_faces, strip):  # fmt: skip
    """Turn F̄⁺ on all faces into F̄ and Ē* into Ē, and add to T̄ and to ``p_bar``.

    Parameters
    ----------
    bar : (4, cells) all cells end to end, ghosts included, in rows of ``width``
    p_bar : (parameters, cells)
    lag_bar, rho : (cells,)
    old, new : (4, cells) the states before and after the step
    pair, knows_T : see `staggered_derivatives.evaluate_faces`
    powers : b, K and ∂K/∂p of σ_c = K Tᵇ in all cells; b = 0 where ``pair`` is to be run
    nu_x, nu_y : c Δt of E over the size of a cell
    c_dt, q_x, q_y : c Δt of F, and k times that over the size of a cell
    x_faces, y_faces : see `face_scratch`
    strip : cells taken at a time
    """
    end = rho.shape[0] - width
    lead = -(-width // LINE) * LINE
    power, _, factor_by = powers
    # A cell's lower face is left by the row or the strip before.
    fill_faces(
        bar, new, old, rho, FY, 0, width, width, y_faces, lead - width, pair, knows_T, powers, nu_y,
        c_dt, q_y,
    )  # fmt: skip
    for start in range(width, end, strip):
        stop = min(start + strip, end)
        for f in (E, T):
            fetch(old[f, start + width : stop + width], x_faces[0])
        for f in (FX, FY):
            fetch(new[f, start:stop], x_faces[0])
        for row in range(x_faces.shape[0]):
            x_faces[row, BESIDE] = 0.0  # belongs to ghosts
        for low in range(start, stop, PIECE):
            high = min(low + PIECE, stop)
            above = lead + low - start
            below = above - width
            fill_faces(
                bar, new, old, rho, FY, low, high, width, y_faces, above, pair, knows_T, powers,
                nu_y, c_dt, q_y,
            )  # fmt: skip
            fill_faces(
                bar, new, old, rho, FX, low, high, 1, x_faces, BESIDE + 1, pair, knows_T, powers,
                nu_x, c_dt, q_x,
            )  # fmt: skip
            gather(
                bar[E, low:high], bar[T, low:high], lag_bar[low:high], old[T, low:high],
                x_faces[FALL, BESIDE:], x_faces[BY_T3, BESIDE:], y_faces[FALL, below:],
                y_faces[BY_T3, below:], y_faces[FALL, above:], y_faces[BY_T3, above:],
            )  # fmt: skip
            for p in range(p_bar.shape[0]):
                if power != 0:
                    gather_factor(
                        p_bar[p, low:high], factor_by[p, low:high], x_faces[BY_S, BESIDE:],
                        y_faces[BY_S, below:], y_faces[BY_S, above:],
                    )  # fmt: skip
                    continue
                by_k, by_l = FACE_BY + 2 * p, FACE_BY + 2 * p + 1
                gather_medium(
                    p_bar[p, low:high], x_faces[by_k, BESIDE:], x_faces[by_l, BESIDE:],
                    y_faces[by_k, above:], y_faces[by_l, below:],
                )  # fmt: skip
            for row in range(x_faces.shape[0]):
                x_faces[row, BESIDE] = x_faces[row, BESIDE + high - low]
        for row in range(y_faces.shape[0]):
            copy(y_faces[row, lead - width : lead], y_faces[row, lead - width + stop - start :])


def face_scratch(parameters: int, strip: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return scratch for the faces right of a piece of cells, and above a strip of rows.

    What is written to begins at a multiple of `LINE`, where the machine writes fastest. Before it
    is the face on the left of the piece, and those below the strip.
    """
    rows = face_rows(parameters)
    lead = -(-width // LINE) * LINE
    return aligned(rows, PIECE + LINE), aligned(rows, lead + -(-strip // LINE) * LINE)
