"""A Marshak wave, explicit and implicit: radiation that burns its way into cold matter.

Cold matter is opaque (σ ∝ T⁻³) and lets radiation in only once it is hot, so heat advances as a
steep front. Explicit steps follow light itself, tens of thousands of them; implicit ones are as
long as the front allows. The exact profile comes from an ordinary differential equation.
"""

import matplotlib.pyplot as plt
import numpy as np

import opalux
from opalux.solver.verification.marshak import MarshakWave

CELLS = 50
FINAL = 1.0  # [sh]

wave = MarshakWave(cold=0.05)
ways = {
    "explicit": {"time": {"final": FINAL}},
    "implicit": {
        "scheme": "staggered",
        "time": {"final": FINAL, "method": "implicit", "tolerance": 0.01},
    },
}
figure, axis = plt.subplots(figsize=(7, 3.6), layout="constrained")
for name, settings in ways.items():
    problem = wave.problem(CELLS, **settings)
    solution = opalux.simulate(problem)
    x, T = problem.cells.whole.x[1:-1], solution.fields[3][0]
    exact = wave.profile(x / np.sqrt(FINAL))
    print(f"{name}: mean error of T {abs(T - exact).mean():.4f} keV")
    axis.plot(x, T, label=name)
axis.plot(x, exact, "k--", label="exact")
axis.set(xlabel="x [cm]", ylabel="T [keV]", title=f"{CELLS} cells, after {FINAL:.3g} sh")
axis.legend()
figure.savefig("05_marshak_wave.png", dpi=110)
