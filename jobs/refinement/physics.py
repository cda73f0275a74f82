"""What ``opalux invert`` is told for the signals that a network takes: its training's physics."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.jobs.inversion.tables import split_tables
from opalux.jobs.inversion.trained import Trained
from opalux.jobs.measured.settings import InvertSettings
from opalux.jobs.refinement.settings import RefineSettings
from opalux.jobs.sampling.campaign import Campaign
from opalux.solver.files.measurements import read_table

PHYSICS = {"constants", "source", "initial", "edges", "material"}
"""Keys of a problem that decide its signals, besides grid, time and density."""


def campaign_of(trained: Trained) -> Campaign:
    """Return the campaign that made a network's training data.

    Raises
    ------
    InputError
        When there is none.
    """
    if trained.campaign is None:
        raise InputError(
            f"{trained.path}: was trained on a data set that was imported, so its physics is not "
            "known, expected one that `opalux sample` made; use `opalux invert`, which is told the "
            "physics"
        )
    return trained.campaign


def last_time(campaign: Campaign, signals: Sequence[Path]) -> float:
    """Return how long to simulate [sh]: as in training, or longer where a table goes on."""
    tables, _ = split_tables(signals)
    return max([campaign.problem.time.final, *(read_table(t).rows.time.max() for t in tables)])


def invert_settings(
    campaign: Campaign, settings: RefineSettings, ends: NDArray[np.float64] | None, final: float
) -> InvertSettings:
    """Return the settings of ``opalux invert`` with the physics of a campaign.

    Parameters
    ----------
    campaign : of the network's training data
    settings : of the refinement
    ends : where each source starts and stops, (sources, 2) [cm]; None: not known
    final : how long to simulate [sh]

    Raises
    ------
    InputError
        When the places of the sources are not known, or the physics has no gradient.
    """
    if ends is None:
        raise InputError(
            "refine: the network was trained on sources at places that vary, and the signals do "
            "not say where theirs were; give solution.h5 files, or use `opalux invert`"
        )
    problem, emission = campaign.problem, campaign.emission
    kept: dict[str, Any] = problem.model_dump(mode="json", include=PHYSICS)
    kept["material"].pop("density")
    kept["material"].pop("sigma_s")  # is in sigma_c already
    grid = problem.cells
    sources = {
        name: {
            "edge": place.edge,
            "start": float(start),
            "stop": float(stop),
            "amplitude": emission.amplitude,
            "frequency": emission.frequency,
            "T": emission.T,
        }
        for name, place, (start, stop) in zip(
            campaign.source_names, campaign.sources, ends, strict=True
        )
    }
    return settings.for_inversion(
        {
            "grid": {"nx": grid.nx, "ny": grid.ny, "x": grid.x, "y": grid.y},
            "time": {"final": final},
            **kept,
        },
        sources,
    )
