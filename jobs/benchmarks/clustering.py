"""Iterative Label Spreading at many points, and the whole study of a large table, in CPU time."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from opalux.learning.siqd.clustering.ils import IterativeLabelSpreading
from opalux.learning.siqd.study.settings import SiqdSettings
from opalux.learning.siqd.study.study import run_study
from opalux.learning.siqd.tables.table import Table

POINTS = 100_000
"""Points that are clustered."""
BLOBS = 5
DISTANCE = 12.0
"""Of the centres of neighbouring blobs, in their standard deviations."""
ROWS, FEATURES = 20_000, 10
"""Of the table that is studied."""


def clustering_lines(points: int = POINTS, rows: int = ROWS) -> Iterator[str]:
    """Cluster blobs in two and six dimensions, and study a table."""
    IterativeLabelSpreading().fit(blobs(1000, 2)[0])  # compiles the kernels
    for dimensions in (2, 6):
        where, _ = blobs(points, dimensions)
        ours, model = cpu(IterativeLabelSpreading().fit, where)
        bound, _ = cpu(cKDTree(where).query, where, 2)
        yield (
            f"{points} points in {dimensions} dimensions: {ours:.1f} s of CPU time, "
            f"{ours / bound:.1f} times that of each point's nearest neighbour; "
            f"{model.n_clusters_} clusters of {BLOBS}"
        )
    seconds, study = cpu(run_study, *planted(rows), lambda name: None)
    yield (
        f"study of {rows} rows with {FEATURES} features: {seconds:.0f} s of CPU time, "
        f"{study.clustering.n_clusters_} structure classes of {BLOBS}"
    )


def cpu(work: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """Return the CPU time of this process that some work takes [s], and its result."""
    start = time.process_time()
    made = work(*arguments)
    return time.process_time() - start, made


def blobs(points: int, dimensions: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return points (n, d) in normal blobs along the diagonal, and the blob of each (n,)."""
    draw = np.random.default_rng(0)
    labels = np.arange(points) % BLOBS
    centres = DISTANCE * labels[:, None] * np.ones(dimensions) / np.sqrt(dimensions)
    return centres + draw.normal(size=(points, dimensions)), labels


def planted(rows: int) -> tuple[Table, SiqdSettings]:
    """Return a table whose property follows from its features, with noise, and its study."""
    values, _ = blobs(rows, FEATURES)
    target = values[:, 0] + np.sin(values[:, 1]) + 0.1 * np.random.default_rng(1).normal(size=rows)
    names = [f"x{number}" for number in range(FEATURES)]
    table = Table(
        origin="blobs",
        names=tuple(map(str, range(rows))),
        columns={**dict(zip(names, values.T, strict=True)), "y": target},
    )
    settings = SiqdSettings.model_validate(
        {"subject": {"features": names, "property": "y"}, "data": {"file": "blobs.csv"}}
    )
    return table, settings
