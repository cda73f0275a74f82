"""Refining in memory: from networks and signals to the map that explains the signals best."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

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
from opalux.solver.inversion.priors import Prior


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
    )


def prior_of(
    networks: Sequence[Trained],
    measurements: Sequence[Measurement],
    found: Reconstruction,
    settings: RefineSettings,
    planned: Plan,
    journal: Journal,
) -> MakePrior:
    """Return what makes the prior around a network's map, calibrated on held-out maps.

    Where the map explains the data worse than is usual on maps of its own kind, the signals are not
    of that kind, and the prior is loosened by as much.
    """
    rows, deviation = planned.search.rows, found.uncertainty
    if deviation is None:
        return lambda _: None
    first = networks[0]
    names = {name: k for k, name in enumerate(first.layout.sources)}
    std = {name: float(first.channels[1][k].mean()) for name, k in names.items()}
    noise = float(np.median(rows.sigma / np.array([std[str(name)] for name in rows.source])))
    known = np.isfinite(assembled(networks, measurements))

    def compute() -> tuple[np.ndarray, ...]:
        usual = usual_errors(
            networks, known, noise, settings.misfit_maps, symmetries=settings.symmetries
        )
        if usual is None:
            return (np.zeros(0),)
        error, chi2 = usual
        return error.by_depth, np.array([error.scale, error.alike, chi2])

    answer = journal.answer(compute)
    if len(answer) == 1:
        return lambda _: None
    scale, alike, normal = map(float, answer[1])
    error = UsualError(answer[0], scale, alike)
    density = np.clip(found.density.astype(np.float64), *settings.bounds)

    def prior(chi2: float) -> Prior:
        return error.prior(density, deviation.astype(np.float64), max(1.0, chi2 / normal) ** 0.5)

    return prior
