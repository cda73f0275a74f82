"""Derivatives of formulas are those of central differences."""

import numpy as np
import pytest

from opalux.solver.formulas.compiler import compiled
from opalux.solver.formulas.derivative import derivative
from opalux.solver.formulas.formula import Formula
from opalux.solver.formulas.programs import run

FORMULAS = [
    "rho*T", "rho*T^-3.5", "4*rho*sqrt(T)", "6*rho/T", "T > 4 ? rho*T : 3*rho",
    "min(rho, T)*exp(-T/5)", "rho^T", "pow(rho, 1.5)*log(T)", "abs(sin(rho)) + tanh(T)^2",
    "asin(rho/6)*atan(T) + sinh(T/9)*log10(rho)", "acos(rho/6) + tan(T/9)", "0.05*T^2",
    "1 + rho + rho^2/(1+T^4)", "max(rho, 2)*cosh(T/7) - log2(T)", "-cos(rho*T)", "3", "rint(T)*rho",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("variable", ["rho", "T"])
def test_derivatives_are_those_of_central_differences(text, variable):
    rng = np.random.default_rng(0)
    at = {"rho": rng.uniform(0.5, 5, 300), "T": rng.uniform(1.01, 6, 300)}
    formula, h = Formula(text, ("rho", "T")), 1e-6
    up, down = (formula(**at | {variable: at[variable] + s * h}) for s in (1, -1))
    code, result, registers = compiled(
        derivative(formula.tree, variable), ("rho", "T")
    ).rows(2, 300)  # fmt: skip
    registers[0], registers[1] = at["rho"], at["T"]
    run(code, registers, 300)
    assert registers[result] == pytest.approx((up - down) / (2 * h), rel=1e-6, abs=1e-6)
