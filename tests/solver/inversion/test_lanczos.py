"""Variances by a part of all directions: an upper bound that only falls, and exact in the end."""

import numpy as np
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from opalux.solver.inversion.lanczos import ENOUGH, harmonic_pairs

N = 12


def pencil(seed, rank):
    """Return a data part of some rank, a prior's precision, and a first direction."""
    rng = np.random.default_rng(seed)
    J = rng.standard_normal((rank, N)) * np.geomspace(30, 1, rank)[:, None]
    Q, _ = np.linalg.qr(rng.standard_normal((N, N)))
    return J.T @ J, Q @ np.diag(np.geomspace(0.1, 10, N)) @ Q.T, rng.standard_normal(N)


def found(H, P, start, steps):
    """Return values, vectors and the number of products."""
    asked = []

    def product(v):
        asked.append(v)
        return H @ v

    def solve(v):
        return np.linalg.solve(P, v)

    values, vectors = harmonic_pairs(product, sp.csc_matrix(P), solve, start, steps)
    assert len(values) == vectors.shape[1] <= len(asked) <= steps
    return values, vectors


def variances(P, values, vectors):
    return np.diag(np.linalg.inv(P)) - (vectors**2 * (values / (1 + values))).sum(1)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, N), st.integers(1, N))
def test_variances_are_an_upper_bound_that_falls_until_it_is_exact(seed, rank, steps):
    H, P, start = pencil(seed, rank)
    values, w = found(H, P, start, steps)
    np.testing.assert_allclose(w.T @ P @ w, np.eye(w.shape[1]), atol=1e-9)
    assert (np.diff(values) <= 0).all()
    exact = np.diag(np.linalg.inv(H + P))
    here = variances(P, values, w)
    assert (here >= exact * (1 - 1e-5)).all()
    fewer = variances(P, *found(H, P, start, max(1, steps - 1)))
    assert (here <= fewer * (1 + 1e-5)).all()
    if steps >= rank:  # all that the data say
        np.testing.assert_allclose(here, exact, rtol=1e-5)


def test_data_that_say_little_are_not_asked_for_more():
    _, P, start = pencil(1, 3)
    for share in (0.0, 1e-3):
        values, _ = found(share * P, P, start, N)
        assert len(values) == (share > 0)  # any direction is an eigenvector
    _, P, start = pencil(2, N)
    H, _, _ = pencil(3, N)
    values, _ = found(1e-3 * H / np.trace(H), P, start, N)
    assert len(values) == ENOUGH
    assert values[0] < 0.05
