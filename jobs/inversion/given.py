"""What a network is given: signals out of files, in its form, like those of its training's grid."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from opalux.jobs.inversion.signal_files import read_measurements
from opalux.jobs.inversion.tables import from_tables, split_tables
from opalux.jobs.inversion.trained import Trained
from opalux.jobs.inversion.two_grids import calibration_for
from opalux.learning.data.measurement import MayLack, Measurement, assemble
from opalux.learning.training.calibration import Calibration


def read_for(trained: Trained, paths: Sequence[Path], dt: float | None) -> list[Measurement]:
    """Read signals for a network: long tables, and files that hold those of whole edges.

    Raises
    ------
    InputError
        When a file is missing, wrong or of no known kind.
    """
    tables, others = split_tables(paths)
    found = from_tables(tables, trained.card, trained.times) if tables else []
    return found + (read_measurements(others, dt) if others else [])


def assembled(
    networks: Sequence[Trained], measurements: Sequence[Measurement]
) -> NDArray[np.float32]:
    """Return the signals (sources, edges, quantities, n_times, n_cells), NaN where not measured.

    Raises
    ------
    InputError
        When the measurements are not of the kind that the networks were trained on.
    """
    first = networks[0]
    mean, std = first.channels
    return assemble(measurements, first.layout, first.times, mean, std, may_lack(networks))


def seen_by_detectors(
    trained: Trained, measurements: Sequence[Measurement]
) -> NDArray[np.float32] | None:
    """Return how the cells of each channel are seen (sources, edges, quantities, cells, cells).

    None: as they are. See `Measurement.seen`.
    """
    layout = trained.layout
    if all(one.seen is None for one in measurements):
        return None
    cells = layout.n_cells
    found = np.tile(np.eye(cells, dtype=np.float32), (*layout.signals_shape[:3], 1, 1))
    for one in measurements:
        for e, edge in enumerate(layout.edges):
            if one.seen is not None:
                n = layout.cells_on(edge)
                found[layout.sources.index(one.source), e, :, :n, :n] = one.seen[edge]
    return found


def may_lack(networks: Sequence[Trained]) -> MayLack:
    """Return what all of the networks were trained to do without."""
    settings = [network.settings.augmentation for network in networks]
    return MayLack(
        sources=min(one.drop_sources for one in settings),
        edges=min(one.drop_edges for one in settings),
        anything=all(one.subsets for one in settings),
    )


def calibration_of(
    trained: Trained, measurements: Sequence[Measurement], maps: int | None
) -> Calibration | None:
    """Return what makes signals like those of the training's grid; see `calibration_for`.

    Measured values have no grid: a twice finer one than the training's stands for them.
    """
    first = measurements[0]
    if first.partial:
        if trained.campaign is None:
            return None
        return calibration_for(trained, 2 * trained.campaign.refinement, trained.times, maps)
    refinement = first.signals["up"].shape[-1] // trained.layout.cells_on("up")
    return calibration_for(trained, refinement, first.times, maps)


def noise_of(measurements: Sequence[Measurement]) -> tuple[float, tuple[str, ...]]:
    """Return the noise that tables state, and what is assumed where they do not, in words."""
    stated = [one.noise for one in measurements if one.noise is not None]
    if len(stated) < len(measurements):
        return max(stated, default=0.0), (
            "noise: not stated, so that the network takes the signals for free of it; give noise, "
            "or a column sigma",
        )
    return float(np.median(stated)), ()
