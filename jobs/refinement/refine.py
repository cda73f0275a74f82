"""Refining in memory: from networks and signals to the map that explains the signals best."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opalux.base.config import check
from opalux.jobs.inversion.given import assembled, read_for
from opalux.jobs.inversion.misfit import ends_of
from opalux.jobs.inversion.physics import compare_physics
from opalux.jobs.inversion.reconstruction import Reconstruction, reconstruct, require_map
from opalux.jobs.inversion.trained import Trained
from opalux.jobs.measured.inversion import Plan, plan
from opalux.jobs.refinement.held_out import usual_errors
from opalux.jobs.refinement.physics import campaign_of, invert_settings, last_time
from opalux.jobs.refinement.prior import UsualError
from opalux.jobs.refinement.search import MakePrior, Refined, search_both
from opalux.jobs.refinement.settings import RefineSettings
from opalux.learning.data.measurement import Measurement
from opalux.solver.inversion.journal import Journal
from opalux.solver.inversion.rows import Rows


def refine(
    trained: Trained | Sequence[Trained],
    signals: Sequence[str | Path] | str | Path,
    settings: RefineSettings | Mapping[str, Any],
) -> Refined:
    """Return the map that explains signals best: a network's, refined by physics.

    Parameters
    ----------
    trained : a network, or several whose reconstructions are averaged; see `load_trained`
    signals : files and folders: long tables, solution.h5, .sds, .csv
    settings : the keys of ``opalux reconstruct --refine``; also as a dictionary

    Raises
    ------
    InputError
        When the noise is not known, or the signals are not of the kind of the training.
    """
    if not isinstance(settings, RefineSettings):
        settings = check(RefineSettings, dict(settings), source="refine", folder=Path.cwd())
    networks = [trained] if isinstance(trained, Trained) else list(trained)
    require_map(networks[0])
    paths = [Path(signals)] if isinstance(signals, str | Path) else [Path(one) for one in signals]
    measurements = read_for(networks[0], paths, settings.dt)
    compare_physics(networks[0], measurements, settings.physics)
    assembled(networks, measurements)
    planned = planned_for(networks, measurements, paths, settings)
    found = reconstruct_first(networks, measurements, settings)
    journal = Journal()
    prior = prior_of(networks, measurements, found, settings, planned, journal)
    return search_both(planned, found.density.astype(np.float64), prior, journal)


def planned_for(
    networks: Sequence[Trained],
    measurements: Sequence[Measurement],
    signals: Sequence[Path],
    settings: RefineSettings,
) -> Plan:
    """Return the inversion by physics alone, checked.

    Raises
    ------
    InputError
        When the network's physics is not known or has no gradient, or the noise is not known.
    """
    campaign = campaign_of(networks[0])
    ends = ends_of(campaign, measurements)
    final = last_time(campaign, signals)
    planned = plan(invert_settings(campaign, settings, ends, final), signals)
    if campaign.problem.scheme != "staggered":
        planned.remarks.append(
            f"the network was trained on signals of scheme {campaign.problem.scheme}, whose error "
            "differs from that of staggered, which refines: train on staggered, at: edge"
        )
    return planned


def reconstruct_first(
    networks: Sequence[Trained], measurements: Sequence[Measurement], settings: RefineSettings
) -> Reconstruction:
    """Return the network's own map."""
    return reconstruct(
        networks,
        measurements,
        symmetries=settings.symmetries,
        simulate=settings.simulate,
        calibration_maps=settings.calibration_maps,
        misfit_maps=settings.misfit_maps,
        physics=settings.physics,
        noise=settings.noise if isinstance(settings.noise, float) else None,
    )


def prior_of(
    networks: Sequence[Trained],
    measurements: Sequence[Measurement],
    found: Reconstruction,
    settings: RefineSettings,
    planned: Plan,
    journal: Journal,
) -> MakePrior:
    """Return what makes the prior around a network's map, calibrated on held-out maps."""
    rows, deviation = planned.search.rows, found.uncertainty
    if deviation is None:
        return lambda _: None
    first = networks[0]
    noise = _relative(rows, first)
    known = np.isfinite(assembled(networks, measurements))

    def compute() -> tuple[np.ndarray, ...]:
        usual = usual_errors(
            networks, known, noise, settings.misfit_maps, symmetries=settings.symmetries
        )
        if usual is None:
            return (np.zeros(0),)
        return usual.by_depth, np.array([usual.scale, usual.alike, usual.chi2])

    answer = journal.answer(compute)
    if len(answer) == 1:
        return lambda _: None
    error = UsualError(answer[0], *map(float, answer[1]))
    return prior_around(found.density, deviation, error, settings)


def prior_around(
    density: NDArray[np.float32],
    deviation: NDArray[np.float32],
    error: UsualError,
    settings: RefineSettings,
) -> MakePrior:
    """Return what makes the prior around a map (ny, nx) with a known deviation and usual error."""
    inside = np.clip(density.astype(np.float64), *settings.bounds)
    return lambda chi2: error.prior(inside, deviation.astype(np.float64), chi2)


def _relative(rows: Rows, trained: Trained) -> float:
    """Return the noise as a share of the deviation of the training's channels, the median."""
    layout, std = trained.layout, trained.channels[1]
    shares = [
        rows.sigma[(rows.source == source) & (rows.edge == edge) & (rows.quantity == quantity)]
        / std[s, e, q]
        for s, source in enumerate(layout.sources)
        for e, edge in enumerate(layout.edges)
        for q, quantity in enumerate(layout.quantities)
    ]
    return float(np.median(np.concatenate(shares)))
