"""Clusters of the rows of a table, by Iterative Label Spreading.

Labels spread from one point to the nearest unlabelled one. The distance of each step, R_min,
falls where points are dense and peaks where a gap is crossed: the number of clusters is read
from the curve, not given. Any table of numbers will do.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.preprocessing import StandardScaler

import opalux

POINTS = 400
WIDTH = 20  # p: clusters much smaller than this are not found

table, _ = make_moons(POINTS, noise=0.06, random_state=0)
np.savetxt("table.csv", table, delimiter=",", header="length,charge")

rows = StandardScaler().fit_transform(np.loadtxt("table.csv", delimiter=","))
found = opalux.IterativeLabelSpreading(p=WIDTH).fit(rows)
print(f"{found.n_clusters_} clusters of {np.bincount(found.labels_)} rows")

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
left.scatter(*rows.T, c=found.labels_, s=12, cmap="viridis")
left.set(title="clusters", xlabel="length (scaled)", ylabel="charge (scaled)")
right.plot(found.r_min_, color="0.7", label="R_min")
right.plot(found.smoothed_, label="smoothed")
for peak in found.peaks_:
    right.axvline(peak, color="k", ls="--", label="cut")
right.set(title="distance of each step", xlabel="row, in order of labelling", ylabel="R_min")
right.legend()
figure.savefig("08_clusters.png", dpi=110)
