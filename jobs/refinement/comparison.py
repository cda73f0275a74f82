"""Judging a network beside physics: its map, the map refined, and physics alone."""

import dataclasses
import functools
import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from opalux.base.axes import At, along
from opalux.base.config import dump
from opalux.base.errors import InputError
from opalux.base.progress import Progress
from opalux.jobs.inversion.comparison import KEPT, Compared, Way
from opalux.jobs.inversion.judge import judged_data
from opalux.jobs.inversion.reconstruction import reconstruct
from opalux.jobs.inversion.settings import EvaluateSettings, JudgedMaps
from opalux.jobs.inversion.trained import Trained, weights_of
from opalux.jobs.inversion.two_grids import calibration_for
from opalux.jobs.measured.checkpoint import Checkpoint
from opalux.jobs.measured.inversion import Plan, plan_for
from opalux.jobs.measured.signals import Measured
from opalux.jobs.refinement.held_out import usual_errors
from opalux.jobs.refinement.physics import campaign_of, invert_settings
from opalux.jobs.refinement.prior import UsualError
from opalux.jobs.refinement.refine import prior_around
from opalux.jobs.refinement.search import Refined, search_both
from opalux.jobs.refinement.settings import RefineSettings
from opalux.jobs.sampling.campaign import Campaign
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.resampler import resample
from opalux.learning.training.calibration import Calibration
from opalux.learning.training.loader import require_split
from opalux.solver.inversion.forward import Forward
from opalux.solver.inversion.grid_error import measure
from opalux.solver.inversion.journal import Journal
from opalux.solver.inversion.rows import Rows, joined

Array = NDArray[np.float64]

CALIBRATED_ON = 16
"""Held-out maps that the prior is calibrated on."""
OWN_GRID = (
    "The signals hold the error of their own grid, so that physics simulates on this grid, too, "
    "which flatters it"
)
FINE_GRID = (
    "The signals come from a grid as fine as a measurement; physics simulates on coarser ones and "
    "corrects for their error"
)


class BesidePhysics:
    """See `opalux.jobs.inversion.comparison.Compare`."""

    def refuse(self, ensemble: Sequence[Trained], settings: EvaluateSettings) -> None:
        """Refuse networks without a map or a physics, signals that lack noise, and other schemes.

        Raises
        ------
        InputError
            Says which, and what to do.
        """
        trained = ensemble[0]
        objective = trained.model.objective
        if not objective.is_map:
            raise InputError(
                f"invert: found {settings.invert}, but the network gives {objective.answer}; only "
                "networks that give a map have this: leave it out"
            )
        campaign_of(trained)
        sets: dict[str, JudgedMaps] = {"the main set": settings, **settings.apart}
        noisy = {name: maps for name, maps in sets.items() if maps.noise}
        if not noisy:
            raise InputError(
                "invert: found no set with noise, without which physics has no χ²; give noise=0.01 "
                "or apart.NAME.noise=0.01"
            )
        for name, maps in noisy.items():
            data = judged_data(trained, maps)
            if not data.card.campaign:
                raise InputError(f"invert: {name} was imported, so its physics is not known")
            scheme = Campaign.of(data.card, str(data.folder)).problem.scheme
            data.close()
            if scheme != "staggered":
                raise InputError(
                    f"invert: found signals of scheme {scheme} in {name}, expected staggered, "
                    "which has the gradient; sample with problem.scheme=staggered and "
                    "problem.signals={at: edge}"
                )

    def compare(
        self,
        ensemble: Sequence[Trained],
        name: str,
        maps: JudgedMaps,
        settings: EvaluateSettings,
        out: Path,
    ) -> Compared | None:
        """Return network, refined and physics alone on evenly chosen maps of a set."""
        if not maps.noise:
            return None
        trained = ensemble[0]
        data = judged_data(trained, maps)
        positions = require_split(data, maps.split)
        count = min(settings.invert, len(positions))
        chosen = positions[np.linspace(0, len(positions) - 1, count).astype(int)]
        one_set = _Set(ensemble, data, maps, settings)
        journal = _journal(out, ensemble, name, settings)
        truth, answers = [], []
        with Progress(f"inverting {name}", count) as progress:
            for position in map(int, chosen):
                truth.append(data.density(position).astype(np.float64))
                answers.append(journal.answer(functools.partial(one_set.ways, position)))
                one_set.own_grid = bool(answers[-1][-1])  # also where an earlier run has found it
                progress.advance()
        maps_of, chi2, seconds, own_grid = (np.stack(parts) for parts in zip(*answers, strict=True))
        return Compared(
            truth=np.stack(truth),
            families=[data.family(int(position)) for position in chosen],
            ways={
                way: Way(maps=maps_of[:, place], chi2=chi2[:, place], seconds=seconds[:, place])
                for place, way in enumerate(("network", "refined", "physics alone"))
            },
            note=OWN_GRID if own_grid[0] else FINE_GRID,
        )


def _journal(
    out: Path, ensemble: Sequence[Trained], name: str, settings: EvaluateSettings
) -> Journal:
    """Return the journal of a set, with the maps that an earlier run has found."""
    said = dump(settings) + name + weights_of(ensemble)
    fingerprint = hashlib.sha256(said.encode()).hexdigest()
    kept = Checkpoint(out, fingerprint, KEPT.replace("*", fingerprint[:12]))
    return Journal(kept.known(), keep=kept.keep)


class _Set:
    """What the inversions of one set of maps share."""

    def __init__(
        self,
        ensemble: Sequence[Trained],
        data: DataSet,
        maps: JudgedMaps,
        settings: EvaluateSettings,
    ) -> None:
        trained = ensemble[0]
        self.ensemble, self.data, self.settings = ensemble, data, settings
        self.noise, self.campaign = maps.noise, Campaign.of(data.card, str(data.folder))
        self.sigma = self.noise * trained.channels[1]
        self.keys = RefineSettings(steps=settings.invert_steps, modes=0)
        self.calibration: Calibration | None = calibration_for(
            trained, self.campaign.refinement, data.times, settings.calibration_maps
        )
        known = trained.layout.everything
        self.usual: UsualError | None = usual_errors(
            ensemble, known, self.noise, CALIBRATED_ON, symmetries=settings.symmetries
        )
        self.own_grid: bool | None = None

    def ways(self, position: int) -> tuple[Array, ...]:
        """Return of the network, the kept and the physical map of one sample, in this order.

        maps (3, ny, nx), χ² (3,), CPU seconds (3,), and whether physics had the data's own grid.
        """
        found, took = self._refined(position)
        kept, each = found.inverted, found.seconds
        return (
            np.stack([found.maps["network"], kept.density, found.maps["physics"]]),
            np.array([found.chi2["network"], kept.chi2, found.chi2["physics"]]),
            np.array([took, sum(each.values()) + took, each["physics"]]),
            np.array(bool(self.own_grid)),
        )

    def _refined(self, position: int) -> tuple[Refined, float]:
        """Return the searches for one map, and the CPU seconds of the network."""
        clean = self.data.signals(position)
        rng = np.random.default_rng([self.settings.seed, position])
        noisy = clean + self.sigma[..., None, None] * rng.standard_normal(clean.shape)
        plan = self._plan(position, noisy)
        began = time.process_time()
        trained = self.ensemble[0]
        given = resample(noisy, self.data.times, trained.times).astype(np.float32)
        if self.calibration is not None:
            given = self.calibration(given)
        answer = reconstruct(
            self.ensemble,
            given,
            symmetries=self.settings.symmetries,
            simulate=False,
            noise=self.noise,
        )
        took = time.process_time() - began
        usual, deviation = self.usual, answer.uncertainty
        make = (
            (lambda _: None)
            if usual is None or deviation is None
            else prior_around(answer.density, deviation, usual, self.keys)
        )
        return search_both(plan, answer.density.astype(np.float64), make, Journal()), took

    def _plan(self, position: int, signals: Array) -> Plan:
        """Return the inversion of one sample, on its own grid where its error is in the signals."""
        data, campaign = self.data, self.campaign
        card = data.card
        rows = _rows(signals, data, self.sigma)
        at: At = card.signals_at
        cells = 0 if at == "edge" else card.shape[1] * campaign.refinement
        final = campaign.problem.time.final
        invert = invert_settings(campaign, self.keys, data.sources(position), final)
        plan = plan_for(invert, Measured(rows=rows, sources={}, cells=cells))
        if self.own_grid is None:
            self.own_grid = cells > 0 or _grid_matters(plan, campaign, data.density(position))
        if not self.own_grid:
            return plan
        search = dataclasses.replace(plan.search, corrects=False, refinement=campaign.refinement)
        return dataclasses.replace(plan, search=search)


def _grid_matters(plan: Plan, campaign: Campaign, density: NDArray[np.float32]) -> bool:
    """Return whether the error of the data's own grid is above the noise at a map."""
    search = plan.search
    own, finer = (
        Forward(search.problems, search.rows, times * campaign.refinement, search.make)
        for times in (1, 2)
    )
    return measure(own, finer, density.astype(np.float64), search.rows.sigma).noise_units > 1.0


def _rows(signals: Array, data: DataSet, sigma: NDArray[np.floating]) -> Rows:
    """Return the signals (sources, edges, quantities, n_times, n_cells) of a sample as rows."""
    card, times = data.card, data.times
    parts = []
    for e, edge in enumerate(card.edges):
        low, high = card.extents[0 if along(edge) == "x" else 1]
        cells = card.cells_on(edge)
        n, width = card.n_times * cells, (high - low) / cells
        places = low + (np.arange(cells) + 0.5) * width
        for s, source in enumerate(card.sources):
            for q, quantity in enumerate(card.quantities):
                parts.append(
                    Rows(
                        source=np.full(n, source),
                        edge=np.full(n, edge),
                        quantity=np.full(n, quantity),
                        position=np.tile(places, len(times)),
                        width=np.full(n, width),
                        time=np.repeat(times, cells),
                        value=signals[s, e, q, :, :cells].ravel().astype(np.float64),
                        sigma=np.full(n, float(sigma[s, e, q])),
                    )
                )
    return joined(parts).in_order()
