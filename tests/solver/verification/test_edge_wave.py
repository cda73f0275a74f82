"""Waves beside edges of every kind converge to the exact ones, where signals are read."""

import numpy as np
import pytest

from opalux.solver.scheme import Feature
from opalux.solver.verification.convergence import fitted_order
from opalux.solver.verification.edge_wave import KINDS, C, EdgeWave
from opalux.solver.verification.variants import variants

ASKED = Feature.WALLS, Feature.PERIODIC, Feature.VACUUM, Feature.EDDINGTON


@pytest.mark.parametrize("variant", variants(*ASKED), ids=str)
@pytest.mark.parametrize("eddington", [1.0, 1 / 3])
@pytest.mark.parametrize("kind", KINDS)
def test_signals_beside_an_edge_converge_at_the_order_of_the_scheme(kind, eddington, variant):
    wave, cells = EdgeWave(kind, eddington), (16, 32, 64)
    errors = [wave.errors(n, **variant.changes) for n in cells]
    for name in errors[0]:
        series = [e[name] for e in errors]
        assert fitted_order(cells, series) >= wave.lowest_order(variant), (name, series)
        assert series[-1] <= (0.06 if variant.order == 1 else 0.025), (name, series)


@pytest.mark.parametrize("kind", KINDS)
def test_the_wave_satisfies_the_equations(kind):
    wave = EdgeWave(kind, 1 / 3)
    x, t, d = np.linspace(0, 1, 7), np.linspace(0, wave.time, 7), 1e-5

    def slope(field: int, dx: float, dt: float) -> np.ndarray:
        high, low = (wave.exact(x + s * dx, t + s * dt)[field] for s in (1, -1))
        return (high - low) / (2 * d)

    E, F = 0, 1
    energy = slope(E, 0, d / C) + slope(F, d, 0)
    flux = slope(F, 0, d / C) + slope(E, d, 0) / 3 + wave.sigma * wave.exact(x, t)[F]
    assert np.abs(energy).max() < 1e-7
    assert np.abs(flux).max() < 1e-7
