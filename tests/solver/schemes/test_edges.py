"""What the edges mean as physics, for every scheme that knows them."""

import numpy as np
import pydantic
import pytest

from opalux.solver.domains.domain import SerialDomain
from opalux.solver.march import March, simulate
from opalux.solver.problem import Problem
from opalux.solver.scheme import Feature
from opalux.solver.scheme_catalogue import SCHEMES
from opalux.solver.verification.contrasts import Contrasts
from opalux.solver.verification.convergence import WALLS

A = 0.01372  # radiation constant of the default constants
VARIANTS = [
    (name, order)
    for name, scheme in SCHEMES.items()
    for order in scheme.orders
    if Feature.VACUUM not in scheme.refuses
]


def slab(scheme, order, eddington, tau, right, n=64):
    """A scattering slab of 1 cm and optical depth ``tau``, lit from the left, in steady state."""
    w = np.sqrt(eddington)
    return simulate(
        Problem.model_validate(
            {
                "scheme": scheme,
                "order": order,
                "grid": {"nx": n, "ny": 1, "y": (0, 1000.0)},
                "time": {"final": 0.2 if tau > 1 else 0.05, "cfl": 0.49 / w},
                "constants": {"eddington": eddington},
                "material": {"density": 1, "sigma_a": "0", "sigma_c": repr(tau)},
                "initial": {"E": "1e-9", "T": "0.01"},
                "edges": WALLS | {"left": {"kind": "vacuum", "T": repr(A**-0.25)}, "right": right},
            }
        )
    ).fields[:, 0]


@pytest.mark.parametrize(("scheme", "order"), VARIANTS)
@pytest.mark.parametrize("eddington", [1.0, 1 / 3])
@pytest.mark.parametrize("condition", ["mark", "marshak"])
@pytest.mark.parametrize("tau", [0.5, 5.0])
def test_a_slab_lets_out_what_p1_with_vacuum_edges_does(scheme, order, eddington, condition, tau):
    """E + F/w = 1 on the left, E = β F on the right, E falls by τ F/k between."""
    w = np.sqrt(eddington)
    beta = 1 / w if condition == "mark" else 2
    exact = 1 / (1 / w + beta + tau / eddington)
    E, Fx, _, _ = slab(scheme, order, eddington, tau, {"kind": "vacuum", "condition": condition})
    bound = 1e-2 if order == 1 and scheme == "consistent" else 1e-3
    assert np.abs(Fx / exact - 1).max() < bound
    assert abs((1.5 * E[-1] - 0.5 * E[-2]) / (beta * exact) - 1) < bound


@pytest.mark.parametrize(("scheme", "order"), VARIANTS)
@pytest.mark.parametrize("condition", ["mark", "marshak"])
def test_surroundings_of_the_same_temperature_change_nothing(scheme, order, condition):
    open_edge = {"kind": "vacuum", "condition": condition, "T": 5}
    problem = Problem(
        scheme=scheme,
        order=order,
        grid={"nx": 7, "ny": 9},
        time={"final": 0.01},
        material={"density": "1 + 4*x*y"},
        edges=dict.fromkeys(WALLS, open_edge),
    )
    fields = simulate(problem).fields
    assert np.abs(fields[0] / (A * 5**4) - 1).max() < 1e-12
    assert np.abs(fields[1:3]).max() < 1e-11
    assert np.abs(fields[3] / 5 - 1).max() < 1e-12


@pytest.mark.parametrize(("scheme", "order"), VARIANTS)
def test_vacuum_edges_only_ever_lose_energy(scheme, order):
    problem = Problem(
        scheme=scheme,
        order=order,
        grid={"nx": 12, "ny": 10},
        time={"final": 0.02},
        material={"density": "0.1 + 5*x"},
        edges={name: {"kind": "vacuum"} for name in WALLS},
    )
    march = March(problem, SerialDomain(problem))
    rho, C = march.rho[1:-1, 1:-1], problem.heat_capacity
    energies = []
    for _ in march.run(pauses=range(march.n_steps)):
        E, _, _, T = march.domain.state[:, 1:-1, 1:-1]
        energies.append((E + rho * C * T).sum())
    assert (np.diff(energies) < 0).all()


@pytest.mark.parametrize(("scheme", "order"), VARIANTS)
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("opacity", ["rho", "rho*T", "rho*T^-3"])
@pytest.mark.parametrize("flux", ["0", "free"])
def test_contrasts_of_a_million_from_cell_to_cell_focus_no_energy(
    scheme, order, seed, opacity, flux
):
    """E stays below 1.1 times that of the source, which is on the left alone.

    Where E alone is prescribed, the edge reflects: a thin cell before a thick one may then hold up
    to twice as much for a while (1.27 here on eight times finer grids).
    """
    highest = Contrasts(seed, opacity, flux).highest(scheme=scheme, order=order)
    assert highest <= (1.1 if flux == "0" else 2)


def test_temperatures_of_surroundings_may_vary_along_the_edge_and_in_time_only():
    for name, wrong in (("up", "y"), ("left", "x"), ("right", "rho")):
        with pytest.raises(pydantic.ValidationError, match=wrong):
            Problem(grid={"nx": 4}, edges={name: {"kind": "vacuum", "T": f"5 + {wrong}"}})
    Problem(grid={"nx": 4}, edges={"up": {"kind": "vacuum", "T": "5 + x*t"}})
