"""The time loop does for many sources what it does for one."""

import numpy as np
import pytest

from opalux.solver.domains.domain import SerialDomain
from opalux.solver.march import March, simulate
from opalux.solver.problem import Problem

RHO = np.random.default_rng(1).uniform(0.5, 5, (9, 12))
LEFT = {"left": {"kind": "source"}}
UP = {"up": {"kind": "source", "sources": [{"start": 0.2, "stop": 0.6}], "T": "5 + x"}}


def problem_with(edges, **settings):
    return Problem.model_validate(
        {"grid": {"nx": 12, "ny": 9}, "time": {"final": 0.002}, "edges": edges} | settings
    )


@pytest.mark.parametrize(
    "settings",
    [{}, {"scheme": "published"}, {"order": 2}, {"dtype": "float32"}],
    ids=["consistent", "published", "second order", "float32"],
)
def test_a_restart_with_other_edges_gives_the_bits_of_a_new_march(settings):
    settings = settings | {"initial": {"E": "8 + x*y", "T": "4 + y"}}
    walls = {} if settings.get("scheme") == "published" else {"down": {"kind": "wall"}}
    first = problem_with(LEFT, **settings)
    march = March(first, SerialDomain(first), RHO)
    for edges in (LEFT, UP | walls, LEFT):
        problem = problem_with(edges, **settings)
        march.restart(problem.edges)
        signals = [chunk.signals for chunk in march.run()]
        alone = simulate(problem, RHO)
        assert np.array_equal(march.domain.state[:, 1:-1, 1:-1], alone.fields)
        for edge, expected in alone.signals.items():
            assert np.array_equal(np.concatenate([s[edge] for s in signals]), expected)


def test_a_restart_refuses_edges_that_are_periodic_anew():
    problem = problem_with(LEFT)
    march = March(problem, SerialDomain(problem), RHO)
    around = problem_with({"up": {"kind": "periodic"}, "down": {"kind": "periodic"}})
    with pytest.raises(ValueError, match="found edges periodic"):
        march.restart(around.edges)
