"""The search, on signals that are linear in the density, so that the answer is known."""

import dataclasses

import numpy as np
import pytest

from opalux.base.axes import EDGES
from opalux.solver.inversion.coupling import Coupling, Seen
from opalux.solver.inversion.forward import Forward
from opalux.solver.inversion.journal import Answer, Journal, Stopped
from opalux.solver.inversion.minimise import Minimiser
from opalux.solver.inversion.priors import Gaussian, NoPrior
from opalux.solver.inversion.rows import Rows
from opalux.solver.inversion.search import Search
from opalux.solver.inversion.uncertainty import uncertainty
from opalux.solver.inversion.unknown import Unknown
from opalux.solver.problem import Problem

N = 4  # cells along each side of the map
TRUTH = 1 + np.random.default_rng(5).random((N, N))


class Linear:
    """Signals of the upper edge that are a fixed matrix times the mean density of each block."""

    def __init__(self, problem, memory=0):
        self.n = problem.cells.nx
        self.times = np.linspace(0, 0.02, 12)
        self.times[-1] = 0.02
        self._r = self.n // N
        full = np.random.default_rng(9).standard_normal((12 * N, N * N))
        self._matrix = full + 1.0

    def _spread(self, values):
        out = {e: np.zeros((12, 4, self.n)) for e in EDGES}
        out["up"][:, 0] = np.repeat(values.reshape(12, N), self._r, axis=1)
        return out

    def simulate(self, rho):
        return self.push(rho)

    def push(self, rho):
        blocks = rho.reshape(N, self._r, N, self._r).mean((1, 3))
        return self._spread(self._matrix @ blocks.ravel())

    def pull(self, weights):
        given = weights["up"][:, 0].reshape(12, N, self._r).sum(2).ravel()
        blocks = (self._matrix.T @ given).reshape(N, N) / self._r**2
        return np.repeat(np.repeat(blocks, self._r, 0), self._r, 1)


def search(sigma=0.02, **changes):
    problem = Problem(scheme="staggered", signals={"at": "edge"}, grid={"nx": N, "ny": N})
    times = Linear(problem, 0).times[:-1]
    place = (np.arange(N) + 0.5) / N
    n = len(times) * N
    rows = Rows(
        source=np.full(n, "lamp"),
        edge=np.full(n, "up"),
        quantity=np.full(n, "E"),
        position=np.tile(place, len(times)),
        width=np.zeros(n),
        time=np.repeat(times, N),
        value=np.zeros(n),
        sigma=np.full(n, sigma),
    )
    noise = sigma * np.random.default_rng(4).standard_normal(n)
    exact = Forward({"lamp": problem}, rows, 1, Linear).values(TRUTH)
    rows.value[:] = exact + noise
    return Search(
        **{
            "problems": {"lamp": problem},
            "rows": rows,
            "unknown": Unknown((N, N), (0.1, 10.0)),
            "prior": NoPrior(),
            "start": np.full((N, N), 1.5),
            "make": Linear,
            "refinement": 1,
            "corrects": False,
            **changes,
        }
    )


def test_the_map_of_linear_signals_is_found_and_explains_them():
    found = Minimiser(search(), Journal()).run()
    assert np.abs(found.density - TRUTH).max() < 0.05
    assert 0.3 < found.chi2 < 1.0  # 44 values, 16 unknowns


def test_no_more_gradients_are_taken_than_allowed():
    found = Minimiser(search(steps=7), Journal()).run()
    assert len(found.history) <= 7


@pytest.mark.parametrize("kept", [0, 1, 9])
def test_a_search_that_was_stopped_goes_on_to_the_same_bits(kept):
    whole, answers, more = list[Answer](), list[Answer](), list[Answer]()
    expected = Minimiser(search(), Journal(keep=whole.append)).run()
    stopping = Journal(stop=lambda: len(answers) == kept, keep=answers.append)
    with pytest.raises(Stopped):
        Minimiser(search(), stopping).run()
    found = Minimiser(search(), Journal(iter(answers), keep=more.append)).run()
    np.testing.assert_array_equal(found.density, expected.density)
    np.testing.assert_array_equal(found.history, expected.history)
    assert len(answers) + len(more) == len(whole)


def spread_of(given, coupling, gains, samples=0):
    """Return the spread at the truth with a prior of 0.2, and the exact H and P of log ρ."""
    prior = Gaussian(TRUTH, np.full((N, N), 0.2))
    model = Forward(given.problems, given.rows, 1, Linear)
    seen = Seen(model.values(TRUTH), given.rows.sigma, coupling, gains)
    found = uncertainty(model, TRUTH, seen, prior, given.unknown, 10, Journal(), samples)
    flat, (low, high) = TRUTH.ravel(), np.log(given.unknown.bounds)
    J = np.stack([model.push(one.reshape(N, N)) for one in np.eye(N * N)], 1) * flat
    P = np.diag(flat**2 / 0.04 + 12 / (high - low) ** 2)
    return found, seen, coupling.of_rows(gains)[:, None] * J, P


def few():
    """Return a search in which eight directions hold all that the data say."""
    given = search(sigma=0.5)
    given.rows.sigma[8:] = 1e6
    return given


def test_the_spread_of_linear_signals_is_the_exact_one():
    given = few()
    found, _, J, P = spread_of(given, Coupling.none(len(given.rows)), np.ones(0))
    H = J.T @ (J / given.rows.sigma[:, None] ** 2)
    exact = np.sqrt(np.diag(np.linalg.inv(H + P))) * TRUTH.ravel()
    np.testing.assert_allclose(found.spread.ravel(), exact, rtol=0.01)
    assert (found.eigenvalues[:8] > 100 * found.eigenvalues[8]).all()


def test_samples_have_the_covariance_of_the_posterior():
    given = few()
    found, _, J, P = spread_of(given, Coupling.none(len(given.rows)), np.ones(0), samples=4000)
    exact = np.linalg.inv(J.T @ (J / given.rows.sigma[:, None] ** 2) + P)
    drawn = np.log(found.samples.reshape(len(found.samples), -1) / TRUTH.ravel())
    np.testing.assert_allclose(np.cov(drawn.T), exact, atol=0.06 * exact.max())


def test_unknown_gains_widen_the_spread_as_unknowns_of_their_own():
    given = few()
    coupling = Coupling(("even", "odd"), np.arange(len(given.rows)) % 2, np.ones(2), 0.1)
    found, seen, J, P = spread_of(given, coupling, np.array([1.05, 0.9]))
    groups = seen.values[:, None] * (coupling.group[:, None] == np.arange(2))
    both = np.hstack([J, groups]) / given.rows.sigma[:, None]
    known = np.zeros((N * N + 2, N * N + 2))
    known[: N * N, : N * N] = P
    known[N * N :, N * N :] = np.eye(2) / 0.1**2
    exact = np.sqrt(np.diag(np.linalg.inv(both.T @ both + known)))
    np.testing.assert_allclose(found.spread.ravel(), exact[:-2] * TRUTH.ravel(), rtol=0.01)
    np.testing.assert_allclose(found.gain_spread, exact[-2:], rtol=0.01)


def test_gains_are_found_with_the_map():
    given = search(steps=400)
    coupling = Coupling(("even", "odd"), np.arange(len(given.rows)) % 2, np.ones(2), 0.1)
    given.rows.value[:] *= np.array([1.0, 1.2])[coupling.group]
    alone = Minimiser(given, Journal()).run()
    found = Minimiser(dataclasses.replace(given, coupling=coupling), Journal()).run()
    assert alone.chi2 > 10 * found.chi2
    assert found.gains[1] / found.gains[0] == pytest.approx(1.2, rel=0.02)
