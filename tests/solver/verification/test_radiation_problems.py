"""What radiation codes are tried on first, for every scheme, on coarse grids."""

import numpy as np
import pytest

from opalux.solver.scheme import Feature
from opalux.solver.verification import crooked_pipe, lattice, shadow
from opalux.solver.verification.convergence import fitted_order
from opalux.solver.verification.crooked_pipe import CrookedPipe
from opalux.solver.verification.driven_wave import DrivenWave
from opalux.solver.verification.gaussian_pulse import GaussianPulse
from opalux.solver.verification.lattice import Lattice
from opalux.solver.verification.lit_slab import TRANSPORT, LitSlab
from opalux.solver.verification.shadow import Shadow
from opalux.solver.verification.variants import FIRST, SECOND, STAGGERED, variants

ASKED = Feature.WALLS, Feature.PERIODIC, Feature.VACUUM, Feature.EDDINGTON, Feature.VOLUME_SOURCE
every_scheme = pytest.mark.parametrize("variant", variants(*ASKED), ids=str)


@every_scheme
def test_light_that_oscillates_is_kept_for_a_centimetre(variant):
    lowest = {FIRST: (0.65, 0.3), SECOND: (0.96, 0.85), STAGGERED: (0.96, 0.85)}[variant]
    for k, bound in zip((1.0, 1 / 3), lowest, strict=True):
        amplitude, phase = DrivenWave(k).kept(64, **variant.changes)
        assert bound <= amplitude <= 1.02
        assert abs(phase) < 0.25


@every_scheme
def test_light_that_oscillates_converges_to_the_exact_wave(variant):
    offs = [abs(DrivenWave(1.0).kept(n, **variant.changes)[0] - 1) for n in (64, 128, 256)]
    assert fitted_order([64, 128, 256], offs) > (0.7 if variant.order == 1 else 1.6), offs


@every_scheme
@pytest.mark.parametrize("tau", [1.0, 10.0])
def test_a_lit_slab_lets_through_what_p1_says(tau, variant):
    for condition in ("mark", "marshak"):
        assert LitSlab(tau, 1 / 3, condition).error(32, **variant.changes) < 1e-2


def test_p1_is_within_three_per_cent_of_transport_behind_a_thick_slab():
    assert np.abs(np.array(LitSlab(10.0).exact) / TRANSPORT - 1).max() < 0.03
    assert np.abs(np.array(LitSlab(10.0, 1.0).exact) / TRANSPORT - 1).max() > 0.3


@every_scheme
def test_a_pulse_in_two_dimensions_converges_with_its_negative_wake(variant):
    pulse = GaussianPulse(width=0.06)
    cells = (32, 64, 128)
    assert pulse.exact(64).min() < -0.01
    errors = [pulse.error(n, positivity="off", **variant.changes) for n in cells]
    assert fitted_order(cells, errors) > (0.3 if variant.order == 1 else 1.8), errors
    assert errors[-1] < (0.3 if variant.order == 1 else 0.02)


def test_the_pulse_starts_and_keeps_its_energy_as_the_transform_says():
    pulse = GaussianPulse()
    assert pulse.exact(128).mean() == pytest.approx(2 * np.pi * pulse.width**2, rel=2e-5)


def test_energies_kept_positive_keep_order_two_from_the_negative_wake():
    errors = [GaussianPulse(width=0.06).error(n, order=2) for n in (32, 64)]
    assert errors[1] > 0.9 * errors[0] > 0.2


@every_scheme
def test_the_crooked_pipe_fills_as_in_another_code(variant):
    """A quarter of the time; the far end has hardly heard of the source then."""
    fields = CrookedPipe(time=0.5).solve(70, **variant.changes)
    found, fine = CrookedPipe.probes(fields[3]), np.array(crooked_pipe.IMPLICIT[140])
    assert abs(found[0] - fine[0]) < 0.02
    assert (np.diff(found[[0, 1, 3, 4]]) < 0).all()
    assert fields[0].max() <= 1.05 * crooked_pipe.SOURCE


@every_scheme
def test_the_lattice_absorbs_what_it_does_on_fine_meshes(variant):
    bound = {FIRST: 0.065, SECOND: 0.055, STAGGERED: 0.035}[variant]
    _, share = Lattice().solve(56, **variant.changes)
    assert abs(share / lattice.FINE - 1) < bound


@every_scheme
def test_as_much_light_gets_behind_a_block_as_on_fine_meshes(variant):
    bound = {FIRST: 0.17, SECOND: 0.1, STAGGERED: 0.06}[variant]
    E = Shadow().solve(80, positivity="off", **variant.changes)
    assert np.abs(Shadow.probes(E) / shadow.FINE - 1).max() < bound
