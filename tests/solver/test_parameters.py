"""Signals have exact derivatives by whatever is named, in the medium and on the edges."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.solver import parameters
from opalux.solver.gradient import SignalGradient
from opalux.solver.parameters import MEDIUM, PARAMETERS
from opalux.solver.problem import Problem
from tests.solver.test_gradient import numbers, problems, total


def changed(problem, name, h):
    """A problem one of whose parameters is 1 + h sin(9 ρ), or 1 + h sin(9 x) for the source."""
    if name == "source":
        return problem.model_copy(update={name: f"({problem.source})*(1+{h!r}*sin(9*x))"})
    factor, medium = f"{h!r}*sin(9*rho)", problem.material
    a, c, heat = medium.sigma_a, medium.sigma_c, medium.heat_capacity
    changes = {
        "absorption": {"sigma_a": f"({a})*(1+{factor})", "sigma_c": f"({c})+({a})*{factor}"},
        "scattering": {"sigma_c": f"({c})+(({c})-({a}))*{factor}"},
        "heat_capacity": {"heat_capacity": f"({heat})*(1+{factor})"},
    }
    return problem.model_copy(update={"material": medium.model_copy(update=changes[name])})


@given(
    problems(),
    st.integers(0, 99),
    st.sampled_from(["absorption", "scattering", "heat_capacity", "source"]),
)
@settings(max_examples=40, deadline=None)
def test_derivatives_by_the_medium_are_those_of_central_differences(problem, seed, name):
    gradient, rho, _, weights = numbers(problem, seed)
    grid = problem.cells
    x = (np.arange(grid.nx) + 0.5) * grid.dx
    direction = np.broadcast_to(np.sin(9 * x), rho.shape) if name == "source" else np.sin(9 * rho)
    products = gradient.derivatives(weights, [name])[name] * direction
    differences = []
    for h in (1e-3, 1e-4):
        up, down = (total(changed(problem, name, s * h), rho, weights) for s in (1, -1))
        differences.append((up - down) / (2 * h))
    scale = np.abs(products).sum() + 1e-6 * np.abs(total(problem, rho, weights))
    assert min(abs(found - products.sum()) for found in differences) <= 1e-6 * scale


@given(problems(), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_tangent_and_adjoint_are_transposes_of_each_other_for_all_parameters(problem, seed):
    gradient, _, _, weights = numbers(problem, seed)
    slopes = gradient.derivatives(weights, PARAMETERS)
    rng = np.random.default_rng(seed)
    change = {name: rng.normal(size=slope.shape) for name, slope in slopes.items()}
    change["heat_capacity"] = 0.3  # in all cells alike
    pushed = gradient.push(change)
    products = [weights[name] * pushed[name] for name in weights]
    size = sum(float(np.abs(product).sum()) for product in products)
    there = sum(float(product.sum()) for product in products)
    back = sum(float((change[name] * slopes[name]).sum()) for name in slopes)
    assert abs(there - back) <= 1e-12 * size


@given(
    st.sampled_from(["1", "3*rho", "rho^2/7", "exp(-rho)"]),
    st.integers(-4, 4),
    st.sampled_from(["0", "rho", "rho*T^2"]),
)
@settings(max_examples=20, deadline=None)
def test_loops_and_programs_give_the_same_derivatives(factor, power, scattering):
    problem = Problem(
        scheme="staggered",
        grid={"nx": 6, "ny": 5},
        time={"final": 0.0015},
        material={"sigma_a": f"({factor})*(T/4)^({power})", "sigma_s": scattering},
        edges={"left": {"kind": "source"}, "up": {"kind": "vacuum"}},
    )
    gradient, _, _, weights = numbers(problem, 3)
    by_loops = gradient.derivatives(weights, MEDIUM)
    with pytest.MonkeyPatch.context() as patched:
        nothing = np.zeros(0), np.zeros((1, 0))
        none = (0, *nothing), (0, *nothing, *nothing)
        patched.setattr(parameters, "_powers", lambda *_: none)
        by_programs = gradient.derivatives(weights, MEDIUM)
    for name in MEDIUM:
        scale = np.abs(by_programs[name]).max()
        np.testing.assert_allclose(by_loops[name], by_programs[name], atol=1e-12 * scale, rtol=0)


def test_where_all_is_proportional_to_the_density_its_derivative_is_that_of_the_factors():
    problem = Problem(
        scheme="staggered",
        grid={"nx": 9, "ny": 7},
        time={"final": 0.004},
        edges={"left": {"kind": "source"}},
        material={"sigma_a": "rho*T", "sigma_s": "3*rho*T^0.5", "heat_capacity": "0.1+0.01*T"},
    )
    gradient, rho, _, weights = numbers(problem, 1)
    names = ("density", "absorption", "scattering", "heat_capacity")
    slopes = gradient.derivatives(weights, names)
    factors = slopes["absorption"] + slopes["scattering"] + slopes["heat_capacity"]
    assert factors == pytest.approx(rho * slopes["density"], rel=1e-11)
    assert all(np.abs(slopes[name]).max() > 0 for name in names)


MORE = "{h!r}*cos(400*t)"
PRESCRIBING: list[tuple[str, Any, float]] = [  # what the edge gets more of, late by so many steps
    ("left", lambda more: {"kind": "source", "sources": [{}, {"signal": more}]}, 0),
    ("right", lambda more: {"kind": "prescribed", "E": f"9 + {more}", "Fx": 0.5, "T": 5}, 0),
    ("up", lambda more: {"kind": "prescribed", "E": f"9 + {more}"}, 0),
    ("down", lambda more: {"kind": "prescribed", "Fy": f"sin(700*t) + {more}"}, 0.5),
    (
        "down",
        lambda more: {
            "kind": "vacuum",
            "condition": "marshak",
            "T": f"(1 + ({more})/0.01372)^0.25",
        },
        0,
    ),
]


@pytest.mark.parametrize(("edge", "prescribed", "late"), PRESCRIBING)
def test_derivatives_by_what_an_edge_prescribes_are_those_of_central_differences(
    edge, prescribed, late
):
    def problem(h):
        return Problem(
            scheme="staggered",
            grid={"nx": 6, "ny": 5},
            time={"final": 0.003},
            initial={"T": "4 + x"},
            edges={edge: prescribed(MORE.format(h=h))},
        )

    gradient, rho, _, weights = numbers(problem(0.0), 4)
    slopes = gradient.derivatives(weights, EDGES)
    step = gradient.times[1] - gradient.times[0]
    signal = np.cos(400 * (gradient.times + late * step))
    slope = float((slopes[edge] * signal[:, None]).sum())
    up, down = (total(problem(h), rho, weights) for h in (1e-3, -1e-3))
    assert (up - down) / 2e-3 == pytest.approx(slope, rel=1e-6)
    assert all(not slopes[other].any() for other in EDGES if other != edge)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"sigma_a": np.ones((4, 4))}, "found 'sigma_a' to derive by, expected some of density"),
        ({}, "found nothing to derive by"),
        ({"absorption": np.ones((4, 3))}, r"absorption of shape \(4, 3\), expected \(4, 4\)"),
        ({"left": np.ones(4)}, r"left of shape \(4,\), expected"),
    ],
)
def test_unknown_parameters_and_wrong_shapes_are_refused(change, part):
    gradient = SignalGradient(Problem(scheme="staggered", grid={"nx": 4}, time={"final": 0.002}))
    gradient.simulate(np.ones((4, 4)))
    with pytest.raises(InputError, match=part):
        gradient.push(change)
