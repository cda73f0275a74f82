"""From a family of your own to a network that inverts it.

A class draws random maps of your kind, a campaign simulates them, and a network learns to find
the map behind the signals. Here: stripes at 45 degrees. With a minute of training the network
sees how many there are, and roughly how strong; more maps and more epochs make it better.
"""

from pathlib import Path

import matplotlib.pyplot as plt

import opalux
from opalux.jobs.cluster.pool import InProcess

MAPS = 128
EPOCHS = 16
CELLS = 16

STRIPES = '''
from typing import Literal
import numpy as np
from opalux.solver.densities.family import Family, Interval, cell_centres

class Stripes(Family):
    """Stripes at 45 degrees."""

    kind: Literal["stripes"] = "stripes"
    waves: Interval = (1.0, 2.5)

    def draw(self, stream, shape, index):
        x, y = cell_centres(shape)  # as fractions of the domain
        waves, phase = stream.uniform(self.waves), stream.uniform((0.0, 6.28))
        return 2 + np.sin(2 * np.pi * waves * (x + y) / 2 + phase), {"waves": waves}
'''

Path("stripes.py").write_text(STRIPES)
campaign = opalux.Campaign(
    name="stripes",
    splits={"train": MAPS, "validation": 16, "test": 16},
    problem={
        "grid": {"nx": CELLS, "ny": CELLS},
        "scheme": "staggered",
        "signals": {"at": "edge"},
    },
    families=[{"kind": "user", "code": str(Path("stripes.py:Stripes").absolute())}],
    n_times=32,
)
print(opalux.run_campaign(campaign, "stripes", backend=InProcess()))
training = {
    "data": {"folder": "stripes"},
    "model": {"kind": "edge_vnet", "width": 16, "levels": 3},
    "batch": 16,
    "epochs": EPOCHS,
}
opalux.train(training, "network")
network, data = opalux.load_trained("network"), opalux.DataSet("stripes")
test = range(MAPS + 16, MAPS + 32)

figure, axes = plt.subplots(4, 4, figsize=(9, 8.6), layout="constrained")
for column, sample in zip(axes.T, test, strict=False):
    truth, signals = data.density(sample), data.signals(sample)
    found = opalux.reconstruct(network, signals).density
    right = signals[2, 3, 0]  # source left, edge right, E: (times, cells)
    rows = {
        "signal at the far edge": (right - right[0], "RdBu_r", None),
        "truth": (truth, "cividis", (1, 3)),
        "found": (found, "cividis", (1, 3)),
        "error": (found - truth, "RdBu_r", (-1, 1)),
    }
    for axis, (title, (values, colours, limits)) in zip(column, rows.items(), strict=True):
        low, high = limits or (-abs(values).max(), abs(values).max())
        image = axis.imshow(
            values.T if limits is None else values,
            origin="lower", aspect="auto", cmap=colours, vmin=low, vmax=high,
        )  # fmt: skip
        axis.set(title=title, xticks=[], yticks=[])
        if limits:
            figure.colorbar(image, ax=axis)
axes[0, 0].set(xlabel="time", ylabel="along the edge")
figure.savefig("02_own_family.png", dpi=100)
