"""Formulas: what they mean, what they refuse, and that all evaluators agree."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opalux.solver.formulas.formula import Formula
from opalux.solver.formulas.programs import run
from opalux.solver.formulas.syntax import FormulaError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-2^2", -4),
        ("2^3^2", 512),
        ("2**-1", 0.5),
        ("1 - 2 - 3", -4),
        ("8/4/2", 1),
        ("2*3+4*5", 26),
        ("0.01372*(5^4)", 0.01372 * 625),
        ("1 < 2 && 3 < 2 ? 10 : 20", 20),
        ("1 ? 0 ? 1 : 2 : 3", 2),
        ("sin(pi/2) + exp(0) + ln(_e) + sqrt(16) + abs(-3)", 10),
        ("max(1, min(5, 3)) + pow(2, 3) + rint(2.6) + sign(-4)", 13),
        (".5e1", 5),
        ("--3", 3),
    ],
)
def test_arithmetic_follows_mathematics(text, value):
    assert Formula(text, ()).constant == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "(lambda: 1)()",
        "rho.real",
        "[1, 2]",
        "rho if T else 1",
        "eval(1)",
        "open(1)",
        "rho; T",
        "'a'",
        "",
        "1 +",
        "(rho",
        "rho)",
        "sin rho",
        "sin(1, 2)",
        "min(1)",
        "T 2",
        "1..2",
        "0x10",
        "ρ*T",
        "(" * 500 + "1" + ")" * 500,
        "1" + "+T" * 300,
        "1" * 3000,
    ],
)
def test_what_is_no_formula_is_refused_with_a_place(text):
    with pytest.raises(FormulaError) as error:
        Formula(text, ("rho", "T"))
    assert "\n" not in str(error.value)


def test_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(FormulaError, match=r"unknown name 'roh', did you mean 'rho'"):
        Formula("roh*T", ("rho", "T"))


_LEAVES = st.sampled_from(["x", "y", "1.5", "2", "0.25"])


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(pair, st.sampled_from("+-*")).map(lambda t: f"({t[0][0]}{t[1]}{t[0][1]})"),
        inner.map(lambda a: f"({a})^2"),
        inner.map(lambda a: f"(-{a})^3"),
        inner.map(lambda a: f"sin({a})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]}<{t[1]}?{t[2]}:{t[0]})"),
    )


@given(st.recursive(_LEAVES, _grow, max_leaves=12))
@settings(max_examples=150, deadline=None)
def test_a_formula_means_what_python_would_compute(text):
    x, y = np.array([0.3, -1.2, 2.0]), np.array([1.1, 0.4, -0.5])
    values = Formula(text, ("x", "y"))(x=x, y=y)
    python = text.replace("^", "**")
    while "?" in python:  # innermost ternary first
        end = python.index(":")
        middle = python.rindex("?", 0, end)
        start = _opening(python, middle)
        stop = _closing(python, end)
        condition, yes = python[start + 1 : middle], python[middle + 1 : end]
        no, rest = python[end + 1 : stop], python[stop + 1 :]
        python = f"{python[:start]}({yes} if {condition} else {no}){rest}"
    for k in range(3):
        expected = eval(python, {"x": x[k], "y": y[k], "sin": math.sin})  # noqa: S307
        assert values[k] == pytest.approx(float(expected), rel=1e-9, abs=1e-9)


def _opening(text: str, place: int) -> int:
    depth = 0
    for k in range(place - 1, -1, -1):
        depth += (text[k] == ")") - (text[k] == "(")
        if depth < 0:
            return k
    raise AssertionError(text)


def _closing(text: str, place: int) -> int:
    depth = 0
    for k in range(place, len(text)):
        depth += (text[k] == "(") - (text[k] == ")")
        if depth < 0:
            return k
    raise AssertionError(text)


def test_kernels_and_whole_arrays_give_the_same_bits():
    formula = Formula("(T+1)^3 + rho^4 - sin(rho*T)*rho^1.5 + (T>2 ? exp(-T) : T)", ("rho", "T"))
    rng = np.random.default_rng(1)
    rho, T = rng.uniform(0.1, 5, (2, 4000))
    whole = formula(rho=rho, T=T)
    code, result, registers = formula.program.rows(2, 7)
    for start in range(0, 4000, 7):
        n = min(7, 4000 - start)
        registers[0, :n], registers[1, :n] = rho[start : start + n], T[start : start + n]
        run(code, registers, n)
        assert np.array_equal(registers[result, :n], whole[start : start + n])


@pytest.mark.parametrize("exponent", range(-9, 10))
def test_whole_powers_are_good_to_a_few_units_in_the_last_place(exponent):
    x = np.random.default_rng(2).uniform(0.1, 5, 200)
    found = Formula(f"1*(x + 0)^({exponent})", ("x",))(x=x)
    exact = [float(Fraction(v) ** exponent) for v in x]
    np.testing.assert_allclose(found, exact, rtol=2e-15)
