"""Refine what a network found, by physics.

A network answers in milliseconds, but only what it has learned. `opalux.refine` starts from its
map and follows the exact gradient until the signals are explained to their noise; it keeps the
network's map where nothing explains them better. The measurement is simulated on a finer grid, or
the search would only undo its own grid's error.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import yaml

import opalux
from opalux.jobs.cluster.pool import InProcess
from opalux.jobs.solve import main as solve

MAPS = 96
EPOCHS = 15
STEPS = 60
FINER = 8  # cells of the measurement in one of the map, along an axis

EDGES = ("up", "down", "left", "right")
PHYSICS = {"scheme": "staggered", "signals": {"at": "edge"}}

campaign = opalux.Campaign(
    name="discs",
    splits={"train": MAPS, "validation": 16, "test": 8},
    problem=PHYSICS | {"grid": {"nx": 16, "ny": 16}},
    families=[{"kind": "discs"}],
    n_times=32,
)
opalux.run_campaign(campaign, "discs", backend=InProcess())
training = {
    "data": {"folder": "discs"},
    "model": {"kind": "edge_vnet", "width": 16, "levels": 3},
    "batch": 16,
    "epochs": EPOCHS,
}
opalux.train(training, "network")

# The last test map, lit from each side in turn.
truth = opalux.DataSet("discs").density(MAPS + 23)
np.save("truth.npy", truth.repeat(FINER, axis=0).repeat(FINER, axis=1))
output = {"signals_every": 2 * FINER, "pictures": False}
Path("measure.yaml").write_text(
    yaml.safe_dump(PHYSICS | {"material": {"density": "truth.npy"}, "output": output})
)
for edge in EDGES:
    solve(["measure.yaml", "--set", f"edges.{edge}.kind=source", "--quiet", "--out", edge])

found = opalux.refine(
    opalux.load_trained("network"),
    [f"{edge}/solution.h5" for edge in EDGES],
    {"noise": 0.02, "steps": STEPS, "misfit_maps": 4, "calibration_maps": 8, "modes": 8},
)
print(f"kept: {found.kept}")
for name, chi2 in found.chi2.items():
    print(f"χ² of {name}: {chi2:.3g}")

figure, axes = plt.subplots(1, 3, figsize=(10, 3.4), layout="constrained")
maps = {"truth": truth, "network": found.maps["network"], "kept": found.inverted.density}
for axis, (title, values) in zip(axes, maps.items(), strict=True):
    image = axis.imshow(values, origin="lower", cmap="cividis", vmin=0, vmax=truth.max())
    axis.set(title=title, xticks=[], yticks=[])
figure.colorbar(image, ax=axes, label="ρ [g/cm³]")
figure.savefig("04_refine.png", dpi=110)
