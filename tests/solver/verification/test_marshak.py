"""Marshak waves reach as far, and bring as much heat, as the self-similar solution says."""

import numpy as np
import pytest

from opalux.solver.scheme import Feature
from opalux.solver.verification.marshak import CAPACITY, CONSTANTS, OPACITY, MarshakWave
from opalux.solver.verification.variants import FIRST, SECOND, STAGGERED, variants

BOUNDS = {FIRST: 0.04, SECOND: 0.004, STAGGERED: 0.004}  # on 25 cells, each σ h = 2.4 and more


@pytest.mark.parametrize("variant", variants(Feature.WALLS, Feature.EDDINGTON), ids=str)
@pytest.mark.parametrize("cold", [1e-3, 0.1])
def test_the_wave_goes_as_far_and_brings_as_much_heat_as_it_should(variant, cold):
    front, heat = MarshakWave(cold).front_and_heat(25, **variant.changes)
    assert abs(front - 1) <= BOUNDS[variant]
    assert abs(heat - 1) <= BOUNDS[variant]


@pytest.mark.parametrize("eddington", [1 / 3, 1.0])
@pytest.mark.parametrize("cold", [1e-3, 0.1])
def test_the_exact_profile_satisfies_the_diffusion_equation(cold, eddington):
    """What is in (ξ, ∞) came in there: K dT/dξ = −Q with Q = (ξ Δu + ∫ Δu dξ)/2 at ξ."""
    wave = MarshakWave(cold, eddington)
    xi = np.linspace(0, 0.3, 30001)
    T = wave.profile(xi)
    assert T[0] == pytest.approx(1, abs=1e-6)
    assert T[-1] == cold
    u = CAPACITY * (T - cold) + CONSTANTS.a * (T**4 - cold**4)
    beyond = (u.sum() - np.cumsum(u)) * (xi[1] - xi[0])
    flux = (xi * u + beyond) / 2
    K = 4 * CONSTANTS.a * eddington * CONSTANTS.c * T**6 / OPACITY
    inside = (T > 0.5) & (xi > 0.01)
    off = flux + K * np.gradient(T, xi)
    assert np.abs(off[inside]).max() < 2e-3 * flux.max()
