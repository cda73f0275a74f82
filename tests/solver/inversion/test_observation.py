"""What detectors see of signals, and its transpose."""

import numpy as np
import pytest

from opalux.base.axes import EDGES
from opalux.solver.grid import Grid
from opalux.solver.inversion.observation import Observation
from opalux.solver.inversion.rows import QUANTITIES, Rows

GRID = Grid(nx=6, ny=5, x=(0.0, 1.2), y=(-0.5, 0.5))
TIMES = np.linspace(0.0, 0.01, 9)
CELLS = {"up": 6, "down": 6, "left": 5, "right": 5, "detectors": 6}


def rows(n=60, seed=0, **fixed):
    rng = np.random.default_rng(seed)
    edge = rng.choice(EDGES, n)
    along_x = np.isin(edge, ("up", "down"))
    u = rng.uniform(0.1, 0.9, n)
    filled = {
        "source": np.full(n, "lamp"),
        "edge": edge,
        "quantity": rng.choice(QUANTITIES, n),
        "position": np.where(along_x, 1.2 * u, u - 0.5),
        "width": rng.choice([0.0, 0.15], n),
        "time": rng.uniform(0, 0.01, n),
        "value": np.zeros(n),
        "sigma": np.ones(n),
    }
    filled |= {k: np.full(n, v) for k, v in fixed.items()}
    # A third of them inside the domain, on three detectors.
    inside = (rng.random(n) < 0.3) & (filled["quantity"] != "Fn") if "edge" not in fixed else False
    filled["edge"] = np.where(inside, "", filled["edge"])
    filled["x"] = np.where(inside, rng.choice([0.2, 0.6, 0.7], n), 0.0)
    return Rows(**filled)


def signals(seed=1):
    rng = np.random.default_rng(seed)
    return {key: rng.standard_normal((9, 4, cells)) for key, cells in CELLS.items()}


def dot(one, other):
    return sum(float((one[edge] * other[edge]).sum()) for edge in one.keys() & other.keys())


def test_pull_is_the_transpose_of_push():
    seen = Observation(rows(), GRID, TIMES)
    seen.values(signals())
    changes, weights = signals(2), np.random.default_rng(3).standard_normal(60)
    assert seen.push(changes) @ weights == pytest.approx(dot(seen.pull(weights), changes))


def test_push_is_the_derivative_of_the_values():
    seen = Observation(rows(), GRID, TIMES)
    base, changes, h = signals(), signals(2), 1e-5
    moved = [
        seen.values({e: base[e] + sign * h * changes[e] for e in CELLS}) for sign in (1.0, -1.0)
    ]
    seen.values(base)
    np.testing.assert_allclose(seen.push(changes), (moved[0] - moved[1]) / (2 * h), atol=1e-7)


def test_a_flux_of_zero_has_the_subgradient_zero():
    seen = Observation(rows(quantity="F"), GRID, TIMES)
    zero = {edge: np.zeros((9, 4, CELLS[edge])) for edge in CELLS}
    assert not seen.values(zero).any()
    assert not any(bar.any() for bar in seen.pull(np.ones(60)).values())


@pytest.mark.parametrize("width", [0.0, 0.2])
@pytest.mark.parametrize("edge", EDGES)
def test_signals_that_are_linear_in_place_and_time_are_seen_exactly(edge, width):
    given = rows(edge=edge, quantity="E", width=width)
    inside = (given.position > width / 2 - 0.5) & (given.position < 1.2 - width / 2)
    low, high = (0.0, 1.2) if CELLS[edge] == 6 else (-0.5, 0.5)
    place = low + (np.arange(CELLS[edge]) + 0.5) * (high - low) / CELLS[edge]
    made = {e: np.zeros((9, 4, CELLS[e])) for e in CELLS}
    made[edge][:, 0] = 2 + 300 * TIMES[:, None] - 3 * place
    values = Observation(given, GRID, TIMES).values(made)
    expected = 2 + 300 * given.time - 3 * given.position
    np.testing.assert_allclose(values[inside], expected[inside], rtol=1e-12)


def test_the_normal_flux_points_out_of_the_domain():
    made = {edge: np.zeros((9, 4, CELLS[edge])) for edge in CELLS}
    for edge in EDGES:
        made[edge][:, 1], made[edge][:, 2] = 1.0, 2.0
    given = rows(quantity="Fn")
    values = Observation(given, GRID, TIMES).values(made)
    out = {"up": 2.0, "down": -2.0, "left": -1.0, "right": 1.0}
    np.testing.assert_allclose(values, [out[edge] for edge in given.edge], rtol=1e-12)
