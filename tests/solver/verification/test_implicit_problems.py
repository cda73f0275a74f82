"""Exact problems of implicit steps, on coarse grids: orders, diffusion, the balance of energy."""

import numpy as np
import pytest

from opalux.jobs.verification.implicit import METHODS, PULSE, STEPS, steps, time_errors
from opalux.solver.verification.closed_box import ClosedBox
from opalux.solver.verification.convergence import fitted_order
from opalux.solver.verification.plane_wave import C, PlaneWave


@pytest.mark.parametrize("accuracy", METHODS)
def test_the_order_in_time_of_a_damped_wave_is_that_asked_for(accuracy: int) -> None:
    errors = time_errors(accuracy)
    assert fitted_order(STEPS, errors) == pytest.approx(accuracy, abs=0.1), errors


def test_the_wave_of_the_mesh_is_what_explicit_steps_converge_to() -> None:
    wave = PlaneWave(sigma=4.0, eddington=1 / 3)
    assert wave.time_error(16, time={"final": wave.time, "cfl": 0.02}) < 1e-6
    assert abs(wave.staggered_amplitude(16) - wave.amplitude()) > 1e-3


def test_a_pulse_in_a_thick_medium_is_a_wider_gaussian() -> None:
    n = 32
    wider = PULSE.width**2 + 2 * C / (3 * PULSE.sigma) * PULSE.time
    x = (np.arange(n) + 0.5) / n - 0.5
    gaussian = PULSE.width**2 / wider * np.exp(-(x**2 + x[:, None] ** 2) / (2 * wider))
    np.testing.assert_allclose(PULSE.exact(n), gaussian, atol=1e-6)


def test_a_pulse_diffuses_at_second_order_in_space() -> None:
    errors = [PULSE.error(n, **steps(PULSE.time, 1e-4)) for n in (16, 32)]
    assert np.log2(errors[0] / errors[1]) > 1.8, errors


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4])
def test_energy_is_kept_to_a_hundredth_of_the_tolerance(tolerance: float) -> None:
    box = ClosedBox(seed=5, cells=8)
    assert box.defect(**steps(box.time, tolerance)) < 1e-2 * tolerance
