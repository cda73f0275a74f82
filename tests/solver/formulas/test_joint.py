"""Formulas that are evaluated together have the values that each has alone."""

import numpy as np
import pytest

from opalux.solver.formulas.formula import Formula
from opalux.solver.formulas.joint import joint_rows
from opalux.solver.formulas.programs import run


@pytest.mark.parametrize(
    "texts",
    [
        ["rho*T", "T", "rho"],
        ["0.2*rho*T^-0.5 + 0.1", "3", "rho > 1 ? T^3 : 2*rho"],
        ["0.3", "0.3*T + 3", "sin(rho) + 0.3"],
    ],
)
def test_together_is_alone_to_the_bit(texts):
    rng = np.random.default_rng(0)
    rho, T = rng.uniform(0.5, 2, (2, 7))
    formulas = [Formula(text, ("rho", "T")) for text in texts]
    code, results, registers = joint_rows([one.tree for one in formulas], ("rho", "T"), 7)
    registers[:2] = rho, T
    run(code, registers, 7)
    for result, formula in zip(results, formulas, strict=True):
        assert np.array_equal(registers[result], np.broadcast_to(formula(rho=rho, T=T), 7))
