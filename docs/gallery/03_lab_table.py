"""From a lab's table to a map, by physics alone.

Measured values come as a table: which source was on, at which edge and place the detector is,
when, and what it read. No network, no training: the map is searched whose simulated signals are
the measured ones, to their noise. The table here comes with Opalux: the letter H on 16 x 16
cells, with 1 % of noise. χ² near 1 says that the map explains the data; the last picture, where
they say anything.
"""

import matplotlib.pyplot as plt
import yaml

import opalux
from opalux.base.shipped import CONFIGS

STEPS = 120  # gradients at most
MODES = 32  # directions along which the data's information is measured

folder = CONFIGS / "invert"
print((folder / "example.csv").read_text().splitlines()[3:6])
settings = yaml.safe_load((folder / "example.yaml").read_text()) | {"steps": STEPS, "modes": MODES}
found = opalux.invert(settings, folder / "example.csv")
print(f"χ² = {found.chi2:.2f}; explained: {found.explained}")

figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
for axis, values, title, colours in (
    (axes[0], found.density, "ρ [g/cm³]", "cividis"),
    (axes[1], found.spread, "its standard deviation [g/cm³]", "BuPu"),
    (axes[2], found.informed, "share that the data tell", "YlGn"),
):
    image = axis.imshow(values, origin="lower", extent=(0, 1, 0, 1), cmap=colours)
    figure.colorbar(image, ax=axis)
    axis.set(title=title, xlabel="x [cm]", ylabel="y [cm]")
figure.savefig("03_lab_table.png", dpi=110)
