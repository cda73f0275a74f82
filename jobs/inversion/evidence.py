"""What the solver says of a map: the signals that it leaves unexplained, and the misfit's slope."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.jobs.inversion.metrics import LOWEST
from opalux.jobs.sampling.campaign import Campaign
from opalux.jobs.sampling.recorder import Recorder
from opalux.jobs.sampling.sample import simulate_sources
from opalux.learning.data.layout import Layout
from opalux.solver.gradient import SignalGradient

Array = NDArray[np.float32]


class Evidence(NamedTuple):
    """See the module's description.

    Attributes
    ----------
    residual : (S, E, Q, T, N) measured − simulated, in standard deviations of each channel; NaN
        where nothing was measured
    slope : (Y, X) derivative of ½ Σ (residual / noise)² by the logarithm of the density
    """

    residual: Array
    slope: Array


class Witness:
    """Simulates maps as a campaign does, and takes the misfit back to the map.

    The way back is taken on the map's own grid, where it costs an eighth of that on a grid twice as
    fine: who learns from slopes learns what is wrong with them, too.

    Parameters
    ----------
    campaign : that the signals are of
    layout : of the signals
    std : (S, E, Q) standard deviation of each channel
    ends : (S, 2) where each source starts and stops [cm]

    Raises
    ------
    InputError
        When the campaign's physics has no gradient.
    """

    def __init__(
        self,
        campaign: Campaign,
        layout: Layout,
        std: NDArray[np.floating],
        ends: NDArray[np.float64],
    ) -> None:
        own_grid = campaign.model_copy(update={"refinement": 1})
        self._simulators = [
            SignalGradient(problem.model_copy(update={"detectors": ()}))
            for problem in own_grid.problems(ends)
        ]
        steps = self._simulators[0].times
        self._campaign = campaign
        self._recorder = Recorder(steps, campaign.times, campaign.quantities, 1)
        self._layout, self._ends = layout, ends
        self._std = std.astype(np.float64)[..., None, None]

    def __call__(
        self, density: Array, given: Array, noise: float, seen: Array | None = None
    ) -> Evidence:
        """Return what the solver says of a map.

        Parameters
        ----------
        density : (Y, X) [g/cm³]
        given : (S, E, Q, T, N) signals; NaN where nothing was measured
        noise : standard deviation of the noise, relative to each channel's own, above 0
        seen : (S, E, Q, N, N) how detectors see the cells; None: as they are
        """
        rho = np.maximum(density, LOWEST)
        again = simulate_sources(self._campaign, rho, self._ends)
        if seen is not None:
            again = np.einsum("seqtn,seqmn->seqtm", again, seen)
        known = np.isfinite(given) & self._layout.on_edges
        residual = np.where(known, (given - again) / self._std, 0.0)
        weights = -residual / (noise**2 * self._std)
        if seen is not None:
            weights = np.einsum("seqtm,seqmn->seqtn", weights, seen)
        slope, precise = np.zeros(rho.shape), rho.astype(np.float64)
        for simulator, own, measured in zip(self._simulators, weights, known, strict=True):
            if measured.any():
                signals = simulator.simulate(precise)
                slope += simulator.pull(self._recorder.pull(own, signals))
        return Evidence(
            np.where(known, residual, np.nan).astype(np.float32), (slope * rho).astype(np.float32)
        )


def witness_of(
    campaign: Campaign | None,
    layout: Layout,
    std: NDArray[np.floating],
    times: NDArray[np.float64],
    ends: NDArray[np.float64] | None,
) -> Witness:
    """Return what simulates the maps of a network; see `Witness`.

    ``times`` : of the signals that the network takes; those of the campaign

    Raises
    ------
    InputError
        When the network's signals cannot be simulated again, with a gradient.
    """
    if campaign is None or ends is None:
        raise InputError(
            "correction: found a network whose training data were not simulated here, or whose "
            "sources are not known, expected data of `opalux sample`; use the network alone"
        )
    if not np.array_equal(campaign.times, times):
        raise InputError(
            f"correction: found a network that takes {len(times)} times, expected the "
            f"{len(campaign.times)} of its data; train it with data.n_times=null"
        )
    return Witness(campaign, layout, std, ends)
