"""A Marshak wave: radiation that burns its way into cold matter.

Cold matter is opaque (σ ∝ T⁻³) and lets radiation in only once it is hot, so heat advances as a
steep front. The exact profile, from an ordinary differential equation, is drawn beside the
computed one.
"""

import matplotlib.pyplot as plt
import numpy as np

import opalux
from opalux.solver.verification.marshak import MarshakWave

CELLS = 100

wave = MarshakWave()
problem = wave.problem(CELLS)
solution = opalux.simulate(problem)
x = problem.cells.whole.x[1:-1]
T = solution.fields[3][0]
exact = wave.profile(x / np.sqrt(solution.t_final))
print(f"mean error of T: {abs(T - exact).mean():.4f} keV")

figure, axis = plt.subplots(figsize=(7, 3.6), layout="constrained")
axis.plot(x, exact, "k--", label="exact")
axis.plot(x, T, label=f"scheme {problem.scheme}, {CELLS} cells")
axis.set(xlabel="x [cm]", ylabel="T [keV]", title=f"after {solution.t_final:.3g} sh")
axis.legend()
figure.savefig("05_marshak_wave.png", dpi=110)
