import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opalux.solver.formulas.compiler import compiled
from opalux.solver.formulas.formula import Formula
from opalux.solver.formulas.powers import LARGEST, opacity_tree, separated
from opalux.solver.formulas.programs import run

NAMES = ("rho", "T")
PRODUCTS = st.recursive(
    st.sampled_from(("rho", "T", "3", "0.7", "exp(-rho)", "T^2", "T^(-1)", "rho^1.5")),
    lambda inner: st.one_of(
        st.builds("({}*{})".format, inner, inner),
        st.builds("({}/{})".format, inner, inner),
        st.builds("({})^{}".format, inner, st.sampled_from(("2", "(-1)", "3"))),
    ),
    max_leaves=6,
)


def value(tree, rho, T):
    code, result, registers = compiled(tree, NAMES).rows(2, len(rho))
    registers[0], registers[1] = rho, T
    run(code, registers, len(rho))
    return registers[result]


@settings(deadline=None, max_examples=60)
@given(PRODUCTS)
def test_the_two_parts_of_a_product_multiply_to_what_it_says(text):
    formula = Formula(text, NAMES)
    rho, T = np.array([0.8, 1.3, 2.5]), np.array([0.9, 1.4, 2.1])
    with np.errstate(all="ignore"):
        wanted = np.broadcast_to(formula(rho=rho, T=T), rho.shape)
        np.testing.assert_allclose(value(opacity_tree(formula.tree), rho, T), wanted, rtol=1e-12)
        if parts := separated(formula.tree):
            factor, power = parts
            assert abs(power) <= LARGEST
            np.testing.assert_allclose(value(factor, rho, T) * T**power, wanted, rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "power"),
    [("rho*T", 1), ("T^2*sqrt(rho)/3", 2), ("rho^2/T^3", -3), ("rho", 0), ("(rho*T)^2/T", 1)],
)
def test_powers_of_the_temperature_are_found(text, power):
    parts = separated(Formula(text, NAMES).tree)
    assert parts is not None
    assert parts[1] == power


@pytest.mark.parametrize("text", ["rho + T", "rho*T^0.5", "exp(-T)", "T^5", "min(rho, T)*T"])
def test_other_formulas_are_left_to_programs(text):
    tree = Formula(text, NAMES).tree
    assert separated(tree) is None
    assert opacity_tree(tree) is tree
