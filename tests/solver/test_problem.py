"""What a problem takes and refuses."""

import numpy as np
import pydantic
import pytest

from opalux.solver.march import simulate
from opalux.solver.problem import Problem


def test_scattering_alone_adds_to_absorption():
    medium = {"density": "1 + x", "sigma_a": "rho*T"}
    settings = {"grid": {"nx": 8}, "time": {"final": 0.001}, "edges": {"left": {"kind": "source"}}}
    total = Problem.model_validate(settings | {"material": medium | {"sigma_c": "rho*T + 3*rho"}})
    apart = Problem.model_validate(settings | {"material": medium | {"sigma_s": "3*rho"}})
    assert np.array_equal(simulate(total).fields, simulate(apart).fields)
    assert Problem.model_validate(apart.model_dump()) == apart


def test_total_and_scattering_opacity_together_are_refused():
    with pytest.raises(pydantic.ValidationError, match="sigma_c: 1 and sigma_s: 2"):
        Problem(grid={"nx": 4}, material={"sigma_c": 1, "sigma_s": 2})
