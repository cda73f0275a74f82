"""Verification of implicit steps and steady states."""

from typing import Any

import numpy as np

from opalux.jobs.verification.page import Claim, Section, at_least, at_most, figure, table
from opalux.solver.verification import crooked_pipe
from opalux.solver.verification.closed_box import ClosedBox
from opalux.solver.verification.convergence import centres, fitted_order
from opalux.solver.verification.crooked_pipe import CrookedPipe
from opalux.solver.verification.gaussian_pulse import GaussianPulse
from opalux.solver.verification.lit_slab import LitSlab
from opalux.solver.verification.marshak import MarshakWave
from opalux.solver.verification.plane_wave import C, PlaneWave
from opalux.solver.verification.su_olson import SuOlson, exact

STAGGERED: dict[str, Any] = {"scheme": "staggered"}
METHODS = {1: "Euler", 2: "SDIRK2"}
STEPS = (20, 40, 80, 160)
PULSE = GaussianPulse(sigma=1e5, width=0.05, final=2.0)  # s² grows by 2 D t to 2.6 times as much
PULSE_CELLS = (32, 64, 128)
TOLERANCES = (1e-2, 1e-3, 1e-4)
DEPTHS = (0.1, 10.0, 1e6)


def steps(final: float, tolerance: float = 1e-3, **keys: Any) -> dict[str, Any]:
    """Return the settings of implicit steps to a final time [sh]."""
    time = {"final": final, "method": "implicit", "tolerance": tolerance, "records": 1}
    return STAGGERED | {"time": time | keys}


def time_errors(accuracy: int) -> list[float]:
    """Return the errors in time of a damped wave, with `STEPS` equal steps."""
    wave = PlaneWave(sigma=4.0, eddington=1 / 3)
    keys = {"adaptive": False, "accuracy": accuracy}
    return [
        wave.time_error(16, time=steps(wave.time, 1e-8, step=wave.time / n, **keys)["time"])
        for n in STEPS
    ]


def known_problems() -> tuple[list[list[str]], list[Claim]]:
    """Return a table of problems with known solutions, and what is claimed of it."""
    rows, claims = [], []

    def add(name: str, what: str, value: float, bound: float) -> None:
        rows.append([name, what, f"{value:.1e}"])
        claims.append(at_most(f"implicit, {name}: {what}", value, bound))

    front, heat = MarshakWave().front_and_heat(50, **steps(1.0))
    add("Marshak wave, 50 cells", "worst of front and heat", max(abs(front - 1), abs(heat - 1)),
        5e-3)  # fmt: skip
    for tau in (31.6, 100.0):
        x, W, V = SuOlson(1 / 3, tau).solve(10, **steps(tau))
        near = x <= 3.5
        off = [
            float(np.abs(found[near] - right).max() / right.max())
            for found, right in zip((W, V), exact(x[near], tau, 1 / 3), strict=True)
        ]
        add(f"Su–Olson, τ = {tau:g}, k = 1/3", "worst error over the largest value", max(off), 2e-3)
    pipe = CrookedPipe()
    found = pipe.probes(pipe.solve(140, **steps(pipe.time, 1e-2))[3])
    off_pipe = float(np.abs(found - np.array(crooked_pipe.IMPLICIT[140])).max())
    add("crooked pipe, 2 sh", "probes off the other code [keV]", off_pipe, 2e-3)
    for tau in DEPTHS:
        error = LitSlab(tau).error(3, **STAGGERED, time={"final": 1.0, "method": "steady"})
        add(f"lit slab, τ = {tau:g}, 3 cells, `steady`", "worst error of F and E", error, 1e-5)
    return rows, claims


def implicit() -> Section:
    """Order in time, diffusion, known problems and the balance of energy."""
    made, axes = figure(10, 4.2, 2)
    claims = []
    order_rows = []
    for accuracy, name in METHODS.items():
        errors = time_errors(accuracy)
        order = fitted_order(STEPS, errors)
        order_rows.append([name, *(f"{e:.1e}" for e in errors), f"{order:.2f}"])
        claims.append(at_least(f"implicit, {name}: order in time", order, accuracy - 0.1))
        axes[0].loglog(STEPS, errors, "os"[accuracy - 1] + "-", label=name)
        slope = [1.6 * errors[0] * (STEPS[0] / n) ** accuracy for n in STEPS]
        axes[0].loglog(STEPS, slope, "k:", linewidth=0.9, label=f"slope of order {accuracy}")
    axes[0].set_xticks(STEPS, [str(n) for n in STEPS])
    axes[0].minorticks_off()
    axes[0].set(title="order in time", xlabel="steps", ylabel="error of Ê that is not the mesh's")

    pulse_errors = [PULSE.error(n, **steps(PULSE.time, 1e-4)) for n in PULSE_CELLS]
    pulse_order = fitted_order(PULSE_CELLS, pulse_errors)
    claims += [
        at_most(f"implicit, Gaussian, {PULSE_CELLS[-1]}² cells: error", pulse_errors[-1], 5e-3),
        at_least("implicit, Gaussian: order in space", pulse_order, 1.8),
    ]
    n = PULSE_CELLS[0]
    x = centres(n) - 0.5
    axes[1].plot(x, PULSE.exact(n)[n // 2], "k-", label="exact")
    found = PULSE.solve(n, **steps(PULSE.time, 1e-4))
    axes[1].plot(x, found[n // 2], "o", markersize=4, label=f"{n}² cells")
    early = np.exp(-(x**2 + (0.5 / n) ** 2) / (2 * PULSE.width**2))
    axes[1].plot(x, early, "k:", label="at t = 0")
    axes[1].set(title="diffusion of a Gaussian", xlabel="x [cm]", ylabel="E beside the middle row")
    for axis in axes:
        axis.legend(fontsize=8)
        axis.grid(alpha=0.3)

    problem_rows, problem_claims = known_problems()
    box = ClosedBox()
    defects = [box.defect(**steps(box.time, tolerance)) for tolerance in TOLERANCES]
    claims += [
        *problem_claims,
        *(
            at_most(f"implicit, closed box, tolerance {tolerance:g}: energy missing", defect,
                    1e-2 * tolerance)
            for tolerance, defect in zip(TOLERANCES, defects, strict=True)
        ),
    ]  # fmt: skip
    text = f"""
`scheme: staggered` with `time: {{method: implicit}}` and `steady` ([implicit.md](implicit.md)).

*Order in time*: a damped wave (k = 1/3, σ_c = 4/cm) on 16 cells, in equal steps; the mesh's own
error is known and taken off: its differences are those of another wave number. Errors of Ê:

{table(["method", *(f"{n} steps" for n in STEPS), "fitted order"], order_rows)}

*Diffusion*: E = exp(−r²/2s²) with s = {PULSE.width} cm in a medium of σ_c = 10⁵/cm, k = 1/3, to
{PULSE.time:g} sh; then s² is {1 + 2 * C / 3 / PULSE.sigma * PULSE.time / PULSE.width**2:.2f} times
as large. The exact solution is P1's own, by a Hankel transform (`tolerance: 1e-4`). Relative L2
errors:

{table([*(f"{n}² cells" for n in PULSE_CELLS), "fitted order"],
       [[*(f"{e:.1e}" for e in pulse_errors), f"{pulse_order:.2f}"]])}

*Known solutions* (`tolerance: 1e-3`; the pipe 1e-2):

{table(["problem", "measured", "error"], problem_rows)}

*Energy*: a closed box of random density, contrasts of 10⁴, and a source that grows; what is missing
at {box.time:g} sh of all the energy that should be there:

{table([f"tolerance {tolerance:g}" for tolerance in TOLERANCES],
       [[f"{defect:.1e}" for defect in defects]])}
"""  # fmt: skip
    return Section("Implicit steps and steady states", text, claims, {"implicit.png": made})
