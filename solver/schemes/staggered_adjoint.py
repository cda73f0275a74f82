"""The adjoint of the staggered scheme: exact derivatives of what it computes, backwards in time.

A step takes (E, F, T) to (E⁺, F⁺, T⁺). Its adjoint takes the derivatives of some number J with
respect to the latter, Ē⁺, F̄⁺, T̄⁺, to those with respect to the former, and adds what the step
contributes to ρ̄ = ∂J/∂ρ. All that it needs are the two states; no solve is repeated:

*Cells.* T⁺ is the root of g(T⁺; T, E, E*, ρ) = 0 (`coupling_fitted`; E* = E + D is what transport
leaves), and E⁺ = E* − G, where G is the energy that matter gains. So, with all of g's derivatives,

    μ = (T̄⁺ − Ē⁺ G_T⁺)/g_T⁺,     Ē* = Ē⁺ − μ g_E*,     Ē = Ē* − μ g_E,
    T̄ = −Ē⁺ G_T − μ g_T,         ρ̄ += −Ē⁺ G_ρ − μ g_ρ

*Faces* between the cells k and l get F̄⁺ += (c Δt/h) (Ē*_l − Ē*_k) from div F⁺, and hand on what
F⁺ = [F − r q (E_l − E_k)]/(1 + z r), r = 1 + z/2, depends on: F, E_k, E_l, and σ in z, which
depends on ρ_k, ρ_l and, through T_f, on T_k and T_l. The edges (`staggered_adjoint_edges`) come
before the other faces, because a free edge depends on the flux that the next face has already.

Each cell gathers from its four faces in the same order, so that nothing depends on how faces are
visited.
"""

from opalux.base.kernels import njit
from opalux.solver.formulas.programs import run
from opalux.solver.schemes.consistent import face_temperature
from opalux.solver.schemes.coupling import POINTS, WEIGHTS
from opalux.solver.schemes.staggered_adjoint_edges import edge, place, spread
from opalux.solver.schemes.staggered_edges import INNER

E, FX, FY, T = range(4)
UP, DOWN, LEFT, RIGHT = range(4)


@njit(error_model="numpy")
def value(program, rho, T):
    """Evaluate a formula of (rho, T) for n cells, in a register of ``program``."""
    code, result, registers = program
    n = rho.shape[0]
    registers[0, :n] = rho
    registers[1, :n] = T
    run(code, registers, n)
    return registers[result, :n]


# Rows of ``heat`` in `matter`: the energy G that matter gains with its derivatives, and ρ C_v at T.
GAIN, GAIN_NEW, GAIN_OLD, GAIN_RHO, CAPACITY, CAPACITY_T, CAPACITY_RHO = range(7)


@njit(error_model="numpy")
def matter(heat, capacity, C_v, rho, T_old, T_new, at):
    """Fill ``heat`` (7, >= n); G = (T⁺ − T) ρ Σ w_q C_v(ρ, T + p_q (T⁺ − T)), as in `coupling`.

    ``capacity`` are the programs of C_v, ∂C_v/∂ρ and ∂C_v/∂T; without registers C_v is constant.
    ``at`` (>= n,) is scratch.
    """
    n = rho.shape[0]
    if capacity[0][2].shape[0] == 0:
        for i in range(n):
            C = C_v * rho[i]
            heat[GAIN, i] = C * (T_new[i] - T_old[i])
            heat[GAIN_NEW, i], heat[GAIN_OLD, i] = C, -C
            heat[GAIN_RHO, i] = C_v * (T_new[i] - T_old[i])
            heat[CAPACITY, i], heat[CAPACITY_T, i], heat[CAPACITY_RHO, i] = C, 0.0, C_v
        return
    heat[:, :n] = 0.0
    for q in range(3):
        p, weight = POINTS[q], WEIGHTS[q]
        for i in range(n):
            at[i] = T_old[i] + p * (T_new[i] - T_old[i])
        C = value(capacity[0], rho, at[:n])
        C_rho = value(capacity[1], rho, at[:n])
        C_T = value(capacity[2], rho, at[:n])
        for i in range(n):
            rise = T_new[i] - T_old[i]
            mean = weight * rho[i] * C[i]
            slope = weight * rho[i] * C_T[i] * rise
            heat[GAIN, i] += mean * rise
            heat[GAIN_NEW, i] += mean + p * slope
            heat[GAIN_OLD, i] += -mean + (1 - p) * slope
            heat[GAIN_RHO, i] += weight * (C[i] + rho[i] * C_rho[i]) * rise
    C = value(capacity[0], rho, T_old)
    C_rho = value(capacity[1], rho, T_old)
    C_T = value(capacity[2], rho, T_old)
    for i in range(n):
        heat[CAPACITY, i] = rho[i] * C[i]
        heat[CAPACITY_T, i] = rho[i] * C_T[i]
        heat[CAPACITY_RHO, i] = C[i] + rho[i] * C_rho[i]


@njit(error_model="numpy")
def cells(E_bar, T_bar, rho_bar, star_bar, E_old, T_old, E_new, T_new, rho, C_v, a, c_dt,
          absorption, capacity, heat, at):  # fmt: skip
    """Do the cells' part for n cells: Ē⁺, T̄⁺ become Ē − Ē*, T̄; fill ``star_bar`` with Ē*.

    ``absorption`` are the programs of σ_a, ∂σ_a/∂ρ and ∂σ_a/∂T, twice: for T and for the mean of
    T and T⁺; ``heat`` (7, >= n) and ``at`` (>= n,) are scratch.
    """
    n = rho.shape[0]
    matter(heat, capacity, C_v, rho, T_old, T_new, at)
    for i in range(n):
        at[i] = 0.5 * (T_old[i] + T_new[i])
    old, mid = absorption
    sigma, sigma_rho, sigma_T = (
        value(old[0], rho, T_old),
        value(old[1], rho, T_old),
        value(old[2], rho, T_old),
    )
    sigma_m, sigma_m_rho, sigma_m_T = (
        value(mid[0], rho, at[:n]),
        value(mid[1], rho, at[:n]),
        value(mid[2], rho, at[:n]),
    )
    for i in range(n):
        C, C_T, C_rho = heat[CAPACITY, i], heat[CAPACITY_T, i], heat[CAPACITY_RHO, i]
        T2 = T_old[i] * T_old[i]
        emitted, emitted_T = a * T2 * T2, 4 * a * T2 * T_old[i]
        T2 = T_new[i] * T_new[i]
        emitted_new, emitted_new_T = a * T2 * T2, 4 * a * T2 * T_new[i]
        # ω and what it depends on
        share = emitted_T / C
        k = c_dt * sigma[i]
        omega = 1 / (2 + k * (1 + share))
        omega_T = (
            -omega
            * omega
            * (c_dt * sigma_T[i] * (1 + share) + k * (3 * emitted_T / T_old[i] - share * C_T) / C)
        )
        omega_rho = -omega * omega * (c_dt * sigma_rho[i] * (1 + share) - k * share * C_rho / C)
        # g = G + k_m [(1 − ω) (a T⁺⁴ − E⁺) − ω (E − a T⁴)], E⁺ = E* − G
        k_m = c_dt * sigma_m[i]
        imbalance_new, imbalance = emitted_new - E_new[i], emitted - E_old[i]
        bracket = (1 - omega) * imbalance_new + omega * imbalance
        by_omega = k_m * (imbalance - imbalance_new)
        by_k = bracket * c_dt
        G_new, G_old, G_rho = heat[GAIN_NEW, i], heat[GAIN_OLD, i], heat[GAIN_RHO, i]
        late = k_m * (1 - omega)
        g_new = G_new * (1 + late) + late * emitted_new_T + 0.5 * by_k * sigma_m_T[i]
        g_old = (
            G_old * (1 + late) + 0.5 * by_k * sigma_m_T[i] + by_omega * omega_T
            + k_m * omega * emitted_T
        )  # fmt: skip
        g_rho = G_rho * (1 + late) + by_k * sigma_m_rho[i] + by_omega * omega_rho
        mu = (T_bar[i] - E_bar[i] * G_new) / g_new
        rho_bar[i] -= E_bar[i] * G_rho + mu * g_rho
        T_bar[i] = -E_bar[i] * G_old - mu * g_old
        star_bar[i] = E_bar[i] + mu * late
        E_bar[i] = mu * (k_m * omega)


# Rows of what a row of faces hands on to its cells k and l.
BY_E, BY_T_K, BY_T_L, BY_RHO_K, BY_RHO_L = range(5)


@njit(error_model="numpy")
def faces(out, F_bar, F_new, E_k, E_l, T_k, T_l, rho_k, rho_l, pair, knows_T, c_dt, q):
    """Do the faces' part for n faces: F̄⁺ becomes F̄; fill ``out`` (5, >= n).

    ``pair`` are the programs of s = σ_k + σ_l at T_f, ∂s/∂ρ_k, ∂s/∂ρ_l and ∂s/∂T_f. What E_l gets
    is −BY_E, and E_k gets BY_E.
    """
    n = F_bar.shape[0]
    for m in range(4):
        registers = pair[m][2]
        registers[0, :n] = rho_k
        registers[2, :n] = rho_l
        if knows_T:
            if m == 0:
                face_temperature(registers[1], T_k, T_l, 0.5)
            else:
                registers[1, :n] = pair[0][2][1, :n]
        run(pair[m][0], registers, n)
    T_f = pair[0][2][1]
    s, s_k, s_l, s_T = (
        pair[0][2][pair[0][1]], pair[1][2][pair[1][1]], pair[2][2][pair[2][1]],
        pair[3][2][pair[3][1]],
    )  # fmt: skip
    for i in range(n):
        z = 0.5 * c_dt * s[i]
        r = 1 + 0.5 * z
        carried = F_bar[i] / (1 + z * r)
        s_bar = -carried * (0.5 * q * (E_l[i] - E_k[i]) + F_new[i] * (1 + z)) * (0.5 * c_dt)
        F_bar[i] = carried
        out[BY_E, i] = carried * r * q
        out[BY_RHO_K, i] = s_bar * s_k[i]
        out[BY_RHO_L, i] = s_bar * s_l[i]
        if knows_T:
            T3 = T_f[i] * T_f[i] * T_f[i]
            by_T = 0.5 * s_bar * s_T[i] / T3
            out[BY_T_K, i] = by_T * T_k[i] * T_k[i] * T_k[i]
            out[BY_T_L, i] = by_T * T_l[i] * T_l[i] * T_l[i]
        else:
            out[BY_T_K, i] = out[BY_T_L, i] = 0.0


@njit(error_model="numpy")
def gather(E_bar, T_bar, rho_bar, star_bar, x, y, width):
    """Add to n cells what their faces hand on, and Ē* to Ē.

    Cell i lies between the faces i and i + 1 of ``x`` and the faces i and i + ``width`` of ``y``.
    """
    for i in range(E_bar.shape[0]):
        a = i + width
        E_bar[i] += star_bar[i] + ((x[BY_E, i + 1] - x[BY_E, i]) + (y[BY_E, a] - y[BY_E, i]))
        T_bar[i] += (x[BY_T_K, i + 1] + x[BY_T_L, i]) + (y[BY_T_K, a] + y[BY_T_L, i])
        rho_bar[i] += (x[BY_RHO_K, i + 1] + x[BY_RHO_L, i]) + (y[BY_RHO_K, a] + y[BY_RHO_L, i])


@njit(error_model="numpy")
def diverge_back(F_bar, star_bar, ahead, nu):
    """Add the transpose of div F⁺ to n faces, ``star_bar`` being Ē* of the cells k and l."""
    for i in range(F_bar.shape[0]):
        F_bar[i] += nu * (ahead[i] - star_bar[i])


@njit(error_model="numpy")
def outer(array, wraps):
    """Fill the ghosts of (ny + 2, nx + 2) from the other side where it is periodic, else with 0."""
    array[0] = array[-1] = 0.0
    array[:, 0] = array[:, -1] = 0.0
    if wraps[1]:
        array[0], array[-1] = array[-2], array[1]
    if wraps[0]:
        array[:, 0], array[:, -1] = array[:, -2], array[:, 1]


@njit(error_model="numpy")
def step_back(bar, rho_bar, old, new, rho, spacing, w, physics, programs, kinds, betas, rules,
              wraps, t, given, given_bar, work):  # fmt: skip
    """Take one step backwards, in place.

    Parameters
    ----------
    bar : (4, ny + 2, nx + 2) Ē⁺, F̄⁺, T̄⁺, which become Ē, F̄, T̄
    rho_bar : (ny + 2, nx + 2), added to
    old, new : (4, ny + 2, nx + 2) the states before, with its ghosts, and after the step
    rho, spacing, w, physics : as for the scheme itself
    programs : of the pair's opacity, of absorption and of the heat capacity, with derivatives
    kinds, betas, rules, wraps : what the edges do
    t : time of the old state
    given : per edge (4, cells), what is prescribed
    given_bar : per edge (cells,), becomes the derivative by what is given there
    work : scratch, see `opalux.solver.gradient`
    """
    dx, dy = spacing
    dt, c, a, C_v = physics
    pair, knows_T, absorption, capacity = programs
    star_bar, heat, at, x_faces, y_faces, G_bars, done = work
    ny, nx = old.shape[1] - 2, old.shape[2] - 2
    fold(bar, wraps)
    k = w * w
    c_dt_F = c * (0.5 * dt if t == 0.0 else dt)
    # The rows lie end to end, and a strip of them is taken at a time, as in the scheme itself; what
    # is computed in the ghosts between the rows is not read.
    width, size = nx + 2, (ny + 2) * (nx + 2)
    strip = x_faces.shape[1] - 1
    flat, flat_old, flat_new = (
        bar.reshape((4, size)), old.reshape((4, size)), new.reshape((4, size))
    )  # fmt: skip
    flat_rho, flat_rho_bar, star = rho.reshape(size), rho_bar.reshape(size), star_bar.reshape(size)
    end = (ny + 1) * width
    for start in range(width, end, strip):
        part = slice(start, min(start + strip, end))
        cells(
            flat[E, part], flat[T, part], flat_rho_bar[part], star[part], flat_old[E, part],
            flat_old[T, part], flat_new[E, part], flat_new[T, part], flat_rho[part], C_v, a,
            c * dt, absorption, capacity, heat, at,
        )  # fmt: skip
    outer(star_bar, wraps)
    diverge_back(flat[FY, :end], star[:end], star[width:], c * dt / dy)
    diverge_back(flat[FX, width : end - 1], star[width : end - 1], star[width + 1 :], c * dt / dx)
    # F̄ on the edges waits in ``done``: the other faces must not hand it on again.
    for side in range(4):
        if kinds[side] == INNER:
            continue
        f = FY if side < 2 else FX
        edge(
            side, kinds[side], betas[side], rules[side], bar, rho_bar, given_bar[side],
            G_bars[side], given[side][f], old, new, rho, pair, dy if side < 2 else dx, c_dt_F, k,
            w, a,
        )  # fmt: skip
        for n in range(given_bar[side].shape[0]):
            _, _, face, _ = place(side, n, ny, nx)
            done[side, n] = bar[f, face[0], face[1]]
            bar[f, face[0], face[1]] = 0.0
    for start in range(width, end, strip):
        stop = min(start + strip, end)
        n = stop - start
        # The faces from ``low`` on; those above the row before were left by the strip before.
        low, kept = (0, 0) if start == width else (start, width)
        faces(
            y_faces[:, kept:], flat[FY, low:stop], flat_new[FY, low:stop], flat_old[E, low:stop],
            flat_old[E, low + width : stop + width], flat_old[T, low:stop],
            flat_old[T, low + width : stop + width], flat_rho[low:stop],
            flat_rho[low + width : stop + width], pair, knows_T, c_dt_F, k * c_dt_F / dy,
        )  # fmt: skip
        first = start - 1
        faces(
            x_faces, flat[FX, first:stop], flat_new[FX, first:stop], flat_old[E, first:stop],
            flat_old[E, start : stop + 1], flat_old[T, first:stop], flat_old[T, start : stop + 1],
            flat_rho[first:stop], flat_rho[start : stop + 1], pair, knows_T, c_dt_F,
            k * c_dt_F / dx,
        )  # fmt: skip
        gather(
            flat[E, start:stop], flat[T, start:stop], flat_rho_bar[start:stop], star[start:stop],
            x_faces, y_faces, width,
        )  # fmt: skip
        y_faces[:, :width] = y_faces[:, n : n + width]
    for side in range(4):
        if kinds[side] == INNER:
            continue
        f = FY if side < 2 else FX
        for n in range(given_bar[side].shape[0]):
            _, _, face, beside = place(side, n, ny, nx)
            bar[f, face[0], face[1]] += done[side, n]
            bar[f, beside[0], beside[1]] += G_bars[side][n]
    if wraps[0]:
        bar[FX, :, 0] = 0.0
    if wraps[1]:
        bar[FY, 0, :] = 0.0


@njit(error_model="numpy")
def fold(bar, wraps):
    """Give both copies of a face between periodic sides all of its F̄."""
    if wraps[0]:
        bar[FX, :, -2] += bar[FX, :, 0]
        bar[FX, :, 0] = bar[FX, :, -2]
    if wraps[1]:
        bar[FY, -2, :] += bar[FY, 0, :]
        bar[FY, 0, :] = bar[FY, -2, :]


@njit(error_model="numpy")
def march_back(bar, rho_bar, states, rho, spacing, w, physics, programs, kinds, betas, rules, wraps,
               times, given, weights, given_bar, at_edge, work):  # fmt: skip
    """Go back through the steps that led from states[0] to states[n]; see `step_back`.

    ``states`` (n + 1, 4, ny + 2, nx + 2), ``times`` (n,), ``given``, ``weights`` per edge
    (n, 4, cells), ``given_bar`` per edge (n, cells). Ghost faces of a periodic side hold nothing.
    """
    for n in range(times.shape[0] - 1, -1, -1):
        now = (weights[0][n], weights[1][n], weights[2][n], weights[3][n])
        if times[n] != 0.0:
            spread(bar, -0.5, now, at_edge)
        step_back(
            bar, rho_bar, states[n], states[n + 1], rho, spacing, w, physics, programs, kinds,
            betas, rules, wraps, times[n], (given[0][n], given[1][n], given[2][n], given[3][n]),
            (given_bar[0][n], given_bar[1][n], given_bar[2][n], given_bar[3][n]), work,
        )  # fmt: skip
        spread(bar, 1.0 if times[n] == 0.0 else 0.5, now, at_edge)
