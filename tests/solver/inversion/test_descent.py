"""L-BFGS within bounds, on functions whose minimum is known."""

import numpy as np
import pytest

from opalux.solver.inversion.descent import LONGEST, PAIRS, Pairs, Point, descend

N = 40
SCALES = np.logspace(0, 5, N)


def quadratic(centre, tried):
    def objective(z):
        tried.append(z)
        off = z - centre
        return 0.5 * float(SCALES @ off**2), SCALES * off

    return objective


def run(objective, metric, bounds=(-5.0, 5.0), start=0.0, steps=300):
    z = np.full(N, start)
    return descend(objective, Point(z, *objective(z)), bounds, metric, [], steps).z


def test_with_the_exact_metric_a_quadratic_takes_one_step_besides_its_length():
    tried: list[np.ndarray] = []
    centre = np.linspace(-0.9, 0.9, N)
    found = run(quadratic(centre, tried), SCALES)
    np.testing.assert_allclose(found, centre, atol=1e-12)
    np.testing.assert_allclose(tried[1], centre, atol=1e-12)


def test_without_any_metric_the_minimum_is_found_all_the_same():
    centre = np.linspace(-0.9, 0.9, N)
    found = run(quadratic(centre, []), np.ones(N), steps=1000)
    np.testing.assert_allclose(found, centre, atol=1e-3)


def test_entries_are_held_at_the_bounds_where_the_minimum_is_beyond():
    centre = np.linspace(-3, 3, N)
    tried: list[np.ndarray] = []
    found = run(quadratic(centre, tried), SCALES, bounds=(-1.0, 2.0))
    np.testing.assert_allclose(found, np.clip(centre, -1, 2), atol=1e-9)
    assert all((z >= -1).all() and (z <= 2).all() for z in tried)


def test_no_step_is_longer_than_allowed():
    tried: list[np.ndarray] = []
    run(quadratic(np.full(N, 4.0), tried), 1e-3 * SCALES)
    assert np.abs(np.diff(np.array(tried), axis=0)).max() <= LONGEST * (1 + 1e-12)


def test_a_curved_valley_is_followed_to_its_end():
    def rosenbrock(z):
        x, y = z
        value = (1 - x) ** 2 + 100 * (y - x**2) ** 2
        return value, np.array([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)])

    start = np.array([-1.2, 1.0])
    at = Point(start, *rosenbrock(start))
    found = descend(rosenbrock, at, (-4.0, 4.0), np.ones(2), [], 300)
    assert found.z == pytest.approx([1, 1], abs=1e-4)


def test_the_point_itself_is_returned_where_nothing_is_lower():
    objective = quadratic(np.zeros(N), [])
    at = Point(np.zeros(N), *objective(np.zeros(N)))
    assert descend(objective, at, (-1.0, 1.0), np.ones(N), [], 5) is at


def test_what_was_learnt_serves_the_next_steps():
    def after_slices(*, learnt):
        pairs, objective = Pairs(), quadratic(np.linspace(-0.9, 0.9, N), [])
        at = Point(np.zeros(N), *objective(np.zeros(N)))
        for _ in range(20):
            at = descend(objective, at, (-5.0, 5.0), np.ones(N), pairs if learnt else [], 8)
            assert len(pairs) <= PAIRS
        return at.value

    assert after_slices(learnt=True) < 0.3 * after_slices(learnt=False)
