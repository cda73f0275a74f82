"""An inversion in memory: from settings and signal files to the map and what it explains."""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opalux.base.config import check
from opalux.base.errors import InputError
from opalux.jobs.measured.gains import coupling_of
from opalux.jobs.measured.noise import sigma_of
from opalux.jobs.measured.series import other_physics
from opalux.jobs.measured.settings import InvertSettings, SearchPrior, map_of
from opalux.jobs.measured.signals import Measured, named_sources, problem_of, read_signals
from opalux.jobs.simulation.ranks import launched_size
from opalux.solver.finite import check_edges, check_source
from opalux.solver.inversion.forward import Forward, on_finer_grid
from opalux.solver.inversion.journal import Journal
from opalux.solver.inversion.minimise import Minimiser
from opalux.solver.inversion.priors import Gaussian, NoPrior, Prior, Smooth, TotalVariation
from opalux.solver.inversion.rows import Rows
from opalux.solver.inversion.search import Found, Search
from opalux.solver.inversion.uncertainty import LARGEST, Uncertainty, uncertainty
from opalux.solver.inversion.unknown import Unknown
from opalux.solver.problem import Problem

Array = NDArray[np.float64]

WEIGHTS = {"tv": 15.0, "h1": 4.0, "gaussian": 1.0}
FAR = 3.0  # χ² above which data are not explained, whatever the configuration accepts
CERTAIN = 5.0  # standard deviations of χ² that are no sign of anything


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """An inversion, checked and ready to run.

    Attributes
    ----------
    settings : as read
    search : what is searched
    remarks : what was assumed or left out
    one_time_in : of so many times of the files one is used; 1: all
    """

    settings: InvertSettings
    search: Search
    remarks: list[str]
    one_time_in: int = 1

    @property
    def fingerprint(self) -> str:
        """A name for the data, so that a run goes on with the same."""
        digest = hashlib.sha256()
        for field in dataclasses.fields(Rows):
            digest.update(np.ascontiguousarray(getattr(self.search.rows, field.name)).tobytes())
        return digest.hexdigest()

    @property
    def accepted(self) -> float:
        """The largest χ² that counts as explained; chance alone is allowed for."""
        chance = 1 + CERTAIN * float(np.sqrt(2 / len(self.search.rows)))
        return max(self.settings.accept_chi2, chance)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Inverted:
    """A map and what it explains.

    Attributes
    ----------
    density : (ny, nx) [g/cm³], row 0 = bottom
    spread : (ny, nx) standard deviation [g/cm³]; None: not asked for
    informed : (ny, nx) share of what is known of a cell that the data say; None: not asked for
    samples : (samples, ny, nx) maps that data and prior allow [g/cm³]; None: not asked for
    gain_spread : (groups,) standard deviation of each gain of the coupling; None: not asked for
    chi2 : mean squared residual in standard deviations of the noise
    explained : whether χ² is small enough
    rows : what was measured, with the noise
    predicted : (rows,) the same for the map, times the gains
    found : the search's own result
    """

    density: Array
    spread: Array | None
    informed: Array | None
    samples: Array | None
    gain_spread: Array | None
    chi2: float
    explained: bool
    rows: Rows
    predicted: Array
    found: Found

    def __repr__(self) -> str:
        ny, nx = self.density.shape
        verdict = "explained" if self.explained else "NOT explained"
        return f"<Inverted: {nx} x {ny} cells, χ² = {self.chi2:.3g}, data {verdict}>"


def invert(
    settings: InvertSettings | Mapping[str, Any], signals: Sequence[Path | str] | Path | str
) -> Inverted:
    """Return the density behind measured signals, by physics alone.

    Parameters
    ----------
    settings : a configuration of ``opalux invert``, also as a dictionary
    signals : long tables, solution.h5, .sds and published CSV files, or folders of them

    Raises
    ------
    InputError
        When the configuration or a file is wrong.
    """
    if not isinstance(settings, InvertSettings):
        settings = check(InvertSettings, dict(settings), source="invert", folder=Path.cwd())
    given = [signals] if isinstance(signals, Path | str) else signals
    return run(plan(settings, [Path(path) for path in given]), Journal())


def plan(settings: InvertSettings, signals: Sequence[Path]) -> Plan:
    """Read and check everything that an inversion needs.

    Raises
    ------
    InputError
        When something is missing, wrong or does not fit.
    """
    processes, launcher = launched_size()
    if processes > 1:
        raise InputError(
            f"found {processes} processes of {launcher}, expected one; it uses the cores "
            "of its machine by threads: start it without a launcher"
        )
    return plan_for(settings, read_signals(signals, settings))


def plan_for(settings: InvertSettings, measured: Measured) -> Plan:
    """Check signals that are read already, and what else an inversion needs.

    Raises
    ------
    InputError
        When something is missing, wrong or does not fit.
    """
    sources, assumed = named_sources(settings.sources, measured)
    remarks = [*measured.remarks, *assumed]
    rows = measured.rows
    rows = dataclasses.replace(rows, sigma=sigma_of(rows, settings.noise))
    at = "cell" if measured.cells else "edge"
    problems = {
        name: check(
            Problem,
            problem_of(settings.problem, source, at=at),
            source=f"source {name}",
            folder=Path.cwd(),
        )
        for name, source in sources.items()
    }
    for one in measured.series:
        other = other_physics(one, problems[one.source].model_dump(mode="json"))
        remarks += [f"warning: {other}"] * bool(other)
    grid = settings.problem.cells
    start = map_of(settings.start, settings.problem)
    _require_densities("start", start)
    low, high = settings.bounds
    if start.min() < low or start.max() > high:
        remarks.append(
            f"start: found {start.min():g} to {start.max():g} g/cm³, brought within the bounds, "
            f"{low:g} to {high:g}"
        )
    refinement, times = _refinement(settings, measured.cells), np.union1d(0.0, rows.time)
    for problem in problems.values():
        check_edges(problem.edges, grid, times)
        check_source(problem.source, grid.whole, times)
        on_finer_grid(problem, (refinement or 1), float(rows.time.max()))
    search = Search(
        problems=problems,
        rows=rows,
        unknown=Unknown((grid.ny, grid.nx), settings.bounds),
        prior=_prior(settings.prior, settings, start),
        start=start,
        steps=settings.steps,
        refinement=refinement,
        corrects=not measured.cells,
        coupling=coupling_of(rows, settings.coupling),
    )
    return Plan(settings=settings, search=search, remarks=remarks, one_time_in=measured.one_time_in)


def run(
    plan: Plan, journal: Journal, told: Callable[[int, float, int], None] = lambda *_: None
) -> Inverted:
    """Search the map and measure how sure it is.

    Parameters
    ----------
    plan : see `plan`
    journal : of what was computed
    told : see `Minimiser`

    Raises
    ------
    Stopped
        When the journal's owner asked to stop.
    """
    minimiser = Minimiser(plan.search, journal, told)
    found = minimiser.run()
    return assessed(plan, found, minimiser.model, plan.search.prior, journal)


def assessed(
    plan: Plan, found: Found, model: Callable[[int], Forward], prior: Prior, journal: Journal
) -> Inverted:
    """Return a map that was found with how sure it is and whether it explains the data.

    Parameters
    ----------
    plan : see `plan`
    found : the map
    model : gives the simulation on a grid of that refinement
    prior : that it was found with
    journal : of what was computed
    """
    search, settings = plan.search, plan.settings
    sure: Uncertainty | None = None
    if settings.modes and found.density.size <= LARGEST:
        sure = uncertainty(
            model(1 if search.corrects else found.refinement), found.density, found.seen(search),
            prior, search.unknown, settings.modes, journal, settings.samples,
        )  # fmt: skip
    return Inverted(
        density=found.density,
        spread=None if sure is None else sure.spread,
        informed=None if sure is None else sure.informed,
        samples=None if sure is None else sure.samples,
        gain_spread=None if sure is None else sure.gain_spread,
        chi2=found.chi2,
        explained=found.chi2 <= min(plan.accepted, FAR),
        rows=search.rows,
        predicted=found.predicted,
        found=found,
    )


def _refinement(settings: InvertSettings, cells: int) -> int | None:
    """Return the refinement that is asked for, None for auto."""
    asked = None if settings.refinement == "auto" else settings.refinement
    if not cells:
        return asked
    nx = settings.problem.cells.nx
    if cells % nx or asked not in (None, cells // nx):
        raise InputError(
            f"signals: found those of the first cells of a grid {cells} cells wide, which are half "
            f"such a cell from the edge, expected a map of nx = {cells} or a part of it, and "
            f"refinement auto; found nx = {nx}, refinement {settings.refinement}"
        )
    return cells // nx


def _prior(given: SearchPrior, settings: InvertSettings, start: Array) -> Prior:
    weight = given.weight or WEIGHTS.get(given.kind, 0.0)
    if given.kind == "tv":
        return TotalVariation(weight)
    if given.kind == "h1":
        return Smooth(weight)
    if given.kind == "none":
        return NoPrior()
    mean = start if given.mean is None else map_of(given.mean, settings.problem)
    spread = map_of(given.spread, settings.problem)
    _require_densities("prior.mean", mean)
    _require_densities("prior.spread", spread)
    return Gaussian(mean, spread, weight)


def _require_densities(name: str, values: Array) -> None:
    if not (np.isfinite(values) & (values > 0)).all():
        raise InputError(f"{name}: found values down to {values.min():g}, expected numbers > 0")
