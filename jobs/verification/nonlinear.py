"""Verification with nonlinear problems: Su–Olson's slab, a manufactured solution."""

import numpy as np

from opalux.base.axes import QUANTITIES
from opalux.jobs.verification.page import (
    Section,
    Series,
    at_least,
    at_most,
    convergence_plot,
    figure,
    table,
)
from opalux.solver.verification.convergence import fitted_order
from opalux.solver.verification.manufactured import Manufactured
from opalux.solver.verification.su_olson import CELLS, PLACES, TABLE, SuOlson, exact

NAMES = {1.0: "k = 1", 1 / 3: "k = 1/3"}
SLAB_CELLS = {1: (20, 40, 80, 160), 2: (20, 40, 80)}  # per mean free path, by order
SHOWN = 40  # of them in the figure of the profiles
LOWEST = {1: 0.85, 2: 1.8}  # orders of convergence that are claimed
FEW = 80  # with which the scheme of second order is compared with the table
AWAY = [place != 0.5 for place in PLACES]  # the table's places away from the source's edge

HEAD = (
    "k", "τ", "order", "cells per mean free path", "worst error at the table's places",
    "at the source's edge", "fitted order of the mean error",
)  # fmt: skip


def su_olson() -> Section:
    """The slab that radiates into a cold medium, against exact profiles and the table."""
    made, axes = figure(13, 4.2, 3)
    x = np.linspace(0.0, 3.5, 176)
    worst: dict[int, list[float]] = {1: [], 2: []}
    orders: dict[int, list[float]] = {1: [], 2: []}
    lines: dict[str, dict[int, Series]] = {}
    rows = []
    for panel, k in enumerate(NAMES):
        for tau, colour in ((1.0, "C0"), (10.0, "C3")):
            slab = SuOlson(k, tau)
            W, V = exact(x, tau, k)
            axes[panel].plot(x, W, "-", color=colour, label=f"W, τ = {tau:g}")
            axes[panel].plot(x, V, "--", color=colour, label=f"V, τ = {tau:g}")
            places, found_W, found_V = slab.solve(SHOWN)
            shown = np.flatnonzero(places <= 3.5)[:: SHOWN // 10]
            axes[panel].plot(places[shown], found_W[shown], "o", color=colour, markersize=3)
            axes[panel].plot(places[shown], found_V[shown], "s", color=colour, markersize=3)
            series = lines[f"{NAMES[k]}, τ = {tau:g}"] = {}
            for order, cells in SLAB_CELLS.items():
                means = [slab.mean_error(n, order=order) for n in cells]
                series[order] = cells, means
                orders[order].append(fitted_order(cells, means))
                n = CELLS[k] if order == 1 else FEW
                errors = slab.table_errors(n, order=order)
                worst[order].append(float(errors[:, AWAY].max()))
                rows.append(
                    [NAMES[k], f"{tau:g}", f"{order}", f"{n}", f"{worst[order][-1]:.1e}",
                     f"{errors[:, PLACES.index(0.5)].max():.1e}", f"{orders[order][-1]:.2f}"]
                )  # fmt: skip
        axes[panel].set(title=NAMES[k], xlabel="x [mean free paths]", ylabel="W, V")
        axes[panel].legend(fontsize=8)
        axes[panel].grid(alpha=0.3)
    convergence_plot(axes[2], lines)
    axes[2].set(title="mean error", xlabel="cells per mean free path", ylabel="mean |error|")
    computed = np.array([exact(np.array(PLACES), tau, k) for k, tau in TABLE])
    text = f"""
A slab |x| ≤ 1/2 radiates into a cold medium with ρ C_v = 4 a T³ and σ_a = σ_c = 1 (Su and Olson,
Ann. Nucl. Energy 24, 1997, here with P1 in place of transport): W = E/(a T_H⁴), V = (T/T_H)⁴. The
problem is linear in W and V, so that Laplace inversion gives exact profiles. Those agree
with the table that the tests use (`solver/verification/su_olson.py`, five decimals) and with an
independent cosine series. The solver does not use that linearity: it runs its nonlinear
coupling with C_v = 4 T³, from T = 10⁻³, in one row of cells with a reflecting wall at x = 0 and
time steps at 0.98 of the CFL limit.

Lines: exact; marks: computed with {SHOWN} cells per mean free path, `order: 1`. The fronts, which
are jumps at τ = 1, and the source's edge keep the scheme of second order from its full order.

{table(HEAD, rows)}
"""
    claims = [
        at_most(
            "Su–Olson: exact profiles against the table",
            float(np.abs(computed - np.array(list(TABLE.values()))).max()), 1e-5,
        ),
        at_most("Su–Olson: worst error away from the source's edge, order: 1", max(worst[1]), 2e-3),
        at_most(
            f"Su–Olson: the same with {FEW} cells per mean free path, order: 2",
            max(worst[2]), 2e-3,
        ),
        at_least("Su–Olson: lowest order of the mean error, order: 1", min(orders[1]), 0.9),
    ]  # fmt: skip
    return Section("Su–Olson's slab", text, claims, {"su_olson.png": made})


def manufactured() -> Section:
    """A manufactured solution whose coefficients all vary."""
    cells = (32, 64, 128)
    made, axes = figure(10, 4.2, 2)
    orders: dict[int, list[float]] = {1: [], 2: []}
    rows = []
    for k, name in NAMES.items():
        for axis, periodic in zip(axes, (True, False), strict=True):
            lines: dict[str, dict[int, Series]] = {field: {} for field in QUANTITIES}
            for order in (1, 2):
                errors = [Manufactured(k, periodic).errors(n, order=order) for n in cells]
                row = [name, "periodic" if periodic else "prescribed", f"{order}"]
                for field in QUANTITIES:
                    series = [e[field] for e in errors]
                    lines[field][order] = cells, series
                    fitted = fitted_order(cells, series)
                    row.append(f"{series[-1]:.1e} ({fitted:.2f})")
                    orders[order].append(fitted)
                rows.append(row)
            if k == 1:
                convergence_plot(axis, lines)
                axis.set(title=f"{name}, {row[1]} edges", xlabel="N", ylabel="relative L2 error")
    text = f"""
ρ(x, y) between 1 and 2, σ_a = 10 ρ/T², σ_c = 2 ρ T plus a small term, C_v ∝ T, a volume source
S(x, y, t), rectangular cells. Only the energy equation has a source to choose, so the fields are
built to satisfy the other two exactly: with u = T⁴ = A + B e^(−λt) f(x, y), the temperature
equation gives E = a u + (C/4cs) ∂t u, and the flux F = −P e^(−λt) ∇f/(ρT) satisfies its equation
for σ_c = κ ρ T + (3/4 + A/(4T⁴)) λ/c. `solver/verification/manufactured.py` derives it; a test puts
the fields into the three equations by finite differences. The fields are periodic, so that the
edges can be periodic, or prescribed: E, F and T are then given at the centres of the ghost cells at
first order, on the edge itself at second order (which is where those schemes take them to be).

Errors at N = {cells[-1]}, and the fitted order in brackets:

{table(["k", "edges", "order", *QUANTITIES], rows)}
"""
    claims = [
        at_least(f"manufactured: lowest fitted order, order: {order}", min(found), LOWEST[order])
        for order, found in orders.items()
    ]
    return Section("Manufactured solution", text, claims, {"manufactured.png": made})
