import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opalux.solver.formulas.formula import Formula
from opalux.solver.formulas.programs import SELECT, operate
from opalux.solver.formulas.syntax import Node

NAMES = ("rho", "T")
ATOMS = st.sampled_from(("rho", "T", "2", "0.5"))
TEXTS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner),
        st.builds("({})^{}".format, inner, st.sampled_from(("2", "3", "7", "(-1)", "(-3)", "0.5"))),
        st.builds("({} < {} ? {} : {})".format, inner, inner, inner, inner),
        st.builds("min({}, {})".format, inner, inner),
        st.builds("exp(-{}*{})".format, inner, inner),
    ),
    max_leaves=12,
)


def value(node: Node, rho: float, T: float) -> float:
    """Evaluate a tree as it stands, without a program."""
    if node.op is None:
        return {"rho": rho, "T": T}.get(str(node.value), node.number or 0.0)
    parts = [value(argument, rho, T) for argument in node.arguments]
    if node.op == SELECT:
        return parts[1] if parts[0] != 0 else parts[2]
    return float(operate(node.op, parts[0], parts[-1]))


@settings(deadline=None, max_examples=60)
@given(TEXTS)
def test_a_program_gives_what_its_formula_says_wherever_its_registers_are_used_again(text):
    formula = Formula(text, NAMES)
    rho, T = np.array([0.3, 1.7, 2.5]), np.array([0.9, 0.4, 3.1])
    with np.errstate(all="ignore"):
        found = np.broadcast_to(formula(rho=rho, T=T), rho.shape)
        wanted = [value(formula.tree, *pair) for pair in zip(rho.tolist(), T.tolist(), strict=True)]
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


@settings(deadline=None, max_examples=60)
@given(TEXTS)
def test_no_instruction_writes_to_a_register_that_it_reads(text):
    """So that all of them run as vector instructions."""
    program = Formula(text, NAMES).program
    fixed = len(NAMES) + len(program.constants)
    for op, target, a, b in program.code:
        assert target not in (a, b)
        assert fixed <= target < program.n_registers, (op, target)


@pytest.mark.parametrize("text", ["rho*T", "rho*T^2 + rho^3", "rho*T^(-3)"])
def test_a_short_formula_needs_few_registers(text):
    assert Formula(text, NAMES).program.n_registers <= 8
