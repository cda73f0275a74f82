"""The gradient of signals is exact, whatever the problem and however its states are kept."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opalux.base.errors import InputError
from opalux.solver.gradient import SignalGradient
from opalux.solver.march import simulate
from opalux.solver.parameters import PARAMETERS
from opalux.solver.problem import Problem
from tests.conftest import ROOT

EDGE_NAMES = ("up", "down", "left", "right")
WALLED = {name: {"kind": "wall"} for name in EDGE_NAMES}
EDGES: list[dict[str, Any]] = [
    {"left": {"kind": "source"}},
    {"left": {"kind": "source", "T": "free"}, "right": {"kind": "wall"}},
    {"up": {"kind": "vacuum"}, "down": {"kind": "vacuum", "condition": "marshak", "T": 6}},
    WALLED | {"up": {"kind": "source"}, "down": {"kind": "prescribed", "E": 9, "Fy": 0.5, "T": 5}},
    {
        "left": {"kind": "prescribed", "E": "9+sin(900*t)"},
        "right": {"kind": "prescribed", "Fx": "sin(700*t)"},
        "up": {"kind": "periodic"},
        "down": {"kind": "periodic"},
    },
    {"left": {"kind": "periodic"}, "right": {"kind": "periodic"}, "up": {"kind": "source"}},
]


@st.composite
def problems(draw):
    opacity = draw(st.sampled_from(["rho*T", "10*rho/T", "rho^2", "0.2*rho*T^-0.5 + 0.1"]))
    return Problem(
        scheme="staggered",
        grid={"nx": draw(st.integers(2, 6)), "ny": draw(st.integers(2, 5)), "y": (0, 0.7)},
        time={"final": 0.0015, "cfl": draw(st.sampled_from([0.3, 0.5]))},
        constants={"eddington": draw(st.sampled_from([1.0, 1 / 3]))},
        material={
            "sigma_a": opacity,
            "sigma_c": draw(st.sampled_from([opacity, "rho*T + rho", "2*rho"])),
            "heat_capacity": draw(st.sampled_from(["0.14361", "0.1 + 0.01*T*rho^0.5"])),
        },
        initial={"T": "4 + x", "Fx": "0.3*y"},
        source=draw(st.sampled_from(["0", "100*x"])),
        detectors=draw(st.sampled_from([[], [{"x": 0.4, "y": 0.3, "width": 0.3}]])),
        edges=draw(st.sampled_from(EDGES)),
        signals={"at": draw(st.sampled_from(["cell", "edge"]))},
    )


def numbers(problem, seed):
    """A density, a direction, and weights of the signals."""
    rng = np.random.default_rng(seed)
    gradient = SignalGradient(problem)
    shape = (problem.cells.ny, problem.cells.nx)
    rho = rng.uniform(0.5, 3, shape)
    signals = gradient.simulate(rho)
    weights = {name: rng.normal(size=signal.shape) for name, signal in signals.items()}
    return gradient, rho, rng.normal(size=shape), weights


def total(problem, rho, weights):
    signals = SignalGradient(problem).simulate(rho)
    return sum(float((weights[name] * signals[name]).sum()) for name in signals)


@given(problems(), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_the_gradient_is_that_of_central_differences(problem, seed):
    gradient, rho, direction, weights = numbers(problem, seed)
    slope = float((gradient.pull(weights) * direction).sum())
    differences = []
    for h in (1e-3, 1e-4):
        up, down = (total(problem, rho + s * h * direction, weights) for s in (1, -1))
        differences.append((up - down) / (2 * h))
    scale = np.abs(gradient.pull(weights)).max() * np.abs(direction).sum()
    assert min(abs(found - slope) for found in differences) <= 1e-6 * scale


@given(problems(), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_tangent_and_adjoint_are_transposes_of_each_other(problem, seed):
    gradient, _, direction, weights = numbers(problem, seed)
    pushed, pulled = gradient.push(direction), gradient.pull(weights)
    products = [weights[name] * pushed[name] for name in weights]
    size = sum(float(np.abs(product).sum()) for product in products)
    there = sum(float(product.sum()) for product in products)
    assert abs(there - float((direction * pulled).sum())) <= 1e-12 * size


@given(problems(), st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_its_signals_are_those_of_a_simulation(problem, seed):
    gradient, rho, _, _ = numbers(problem, seed)
    run = simulate(problem, rho)
    expected = run.signals | ({"detectors": run.detectors.signals} if run.detectors else {})
    for name, signal in gradient.simulate(rho).items():
        scale = np.abs(expected[name]).max(initial=0)
        assert np.abs(signal - expected[name]).max(initial=0) <= 1e-6 * scale, name


def test_what_a_straight_line_leaves_falls_as_the_square_of_the_step():
    """Taylor's remainder, over four decades."""
    problem = Problem(
        scheme="staggered", grid={"nx": 9, "ny": 7}, time={"final": 0.004}, edges=EDGES[0]
    )
    gradient, rho, direction, weights = numbers(problem, 1)
    slope, start = float((gradient.pull(weights) * direction).sum()), total(problem, rho, weights)
    steps = np.array([1e-1, 1e-2, 1e-3])
    left = [abs(total(problem, rho + h * direction, weights) - start - h * slope) for h in steps]
    orders = np.diff(np.log10(left)) / np.diff(np.log10(steps))
    assert orders == pytest.approx(2.0, abs=0.1), left


@pytest.mark.parametrize("edges", EDGES)
def test_states_that_are_taken_again_change_no_bit(edges):
    problem = Problem(
        scheme="staggered",
        grid={"nx": 9, "ny": 7},
        time={"final": 0.01},
        edges=edges,
        detectors=[{"x": 0.5, "y": 0.3}, {"edge": "left", "position": 0.3, "width": 0.4}],
    )
    whole, rho, _, weights = numbers(problem, 2)
    reference, gradient = whole.simulate(rho), whole.pull(weights)
    slopes = whole.derivatives(weights, PARAMETERS)
    change = np.ones((7, 9))
    pushed = whole.push(change)
    for room in (20, 5, 3):
        lean = SignalGradient(problem, memory=room * 4 * 9 * 11 * 8)
        signals = lean.simulate(rho)
        assert all(np.array_equal(signals[name], reference[name]) for name in reference)
        for _ in range(2):
            assert np.array_equal(lean.pull(weights), gradient)
        found = lean.derivatives(weights, PARAMETERS)
        assert all(np.array_equal(found[name], slopes[name]) for name in PARAMETERS)
        moved = lean.push(change)
        assert all(np.array_equal(moved[name], pushed[name]) for name in pushed)
        assert np.array_equal(lean.pull(weights), gradient)


DIVIDED = """
import sys
import numpy as np
from opalux.solver.domains.petsc import PetscDomain, world
from opalux.solver.gradient import SignalGradient
from opalux.solver.parameters import PARAMETERS
from opalux.solver.problem import Problem
from tests.solver.test_gradient import EDGES

found = {}
for number, edges in enumerate(EDGES):
    for at in ("cell", "edge"):
        problem = Problem(
            scheme="staggered", grid={"nx": 61, "ny": 37}, time={"final": 3e-4}, edges=edges,
            initial={"Fx": "0.3*y"}, signals={"at": at}, material={"sigma_c": "rho*T + rho"},
            source="100*x",
            detectors=[{"x": 0.5, "y": 0.3, "radius": 0.2}, {"edge": "up", "position": 0.4}],
        )
        domain = PetscDomain(problem, world())
        gradient = SignalGradient(problem, memory=4 * domain.state.nbytes, domain=domain)
        rng = np.random.default_rng(number)
        signals = gradient.simulate(rng.uniform(0.5, 3, (37, 61)))
        weights = {name: rng.normal(size=signals[name].shape) for name in sorted(signals)}
        slopes = gradient.derivatives(weights, PARAMETERS)
        change = {name: rng.normal(size=slope.shape) for name, slope in slopes.items()}
        pushed = gradient.push(change)
        found |= {f"{number} {at} {name}": signals[name] for name in signals}
        found |= {f"{number} {at} {name} pushed": pushed[name] for name in pushed}
        found |= {f"{number} {at} by {name}": slope for name, slope in slopes.items()}
        found[f"{number} {at} gradient"] = gradient.pull(weights)
if domain.rank == 0:
    np.savez(sys.argv[1], **found)
"""


@pytest.mark.mpi
def test_one_two_and_four_processes_give_the_same_bits(tmp_path, mpirun):
    script = tmp_path / "gradient.py"
    script.write_text(DIVIDED)
    found = []
    for n in (1, 2, 4):
        done = mpirun(n, script, tmp_path / f"{n}.npz", timeout=300, PYTHONPATH=str(ROOT))
        assert done.returncode == 0, done.stderr
        found.append(np.load(tmp_path / f"{n}.npz"))
    for name in found[0].files:
        nothing = any(name.endswith(f"by {edge}") for edge in EDGE_NAMES)  # prescribed there
        assert nothing or np.abs(found[0][name]).max() > 0, name
        assert all(np.array_equal(found[0][name], other[name]) for other in found), name


@pytest.mark.mpi
def test_too_many_processes_for_a_gradient_are_refused_on_all(tmp_path, mpirun):
    script = tmp_path / "thin.py"
    script.write_text(
        "from opalux.base.errors import InputError\n"
        "from opalux.solver.domains.petsc import PetscDomain, world\n"
        "from opalux.solver.gradient import SignalGradient\n"
        "from opalux.solver.problem import Problem\n"
        "problem = Problem(scheme='staggered', grid={'nx': 3, 'ny': 1},\n"
        "                  edges={'up': {'kind': 'wall'}, 'down': {'kind': 'wall'}})\n"
        "try:\n"
        "    SignalGradient(problem, domain=PetscDomain(problem, world()))\n"
        "except InputError as error:\n"
        "    print(error)\n"
    )
    done = mpirun(2, script, PYTHONPATH=str(ROOT))
    assert done.stdout.count("expected two cells or more along x and y") == 2, done.stderr


def test_a_turned_problem_has_the_turned_gradient():
    settings = {"scheme": "staggered", "grid": {"nx": 8}, "time": {"final": 0.004}}
    left = Problem.model_validate(settings | {"edges": {"left": {"kind": "source"}}})
    right = Problem.model_validate(settings | {"edges": {"right": {"kind": "source"}}})
    gradient, rho, _, weights = numbers(left, 3)
    image = {"left": "right", "right": "left", "up": "up", "down": "down"}
    turned = {}
    for name, weight in weights.items():
        weight = weight.copy() if name in ("left", "right") else weight[:, :, ::-1].copy()
        weight[:, 1] *= -1
        turned[image[name]] = weight
    other = SignalGradient(right)
    other.simulate(np.ascontiguousarray(rho[:, ::-1]))
    assert other.pull(turned)[:, ::-1] == pytest.approx(gradient.pull(weights), rel=1e-12)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"scheme": "consistent"}, "expected staggered"),
        ({"dtype": "float32"}, "expected staggered in float64"),
        ({"time": {"method": "implicit"}}, "expected explicit steps"),
        ({"grid": {"nx": 8, "ny": 1}}, "one cell along y between free edges"),
        (
            {
                "grid": {"nx": 1, "ny": 8},
                "edges": WALLED | {"left": {"kind": "prescribed", "T": 1}},
            },
            "one cell along x between free edges",
        ),
    ],
)
def test_problems_without_a_gradient_are_refused(changes, part):
    problem = Problem.model_validate({"scheme": "staggered", "grid": {"nx": 8}} | changes)
    with pytest.raises(InputError, match=part):
        SignalGradient(problem)


def test_a_budget_that_is_too_small_is_refused():
    problem = Problem(scheme="staggered", grid={"nx": 64}, time={"final": 0.001})
    with pytest.raises(InputError, match="expected at least"):
        SignalGradient(problem, memory=10).simulate(np.ones((64, 64)))
