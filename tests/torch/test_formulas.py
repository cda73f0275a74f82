"""Formulas on tensors have the values of the kernels', and the derivatives of their trees."""

import numpy as np
import pytest
import torch

from opalux.solver.formulas.formula import Formula
from opalux.solver.formulas.syntax import FUNCTIONS
from opalux.torch.formulas import TorchFormula

CALLS = [f"{name}({', '.join(('x', 'y')[:count])})" for name, (_, count) in FUNCTIONS.items()]
FORMULAS = [
    *CALLS,
    "x + y*x - x/y", "-x", "x^2 + x^3 + x^-4 + x^9 + x^0.5 + 2^y + x^y",
    "x < y", "x <= y", "x > y", "x >= y", "x == y", "x != y", "x && y", "x || 0*y",
    "x > 0.5 ? sqrt(x - 0.5) : y", "x > 0.5 ? 1 : 2.1", "3", "min(x, 0.3) + max(y, 0.3)",
]  # fmt: skip


def values():
    x, y = np.random.default_rng(0).uniform(0.05, 0.95, (2, 50))
    y[:5] = x[:5]
    return x, y


@pytest.mark.parametrize("text", FORMULAS)
def test_values_are_those_of_the_kernels(text):
    formula, (x, y) = Formula(text, ("x", "y")), values()
    found = TorchFormula(formula.tree, formula.variables)(torch.tensor(x), torch.tensor(y))
    assert found.expand(50).numpy() == pytest.approx(formula(x=x, y=y), rel=1e-14, abs=1e-15)
    single = TorchFormula(formula.tree, formula.variables)(torch.tensor(x).float(), found.float())
    assert single.dtype == torch.float32


def test_a_branch_that_is_not_taken_adds_nothing_to_the_derivative():
    formula = Formula("x > 0.5 ? sqrt(x - 0.5) : y", ("x", "y"))
    x, y = (torch.tensor([0.5, 0.75, 0.1]).double().requires_grad_() for _ in range(2))
    TorchFormula(formula.tree, formula.variables)(x, y).sum().backward()
    assert x.grad is not None
    assert y.grad is not None
    assert x.grad.tolist() == [0, 1, 0]
    assert y.grad.tolist() == [1, 0, 1]
    nothing = TorchFormula(formula.tree, formula.variables).by("y", x, y)
    assert nothing.tolist() == [1, 0, 1]


@pytest.mark.parametrize("text", [*CALLS, "x^2 + x^-4*y + x^y", "(x + y)/(x*y + 1)"])
def test_derivatives_are_those_of_differences(text):
    formula = Formula(text, ("x", "y"))
    tensors = tuple(torch.tensor(part).double().requires_grad_() for part in values()[:2])
    away = tensors[0].detach() - tensors[1].detach() != 0  # min and max have a kink where x = y
    x, y = (part.detach()[away].requires_grad_() for part in tensors)
    evaluated = TorchFormula(formula.tree, formula.variables)
    assert torch.autograd.gradcheck(lambda a, b: evaluated(a, b), (x, y))
