"""L-BFGS within bounds, on functions whose minimum is known."""

import numpy as np
import pytest

from opalux.solver.inversion.descent import LONGEST, descend

N = 40
SCALES = np.logspace(0, 5, N)


def quadratic(centre, tried):
    def objective(z):
        tried.append(z)
        off = z - centre
        return 0.5 * float(SCALES @ off**2), SCALES * off

    return objective


def run(objective, metric, bounds=(-5.0, 5.0), start=0.0):
    return descend(objective, np.full(N, start), bounds, metric, renew=5, flat=0.0)


def test_with_the_exact_metric_a_quadratic_takes_one_step_besides_its_length():
    tried: list[np.ndarray] = []
    centre = np.linspace(-0.9, 0.9, N)
    found = run(quadratic(centre, tried), lambda _: SCALES)
    np.testing.assert_allclose(found, centre, atol=1e-12)
    np.testing.assert_allclose(tried[1], centre, atol=1e-12)


def test_without_any_metric_the_minimum_is_found_all_the_same():
    centre = np.linspace(-0.9, 0.9, N)
    found = run(quadratic(centre, []), np.ones_like)
    np.testing.assert_allclose(found, centre, atol=1e-3)


def test_entries_are_held_at_the_bounds_where_the_minimum_is_beyond():
    centre = np.linspace(-3, 3, N)
    tried: list[np.ndarray] = []
    found = run(quadratic(centre, tried), lambda _: SCALES, bounds=(-1.0, 2.0))
    np.testing.assert_allclose(found, np.clip(centre, -1, 2), atol=1e-9)
    assert all((z >= -1).all() and (z <= 2).all() for z in tried)


def test_no_step_is_longer_than_allowed():
    tried: list[np.ndarray] = []
    run(quadratic(np.full(N, 4.0), tried), lambda _: 1e-3 * SCALES)
    assert np.abs(np.diff(np.array(tried), axis=0)).max() <= LONGEST * (1 + 1e-12)


def test_a_curved_valley_is_followed_to_its_end():
    def rosenbrock(z):
        x, y = z
        value = (1 - x) ** 2 + 100 * (y - x**2) ** 2
        return value, np.array([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)])

    found = descend(
        rosenbrock, np.array([-1.2, 1.0]), (-4.0, 4.0), np.ones_like, renew=1000, flat=0.0
    )
    assert found == pytest.approx([1, 1], abs=1e-4)


def test_the_start_is_returned_where_nothing_is_lower():
    start = np.zeros(N)
    found = descend(quadratic(start, []), start, (-1.0, 1.0), np.ones_like, renew=5, flat=0.0)
    np.testing.assert_array_equal(found, start)
