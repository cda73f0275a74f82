"""How well a reconstruction explains its signals, and how well a network's usually do."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from opalux.base.axes import depths
from opalux.base.errors import InputError
from opalux.base.progress import Progress
from opalux.jobs.inversion.metrics import LOWEST, data_misfit
from opalux.jobs.inversion.trained import Trained
from opalux.jobs.sampling.campaign import Campaign
from opalux.jobs.sampling.sample import simulate_sources
from opalux.learning.data.layout import Layout
from opalux.learning.data.measurement import Measurement
from opalux.learning.data.resampler import resample

Array = NDArray[np.float32]
Answer = Callable[[Array], tuple[Array, Array | None]]
NORMAL = 0.9
"""Share of held-out maps whose misfit is called normal."""
WITHIN = 0.683
"""Share of the cells that lie within one spread, as of a Gaussian."""
FEWEST = 4
"""Maps from which on errors are a measure of anything."""
BANDS = 4

Ends = NDArray[np.float64]
"""Where each source starts and stops, (sources, 2) [cm]."""


@dataclasses.dataclass(frozen=True, eq=False)
class Fit:
    """Signals beside those of a density that was simulated as the training data were.

    Attributes
    ----------
    layout : of both
    times : (n_times,) [sh]
    given, again : (sources, edges, quantities, n_times, n_cells); given: NaN where not known
    sigma : (sources, edges, quantities, 1, 1) standard deviation of the noise; None: not known
    """

    layout: Layout
    times: NDArray[np.float64]
    given: Array
    again: Array
    sigma: NDArray[np.floating] | None = None

    @property
    def _known(self) -> NDArray[np.bool_]:
        return np.isfinite(self.given) & self.layout.everything

    @property
    def misfit(self) -> float:
        """‖F(ρ̂)−d‖/‖d‖ over what is known."""
        return data_misfit(self.again[self._known], self.given[self._known])

    @property
    def chi2(self) -> float | None:
        """Mean squared residual in standard deviations of the noise; None: that is not known."""
        if self.sigma is None:
            return None
        far = ((self.again - self.given) / self.sigma)[self._known]
        return float(np.mean(far.astype(np.float64) ** 2))


def fit_of(
    trained: Trained,
    signals: Array,
    density: Array,
    ends: Ends | None,
    noise: float = 0.0,
    seen: Array | None = None,
) -> Fit | None:
    """Simulate a density as the training data were, and set it beside the signals.

    Parameters
    ----------
    signals : (sources, edges, quantities, n_times, n_cells) on the network's grid; NaN: not known
    density : (ny, nx) [g/cm³]
    ends : of the sources; None: not known
    noise : standard deviation, relative to each channel's own; 0: not known
    seen : how detectors see the cells, see `opalux.jobs.inversion.given.seen_by_detectors`

    Returns
    -------
    Both; None when the network's data were not simulated here, or the sources are not known.
    """
    if trained.campaign is None or ends is None:
        return None
    again = _simulated(trained, trained.campaign, np.maximum(density, LOWEST), ends)
    sigma = noise * trained.channels[1][..., None, None] if noise > 0 else None
    return Fit(trained.layout, trained.times, signals, _seen(again, seen), sigma)


@dataclasses.dataclass(frozen=True, eq=False)
class HeldOut:
    """How well networks do on maps that were held out from training.

    Attributes
    ----------
    misfit : data misfit that `NORMAL` of them stay below
    chi2 : likewise χ²; None: the noise is not known
    scale : (depths,) by which the deviation of several answers is multiplied to be a spread, within
        which `WITHIN` of the cells at each distance from the edge lie; None: of a single answer
    """

    misfit: float
    scale: NDArray[np.float64] | None
    chi2: float | None = None

    def spread(self, deviation: Array | None) -> Array | None:
        """Return the calibrated spread (ny, nx) of a map [g/cm³]."""
        if deviation is None or self.scale is None:
            return None
        return (self.scale[depths(deviation.shape)] * deviation).astype(np.float32)


def held_out(
    trained: Trained,
    answer: Answer,
    known: NDArray[np.bool_],
    maps: int,
    noise: float,
    seen: Array | None = None,
) -> HeldOut | None:
    """Return how well networks do on so many densities that they were not trained on.

    They are those of its own validation and test sets, evenly chosen, and are simulated again from
    the campaign that the checkpoint keeps.

    Parameters
    ----------
    answer : gives density and deviation for signals, NaN where they are not known
    known : (sources, edges, quantities, n_times, n_cells) what the network is given
    maps : 0: nothing is simulated
    noise : is added to their signals, relative to each channel's standard deviation
    seen : how detectors see the cells

    Returns
    -------
    None where there are no such densities, or they cannot be drawn here.
    """
    campaign = trained.campaign
    if campaign is None:
        return None
    numbers = range(campaign.splits.train, campaign.splits.total)
    maps = min(maps, len(numbers))
    chosen = np.unique(np.linspace(0, max(len(numbers) - 1, 0), maps).astype(int))
    fits, far = list[Fit](), list[Array]()
    draw, sigma = np.random.default_rng(campaign.seed), noise * trained.channels[1][..., None, None]
    with Progress("simulating maps that were held out", len(chosen)) as progress:
        for place in chosen:
            try:
                drawn = campaign.draw(numbers[int(place)])
                signals = _simulated(trained, campaign, drawn.density, drawn.sources)
                signals = _seen(signals, seen)
                signals += sigma * draw.standard_normal(signals.shape, dtype=np.float32)
                given = np.where(known, signals, np.float32(np.nan))
                found, deviation = answer(given)
                fit = fit_of(trained, given, found, drawn.sources, noise, seen)
            except (InputError, ArithmeticError, OSError):  # its maps are gone, or it is bad
                continue
            if fit is not None:
                fits.append(fit)
            if deviation is not None:
                far.append(np.abs(found - drawn.density) / np.maximum(deviation, LOWEST))
            progress.advance()
    if not fits:
        return None
    return HeldOut(
        _normal([one.misfit for one in fits]),
        _scale(np.stack(far)) if len(far) >= FEWEST else None,
        _normal([one.chi2 for one in fits if one.chi2 is not None]) if noise else None,
    )


def _normal(values: list[float]) -> float:
    """Return what `NORMAL` of the values stay below: the largest may be that of a freak."""
    return float(np.quantile(values, NORMAL, method="higher"))


def _scale(far: Array) -> NDArray[np.float64]:
    """Return the scale at each depth from errors (n, ny, nx) in units of the deviation.

    Each is from the cells of about a quarter of the depths, so that few maps are enough.
    """
    depth = depths(far.shape[1:])
    reach = max(1, (depth.max() + 1) // BANDS) / 2
    return np.array(
        [np.quantile(far[:, np.abs(depth - d) <= reach], WITHIN) for d in range(depth.max() + 1)]
    )


def ends_of(campaign: Campaign | None, measurements: Sequence[Measurement] = ()) -> Ends | None:
    """Return where the sources are; None where that varies and the files do not say it."""
    if campaign is None:
        return None
    ends = campaign.draw_sources(0)
    for number, (name, place) in enumerate(
        zip(campaign.source_names, campaign.sources, strict=True)
    ):
        if place.start[0] == place.start[1] and (
            place.width is None or place.width[0] == place.width[1]
        ):
            continue
        given = next((one for one in measurements if one.source == name), None)
        if given is None:
            if measurements:
                continue  # not measured, so not compared
            return None
        if given.physics is None:
            return None
        pulse = given.physics["edges"][place.edge]["sources"][0]
        low, high = place.span(campaign.problem.cells)
        ends[number] = (
            low if pulse.get("start") is None else pulse["start"],
            high if pulse.get("stop") is None else pulse["stop"],
        )
    return ends


def _seen(signals: Array, seen: Array | None) -> Array:
    """Return signals (S, E, Q, T, N) as detectors would give them to the network."""
    return signals if seen is None else np.einsum("seqtn,seqmn->seqtm", signals, seen)


def _simulated(trained: Trained, campaign: Campaign, density: Array, ends: Ends) -> Array:
    simulated = simulate_sources(campaign, density.astype(np.float32), ends)
    return resample(simulated, campaign.times, trained.times).astype(np.float32)
