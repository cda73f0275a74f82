"""Verification in two dimensions: a pulse, a crooked pipe, a lattice, a shadow."""

from typing import Any

import numpy as np

from opalux.base.plots import ENERGY_MAP, HEAT_MAP
from opalux.jobs.verification.page import Section, at_least, at_most, figure, table
from opalux.solver.scheme import Feature
from opalux.solver.verification import crooked_pipe, lattice, shadow
from opalux.solver.verification.convergence import centres, fitted_order
from opalux.solver.verification.crooked_pipe import CrookedPipe
from opalux.solver.verification.gaussian_pulse import GaussianPulse
from opalux.solver.verification.lattice import Lattice
from opalux.solver.verification.shadow import Shadow
from opalux.solver.verification.variants import FIRST, SECOND, STAGGERED, Variant, variants

ALL = variants(Feature.WALLS, Feature.PERIODIC, Feature.VACUUM, Feature.EDDINGTON)
PULSE_CELLS = (64, 128, 256)
PULSE_BOUNDS = {FIRST: (0.4, 0.5), SECOND: (0.005, 1.8), STAGGERED: (0.005, 1.8)}  # error, order
PIPE_BOUNDS = {FIRST: 0.007, SECOND: 0.002, STAGGERED: 0.002}  # [keV]
LATTICE_CELLS, LATTICE_BOUNDS = 112, {FIRST: 0.05, SECOND: 0.03, STAGGERED: 0.03}
SHADOW_CELLS, SHADOW_BOUNDS = 160, {FIRST: 0.1, SECOND: 0.05, STAGGERED: 0.03}


def free(variant: Variant) -> dict[str, Any]:
    """Return what chooses the scheme, and lets E be negative where P1's is."""
    return variant.changes | {"positivity": "off"}


def pulse() -> Section:
    """A pulse in two dimensions, whose wake is negative."""
    case, n = GaussianPulse(), PULSE_CELLS[-1]
    made, axis = figure(5.5, 4)
    line = np.s_[n // 2, n // 2 :]
    x = centres(n)[n // 2 :] - 0.5
    axis.plot(x, case.exact(n)[line], "k-", label="exact")
    rows, claims = [], []
    for number, variant in enumerate(ALL):
        errors = [case.error(cells, **free(variant)) for cells in PULSE_CELLS]
        order = fitted_order(PULSE_CELLS, errors)
        rows.append([str(variant), *(f"{e:.1e}" for e in errors), f"{order:.2f}"])
        bound, lowest = PULSE_BOUNDS[variant]
        claims += [
            at_most(f"pulse in two dimensions, {variant}, N = {n}: error", errors[-1], bound),
            at_least(f"pulse in two dimensions, {variant}: fitted order", order, lowest),
        ]
        found = case.solve(n, **free(variant))[line]
        axis.plot(x[::4], found[::4], "osD"[number], markersize=4, label=str(variant))
    kept = [case.error(cells, **SECOND.changes) for cells in PULSE_CELLS]
    rows.append([f"{SECOND}, `positivity: keep`", *(f"{e:.1e}" for e in kept), ""])
    axis.set(xlabel="distance from the middle [cm]", ylabel="E")
    axis.legend(fontsize=8)
    axis.grid(alpha=0.3)
    text = f"""
E = exp(−r²/2s²) with s = {case.width} cm, F = 0, σ_c = {case.sigma}/cm, σ_a = 0, k = 1/3, until the
front has moved by 0.3 cm. Exact by a Hankel transform. The wake is negative: that is P1. With
`positivity: off` the solution is met at the order of the scheme; with `keep`, the default, order 2
stays away from it on any mesh. Relative L2 errors on N x N cells:

{table(["scheme", *(f"N = {cells}" for cells in PULSE_CELLS), "fitted order"], rows)}
"""
    return Section("A pulse in two dimensions", text, claims, {"pulse.png": made})


def pipe() -> Section:
    """The crooked pipe against another code."""
    case, nx = CrookedPipe(), 140
    expected = np.array(crooked_pipe.IMPLICIT[nx])
    made, axis = figure(7, 2.6)
    rows, claims = [], []
    for variant in ALL:
        fields = case.solve(nx, **variant.changes)
        found = case.probes(fields[3])
        highest = float(fields[0].max() / crooked_pipe.SOURCE)
        rows.append([str(variant), *(f"{T:.4f}" for T in found), f"{highest:.3f}"])
        claims += [
            at_most(
                f"crooked pipe, {variant}: probes off the other code [keV]",
                float(np.abs(found - expected).max()), PIPE_BOUNDS[variant],
            ),
            at_most(f"crooked pipe, {variant}: highest E/source", highest, 1.05),
        ]  # fmt: skip
        if variant == SECOND:
            drawn = axis.imshow(fields[3], origin="lower", extent=(0, 7, 0, 2), cmap=HEAT_MAP)
    made.colorbar(drawn, label="T [keV]")
    axis.plot(*np.array(crooked_pipe.PROBES).T, "wo", markersize=4)
    axis.set(xlabel="x [cm]", ylabel="y [cm]")
    for cells, T in crooked_pipe.IMPLICIT.items():
        rows.append([f"implicit code, {cells} x {cells * 2 // 7}", *map(str, T), ""])
    text = f"""
A pipe of σ = 0.2/cm with two bends between walls of σ = 2000/cm, 7 x 2 cm, k = 1/3; 0.5 keV on the
left. T [keV] at five places (white) after 2 sh on 140 x 40 cells, beside that of an implicit code
which shares nothing with this one (`solver/verification/crooked_pipe.py` tells how it was made),
and the highest E over that of the source:

{table(["", *(f"({x}, {y})" for x, y in crooked_pipe.PROBES), "highest E"], rows)}
"""
    return Section("Crooked pipe", text, claims, {"crooked_pipe.png": made})


def lattice_and_shadow() -> Section:
    """Absorbers in a scattering medium, and a block in the light, against fine meshes."""
    squares, block = Lattice(), Shadow()
    made, axis = figure(4.5, 4)
    rows, claims = [], []
    for variant in ALL:
        E, share = squares.solve(LATTICE_CELLS, **variant.changes)
        probes = block.probes(block.solve(SHADOW_CELLS, **free(variant)))
        rows.append([str(variant), f"{share:.4f}", *(f"{e:.4f}" for e in probes)])
        off = float(np.abs(probes / shadow.FINE - 1).max())
        claims += [
            at_most(
                f"lattice, {variant}, {LATTICE_CELLS}² cells: absorption off",
                abs(share / lattice.FINE - 1), LATTICE_BOUNDS[variant],
            ),
            at_most(f"shadow, {variant}: worst probe off", off, SHADOW_BOUNDS[variant]),
        ]  # fmt: skip
    drawn = axis.imshow(np.log10(E), origin="lower", extent=(0, 7, 0, 7), cmap=ENERGY_MAP, vmin=-6)
    made.colorbar(drawn, label="log E")
    axis.set(xlabel="x [cm]", ylabel="y [cm]")
    rows.append(["fine mesh", f"{lattice.FINE:.4f}", *(f"{e:.4f}" for e in shadow.FINE)])
    kept = block.probes(block.solve(SHADOW_CELLS, **SECOND.changes))
    rows.append([f"{SECOND}, `positivity: keep`", "", *(f"{e:.4f}" for e in kept)])
    text = f"""
Lattice: eleven absorbers (σ_a = 10/cm) in 7 x 7 squares of a scattering medium (σ_s = 1/cm), a
source in the middle, `vacuum` edges; the share of the light that is absorbed until c t = 20 cm.
Shadow: 0.5 keV from the left past a block of σ = 50/cm, until c t = 5 cm, `positivity: off`; E
over that of the source before, above and behind the block. P1 lights the shadow, as transport would
not. On
{LATTICE_CELLS}² and {SHADOW_CELLS} x {SHADOW_CELLS // 2} cells:

{table(["", "absorbed", *(f"E({x}, {y})" for x, y in shadow.PROBES)], rows)}

With `positivity: keep`, order 2 bounds the flux of beams on their way into the dark, and more
energy stays near the source: use `off`, or `staggered`, where light streams past obstacles.
"""
    return Section("Lattice and shadow", text, claims, {"lattice.png": made})
