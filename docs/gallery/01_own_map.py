"""From a map of your own to the signals at its edges.

A density that you drew, computed or photographed is an array (ny, nx), row 0 at the bottom.
Light enters through the left edge; what leaves through the others is the signal. In a
configuration the same is `material: {density: map.npy}` (or `.csv`, `.png`).
"""

import matplotlib.pyplot as plt
import numpy as np

import opalux

CELLS = 96

x = (np.arange(CELLS) + 0.5) / CELLS
X, Y = np.meshgrid(x, x)
density = np.ones((CELLS, CELLS))  # [g/cm³]
density[np.hypot(X - 0.62, Y - 0.6) < 0.18] = 4.0
density[(abs(X - 0.3) < 0.12) & (abs(Y - 0.25) < 0.06)] = 8.0


def signals(map_):
    problem = opalux.Problem(
        scheme="staggered",  # of second order, for signals
        signals={"at": "edge"},
        material={"density": map_},
        edges={"left": {"kind": "source"}},
        time={"final": 0.01},  # [sh]
    )
    return opalux.simulate(problem)


solution, background = signals(density), signals(np.ones_like(density))
print(solution)

figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
image = axes[0].imshow(density, origin="lower", extent=(0, 1, 0, 1), cmap="cividis")
figure.colorbar(image, ax=axes[0], label="ρ [g/cm³]")
axes[0].set(title="the map", xlabel="x [cm]", ylabel="y [cm]")
far = solution.signals["right"][:, 0]  # E (times, cells)
change = far - background.signals["right"][:, 0]
for axis, values, colours, label in (
    (axes[1], far, "magma", "E [g/cm/sh²]"),
    (axes[2], change, "RdBu_r", "ΔE [g/cm/sh²]"),
):
    largest = abs(values).max()
    limits = {"vmin": -largest, "vmax": largest} if colours == "RdBu_r" else {}
    image = axis.imshow(
        values.T, origin="lower", aspect="auto", extent=(0, 0.01, 0, 1), cmap=colours, **limits
    )
    figure.colorbar(image, ax=axis, label=label)
    axis.set(xlabel="t [sh]", ylabel="y [cm]")
axes[1].set_title("signal at the far edge")
axes[2].set_title("what the map changes of it")
figure.savefig("01_own_map.png", dpi=110)
