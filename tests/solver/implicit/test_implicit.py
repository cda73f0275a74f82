"""Implicit steps: steady states of the explicit scheme, orders, energies, edges and records."""

from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from opalux.base.errors import InputError
from opalux.solver.domains.domain import SerialDomain
from opalux.solver.implicit.march import ImplicitMarch
from opalux.solver.march import March, simulate, time_loop
from opalux.solver.problem import Problem
from opalux.solver.time_loop import SolverFailure
from opalux.solver.verification.crooked_pipe import IMPLICIT, CrookedPipe
from opalux.solver.verification.lit_slab import LitSlab
from opalux.solver.verification.marshak import MarshakWave
from opalux.solver.verification.su_olson import SuOlson, exact
from opalux.solver.watch import SolverWarning
from tests.solver.exact import total_energy

WALL = {"kind": "wall"}
PERIODIC = {"kind": "periodic"}
CLOSED = dict.fromkeys(("left", "right", "up", "down"), WALL)
RHO = np.random.default_rng(1).uniform(0.5, 3, (5, 6))
MEDIUM: dict[str, Any] = {
    "scheme": "staggered",
    "grid": {"nx": 6, "ny": 5, "x": [0, 1], "y": [0, 0.8]},
    "constants": {"eddington": 1 / 3},
    "material": {
        "density": RHO,
        "sigma_a": "rho*T",
        "sigma_c": "1 + rho*T",
        "heat_capacity": "0.01 + 0.001*T",
    },
    "initial": {"E": "5", "T": 4},
}
EDGES: dict[str, dict[str, Any]] = {
    "held and vacuum": CLOSED
    | {"left": {"kind": "prescribed", "E": "9", "T": "5"}, "right": {"kind": "vacuum"}},
    "source, Marshak's vacuum and free": CLOSED
    | {
        "left": {"kind": "source", "sources": [{"start": 0.2, "stop": 0.6, "signal": "3"}]},
        "right": {"kind": "vacuum", "condition": "marshak", "T": "2"},
        "up": {"kind": "free"},
    },
    "periodic": {"left": {"kind": "vacuum", "T": "3"}, "right": {"kind": "vacuum"}}
    | {"up": PERIODIC, "down": PERIODIC},
    "a current and a characteristic": CLOSED
    | {
        "left": {"kind": "prescribed", "Fx": "0.5"},
        "right": {"kind": "vacuum"},
        "down": {"kind": "prescribed", "E": "9", "Fy": "0.1"},
    },
}


def problem(**changes: Any) -> Problem:
    """Return the small medium above with other keys."""
    return Problem.model_validate(MEDIUM | changes)


def loop_of(made: Problem) -> ImplicitMarch:
    """Return the implicit loop of a problem, run to its end."""
    loop = time_loop(made, SerialDomain(made))
    assert isinstance(loop, ImplicitMarch)
    for _ in loop.run():
        pass
    return loop


@pytest.mark.parametrize("name", EDGES)
def test_steady_states_are_those_of_the_explicit_scheme(name: str) -> None:
    asked = {"edges": EDGES[name], "source": "40*x*y"}
    explicit = simulate(problem(**asked, time={"final": 1.5, "cfl": 0.9}))
    steady = simulate(problem(**asked, time={"final": 1.5, "method": "steady"}))
    for found, expected in zip(steady.fields, explicit.fields, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize("tau", [0.1, 10.0, 1e6])
def test_the_steady_slab_is_exact_on_any_mesh_at_any_depth(tau: float) -> None:
    slab = LitSlab(tau=tau)
    assert slab.error(3, scheme="staggered", time={"final": 1, "method": "steady"}) < 1e-5


@pytest.mark.parametrize("name", EDGES)
def test_time_dependent_solutions_are_those_of_the_explicit_scheme(name: str) -> None:
    asked = {"edges": EDGES[name], "source": "40*x*y"}
    explicit = simulate(problem(**asked, time={"final": 0.02, "cfl": 0.02}))
    implicit = simulate(
        problem(**asked, time={"final": 0.02, "method": "implicit", "tolerance": 1e-6})
    )
    for found, expected in zip(implicit.fields, explicit.fields, strict=True):
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found, expected, rtol=0, atol=3e-3 * scale)


@pytest.mark.parametrize("order", [1, 2])
def test_the_order_in_time_is_that_asked_for(order: int) -> None:
    asked = {"edges": EDGES["held and vacuum"], "source": "400*x*y*sin(200*t)^2"}
    time = {"final": 0.02, "method": "implicit", "adaptive": False, "tolerance": 1e-8}

    def end(steps: int, accuracy: int) -> np.ndarray:
        return loop_of(
            problem(**asked, time=time | {"step": 0.02 / steps, "accuracy": accuracy})
        ).fields

    finest = end(1280, 2)
    errors = [np.abs(end(n, order) - finest)[[0, 3]].max() for n in (80, 160)]
    fitted = np.log2(errors[0] / errors[1])
    assert abs(fitted - order) < 0.2, (fitted, errors)


def test_tighter_tolerances_are_as_much_closer() -> None:
    asked = {"edges": EDGES["held and vacuum"], "source": "400*x*y*sin(200*t)^2"}

    def end(tolerance: float) -> np.ndarray:
        time = {"final": 0.02, "method": "implicit", "tolerance": tolerance}
        return loop_of(problem(**asked, time=time)).fields[[0, 3]]

    finest = end(1e-7)
    errors = [np.abs(end(tolerance) - finest).max() for tolerance in (1e-3, 1e-5)]
    assert errors[1] < 0.1 * errors[0] < 0.1, errors


@pytest.mark.parametrize("accuracy", [1, 2])
@pytest.mark.parametrize("step", [1e-300, 1e-3, 1.0, 1e300])
def test_a_first_step_of_any_length_gives_way_to_the_error(step: float, accuracy: int) -> None:
    asked = {"edges": EDGES["held and vacuum"]}
    time = {"final": 0.02, "method": "implicit", "accuracy": accuracy}
    found = loop_of(problem(**asked, time=time | {"step": step}))
    expected = loop_of(problem(**asked, time=time | {"tolerance": 1e-4}))
    scale = np.abs(expected.fields).max(axis=(1, 2), keepdims=True)
    assert (np.abs(found.fields - expected.fields) < 2e-2 * scale)[[0, 3]].all()


def test_a_heat_front_is_where_the_exact_one_is() -> None:
    front, heat = MarshakWave().front_and_heat(
        50, scheme="staggered", time={"final": 1.0, "method": "implicit"}
    )
    assert abs(front - 1) < 5e-3, front
    assert abs(heat - 1) < 2e-3, heat


@pytest.mark.parametrize("tau", [31.6, 100.0])
def test_matter_whose_heat_capacity_varies_follows_the_exact_solution(tau: float) -> None:
    case = SuOlson(1 / 3, tau)
    time = {"final": tau, "method": "implicit", "tolerance": 1e-2}
    x, W, V = case.solve(10, scheme="staggered", time=time)
    near = x <= 3.5
    for found, expected in zip((W, V), exact(x[near], tau, 1 / 3), strict=True):
        assert np.abs(found[near] - expected).max() < 4e-3 * expected.max()


def test_the_crooked_pipe_is_as_warm_as_another_code_finds_it() -> None:
    pipe = CrookedPipe()
    time = {"final": 2.0, "method": "implicit", "tolerance": 1e-2}
    found = pipe.probes(pipe.solve(140, scheme="staggered", time=time)[3])
    np.testing.assert_allclose(found, IMPLICIT[140], atol=1.5e-3)


@pytest.mark.parametrize("accuracy", [1, 2])
def test_what_the_source_gives_is_there(accuracy: int) -> None:
    material = MEDIUM["material"] | {"heat_capacity": 0.02}
    made = problem(
        material=material, edges=CLOSED, source="100*x*(t + 1)",
        time={"final": 0.1, "method": "implicit", "accuracy": accuracy, "tolerance": 1e-3},
    )  # fmt: skip
    start = total_energy(made, np.stack([np.full((5, 6), value) for value in (5, 0, 0, 4)]), RHO)
    end = total_energy(made, loop_of(made).fields, RHO)
    given = 100 * 0.5 * (0.1 + 0.005) * 30
    assert abs(end - start - given) < (1e-6 if accuracy == 2 else 2e-2) * given


@hypothesis.given(
    st.floats(0.1, 8), st.floats(1e-2, 1e4), st.floats(1e-3, 1e3), st.sampled_from([1, 2])
)
@hypothesis.settings(max_examples=20, deadline=None)
def test_equilibrium_stays(T: float, sigma: float, step: float, accuracy: int) -> None:
    made = problem(
        edges=CLOSED,
        material={"density": RHO, "sigma_a": sigma, "sigma_c": 2 * sigma, "heat_capacity": "T"},
        initial={"E": f"0.01372*{T!r}^4", "T": T},
        time={"final": 3 * step, "method": "implicit", "adaptive": False, "step": step}
        | {"accuracy": accuracy},
    )
    E, Fx, Fy, found = loop_of(made).fields
    np.testing.assert_allclose(found, T, rtol=1e-10)
    np.testing.assert_allclose(E, 0.01372 * T**4, rtol=1e-10)
    np.testing.assert_allclose([Fx, Fy], 0, atol=1e-10 * T**4)


@hypothesis.given(st.integers(0, 2**32 - 1))
@hypothesis.settings(max_examples=10, deadline=None)
def test_closed_media_keep_their_energy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rho = 10 ** rng.uniform(-2, 2, (5, 6))
    made = problem(
        edges=CLOSED,
        material={"density": rho, "sigma_a": "rho*T^-1", "sigma_c": "rho*(1 + T^-1)"}
        | {"heat_capacity": 0.3},
        initial={"E": "1 + 5*x", "T": "1 + y"},
        time={"final": 1.0, "method": "implicit", "tolerance": 1e-3},
    )
    x, y = made.cells.whole.x[None, 1:-1], made.cells.whole.y[1:-1, None]
    start = np.broadcast_arrays(1 + 5 * x, 0 * x, 0 * x, 1 + y + 0 * x)
    before = total_energy(made, np.stack(start), rho)
    assert abs(total_energy(made, loop_of(made).fields, rho) / before - 1) < 1e-6


def test_records_are_of_the_order_of_the_method() -> None:
    """A record between steps is as good as a run that ends there."""
    asked: dict[str, Any] = {"edges": EDGES["held and vacuum"], "signals": {"at": "edge"}}
    asked |= {"detectors": [{"x": 0.4, "y": 0.3, "width": 0.2}, {"edge": "right", "position": 0.4}]}
    time = {"method": "implicit", "tolerance": 1e-5}
    at = 0.0123456
    whole = simulate(problem(**asked, time=time | {"final": 0.02, "records": [0.0, at]}))
    part = simulate(problem(**asked, time=time | {"final": at, "records": [0.0, at]}))
    assert whole.detectors is not None
    assert part.detectors is not None
    pairs = [(whole.signals[name][1], part.signals[name][1]) for name in whole.signals]
    for found, expected in [*pairs, (whole.detectors.signals[1], part.detectors.signals[1])]:
        np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())
    assert whole.times.tolist() == [0.0, at]


def test_records_do_not_change_the_steps() -> None:
    asked = {"edges": EDGES["periodic"]}
    time = {"method": "implicit", "final": 0.02}
    few, many = (loop_of(problem(**asked, time=time | {"records": n})) for n in (2, 1000))
    assert np.array_equal(few.fields, many.fields)
    assert few.steps == many.steps < 500


@pytest.mark.parametrize(
    ("solver", "open_edge"), [("scipy", False), ("scipy", True), ("petsc", False), ("petsc", True)]
)
def test_back_ends_agree(solver: str, open_edge: bool) -> None:
    if solver == "petsc":
        pytest.importorskip("petsc4py")
    edges = EDGES["source, Marshak's vacuum and free" if open_edge else "periodic"]
    time = {"method": "implicit", "final": 0.1, "tolerance": 1e-6, "adaptive": False, "step": 0.01}
    found = loop_of(problem(edges=edges, time=time | {"solver": solver}))
    expected = loop_of(problem(edges=edges, time=time | {"tolerance": 1e-10}))
    assert solver in found.solver.name
    np.testing.assert_allclose(found.fields, expected.fields, rtol=1e-6, atol=1e-6)


@pytest.mark.mpi
def test_a_solve_that_fails_is_tried_again_with_a_shorter_step() -> None:
    """With three iterations of Jacobi's preconditioner, long steps find no solution."""
    asked = {"edges": EDGES["held and vacuum"]}
    time = {"final": 0.05, "method": "implicit", "step": 0.05, "tolerance": 1e-2}
    with pytest.warns(SolverWarning, match="time.solver: found no solution in 20 of"):
        hobbled = loop_of(problem(**asked, time=time | {"petsc": "-pc_type jacobi -ksp_max_it 3"}))
    assert hobbled.rejected > 0
    assert "diverged (max it)" in hobbled.report["implicit"]["last_rejection"]
    found, expected = hobbled.fields[[0, 3]], loop_of(problem(**asked, time=time)).fields[[0, 3]]
    np.testing.assert_allclose(found, expected, rtol=0.02)


def test_where_there_is_no_steady_state_it_is_said() -> None:
    with pytest.raises(SolverFailure, match=r"time.method: found no"):
        loop_of(problem(edges=CLOSED, source="1", time={"method": "steady"}))


def test_explicit_loops_refuse_implicit_problems() -> None:
    made = problem(edges=CLOSED, time={"method": "implicit"})
    with pytest.raises(InputError, match="only explicit steps"):
        March(made, SerialDomain(made))
