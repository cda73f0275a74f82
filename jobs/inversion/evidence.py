"""What the solver says of a map: the signals that it leaves unexplained, and the misfit's slope."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.jobs.inversion.metrics import LOWEST
from opalux.jobs.sampling.campaign import Campaign
from opalux.jobs.sampling.sample import on_solved_grid
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
    """Simulates maps as a campaign does, with the exact gradient.

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
        problems = [
            problem.model_copy(update={"detectors": ()}) for problem in campaign.problems(ends)
        ]
        self._simulators = [SignalGradient(problem) for problem in problems]
        self._campaign, self._layout = campaign, layout
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
        rho = on_solved_grid(self._campaign, np.maximum(density, LOWEST))
        recorder, refinement = self._campaign.recorder, self._campaign.refinement
        known = np.isfinite(given) & self._layout.on_edges
        residual, slope = np.zeros(given.shape), np.zeros(rho.shape)
        for s, simulator in enumerate(self._simulators):
            if not known[s].any():
                continue
            signals = simulator.simulate(rho)
            again = np.zeros(given.shape[1:])
            recorder.add(again, {edge: signals[edge] for edge in EDGES}, 0)
            if seen is not None:
                again = np.einsum("eqtn,eqmn->eqtm", again, seen[s])
            residual[s] = np.where(known[s], (given[s] - again) / self._std[s], 0.0)
            weights = -residual[s] / (noise**2 * self._std[s])
            if seen is not None:
                weights = np.einsum("eqtm,eqmn->eqtn", weights, seen[s])
            slope += simulator.pull(recorder.pull(weights, signals))
        slope *= rho
        ny, nx = density.shape
        of_cells = slope.reshape(ny, refinement, nx, refinement).sum((1, 3))
        return Evidence(
            np.where(known, residual, np.nan).astype(np.float32), of_cells.astype(np.float32)
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
