"""Refining a network's map: searches from it and from a flat map, of which the better is kept."""

import dataclasses
import time
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from opalux.jobs.measured.inversion import Inverted, Plan, assessed
from opalux.solver.inversion.journal import Journal
from opalux.solver.inversion.judge import Judge
from opalux.solver.inversion.minimise import Minimiser
from opalux.solver.inversion.priors import Both, Prior
from opalux.solver.inversion.search import Found

Array = NDArray[np.float64]
Name = Literal["network", "refined", "physics"]
"""The network's own map; the search from it, with it as prior; the search from a flat map."""

FIRST = 2  # refinement on which the network's map is judged first, where that is not said

MakePrior = Callable[[float], Prior | None]
"""Gives the prior around the network's map for the χ² of that map; None: it says nothing."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Refined:
    """Three maps, judged alike, and the one that is kept.

    Attributes
    ----------
    inverted : the kept map, its spread and what it explains, as of ``opalux invert``
    kept : its name
    maps : (ny, nx) [g/cm³] by name
    chi2 : of each, on the same grid, corrected for its error
    seconds : of CPU that each search took
    """

    inverted: Inverted
    kept: Name
    maps: dict[Name, Array]
    chi2: dict[Name, float]
    seconds: dict[Name, float]

    def __repr__(self) -> str:
        values = ", ".join(f"{name} {value:.3g}" for name, value in self.chi2.items())
        return f"<Refined: kept {self.kept}; χ² {values}>"


def search_both(
    plan: Plan,
    network: Array,
    prior: MakePrior,
    journal: Journal,
    told: Callable[[int, float, int], None] = lambda *_: None,
) -> Refined:
    """Search from the network's map and from a flat one, and keep the map with the lowest χ².

    The network's own map is among them, so that the result never explains the data worse.

    Parameters
    ----------
    plan : of an inversion from the flat map
    network : (ny, nx) the network's map [g/cm³]
    prior : see `MakePrior`
    journal : of what was computed
    told : see `Minimiser`

    Raises
    ------
    Stopped
        When the journal's owner asked to stop.
    """
    search = plan.search
    network = search.unknown.density(search.unknown.inside(network))
    judge = Judge(search, journal)
    around = prior(judge(network, search.refinement or FIRST).chi2)
    priors: dict[Name, Prior] = {
        "refined": search.prior if around is None else Both(around, search.prior),
        "physics": search.prior,
    }
    starts: dict[Name, Array] = {"refined": network, "physics": search.start}
    found: dict[Name, Found] = {}
    seconds: dict[Name, float] = {}
    for name, start in starts.items():
        began = time.process_time()
        own = dataclasses.replace(search, start=start, prior=priors[name])
        found[name] = Minimiser(own, journal, told).run()
        seconds[name] = time.process_time() - began
    finest = max(one.refinement for one in found.values())
    maps: dict[Name, Array] = {"network": network, **{k: v.density for k, v in found.items()}}
    judged = {name: judge(rho, finest) for name, rho in maps.items()}
    kept = min(judged, key=lambda name: judged[name].chi2)
    best = judged[kept]
    history = np.concatenate([one.history for one in found.values()])
    best = dataclasses.replace(best, history=history)
    inverted = assessed(plan, best, judge.model, priors.get(kept, priors["refined"]), journal)
    return Refined(
        inverted=inverted,
        kept=kept,
        maps=maps,
        chi2={name: one.chi2 for name, one in judged.items()},
        seconds=seconds,
    )
