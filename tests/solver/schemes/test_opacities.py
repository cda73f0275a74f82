"""Opacities K(ρ) Tᵇ are taken by the loops of the kernels, all others by programs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opalux.solver.march import simulate
from opalux.solver.problem import Problem
from opalux.solver.schemes import opacities

RHO = np.random.default_rng(5).uniform(0.5, 4, (9, 14))
SCHEMES = [
    {"scheme": "staggered"},
    {"scheme": "staggered", "dtype": "float32"},
    {"scheme": "consistent"},
    {"scheme": "consistent", "order": 2},
]
FACTORS = ("1", "rho", "3*rho", "rho^2/7", "exp(-rho)")


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: "-".join(map(str, scheme.values())))
@settings(deadline=None, max_examples=8)
@given(st.sampled_from(FACTORS), st.integers(-4, 4))
def test_loops_and_programs_give_the_same_bits(scheme, factor, power):
    opacity = f"({factor})*(T/4)^({power})"
    problem = Problem(
        grid={"nx": 14, "ny": 9},
        time={"final": 0.002},
        material={"sigma_a": opacity, "sigma_c": f"2*{opacity}"},
        edges={"left": {"kind": "source"}},
        **scheme,
    )
    fields = simulate(problem, RHO).fields
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(opacities, "_factor", lambda sigma, rho: (rho, 0))
        np.testing.assert_array_equal(simulate(problem, RHO).fields, fields)
