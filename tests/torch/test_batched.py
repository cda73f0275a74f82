"""The scheme in torch operations is that of the kernels, with its derivatives, for any problem."""

from typing import Any

import numpy as np
import pytest
import torch

from opalux.base.errors import InputError
from opalux.solver.gradient import SignalGradient
from opalux.solver.march import SolverFailure, simulate
from opalux.solver.problem import Problem
from opalux.torch import BatchedSolver

WALLED = {name: {"kind": "wall"} for name in ("up", "down", "left", "right")}
PERIODIC_X: dict[str, Any] = {"left": {"kind": "periodic"}, "right": {"kind": "periodic"}}
PROBLEMS: dict[str, dict[str, Any]] = {
    "source": {"edges": {"left": {"kind": "source"}}},
    "portions": {
        "edges": {
            "up": {"kind": "source", "T": "free", "sources": [{"start": 0.2, "stop": 0.6}]},
            "right": {"kind": "wall"},
        },
        "signals": {"at": "edge"},
    },
    "vacuum": {
        "edges": {
            "up": {"kind": "vacuum"},
            "down": {"kind": "vacuum", "condition": "marshak", "T": 6},
        },
        "constants": {"eddington": 1 / 3},
    },
    "prescribed": {
        "edges": WALLED
        | {"up": {"kind": "source"}, "down": {"kind": "prescribed", "E": 9, "Fy": 0.5, "T": 5}},
    },
    "driven": {
        "edges": {
            "left": {"kind": "prescribed", "E": "9+sin(900*t)"},
            "right": {"kind": "prescribed", "Fx": "sin(700*t)"},
            "up": {"kind": "periodic"},
            "down": {"kind": "periodic"},
        },
        "source": "100*x*cos(300*t)",
        "signals": {"at": "edge"},
    },
    "matter": {
        "edges": PERIODIC_X | {"up": {"kind": "source"}},
        "material": {
            "sigma_a": "0.2*rho*T^-0.5 + 0.1",
            "sigma_c": "max(rho*T, 1) + (T > 5 ? sqrt(T - 5) : 0)",
            "heat_capacity": "0.1 + 0.01*T*rho^0.5",
        },
        "source": "100*x",
    },
    "opaque": {"edges": {"left": {"kind": "source"}}, "material": {"sigma_a": "1e4*rho/T^3"}},
    "sudden": {  # beyond what the sweeps settle: cells are solved one by one between bounds
        "initial": {"T": "0.05", "E": "x < 0.3 ? 20 : 0.001", "Fx": "x < 0.5 ? -5 : 5"},
        "material": {"sigma_a": "30*rho*exp(3*T)", "sigma_c": "30*rho*exp(3*T)"},
        "edges": {"left": {"kind": "source"}, "up": {"kind": "wall"}},
    },
    "row": {"grid": {"nx": 9, "ny": 1}, "edges": {"left": {"kind": "source"}}},
}


def problem_of(name, **more):
    settings: dict[str, Any] = {
        "scheme": "staggered",
        "grid": {"nx": 7, "ny": 5, "y": (0, 0.6)},
        "time": {"final": 0.004},
        "initial": {"T": "4 + x", "Fx": "0.3*y"},
    }
    return Problem.model_validate(settings | PROBLEMS[name] | more)


def maps(problem, batch=3, seed=0):
    grid = problem.cells
    return np.random.default_rng(seed).uniform(0.5, 3, (batch, grid.ny, grid.nx))


def apart(found, expected):
    """The largest difference, in units of the largest value."""
    scale = np.abs(expected).max(initial=0)
    return 0.0 if scale == 0 else float(np.abs(found - expected).max() / scale)


def distances(solver, problem, rho):
    """How far signals and fields are from those of the kernels: of E, of F, of T."""
    found = solver.simulate(torch.as_tensor(rho))
    *_, (_, _, state) = solver.march(torch.as_tensor(rho), 10)
    fields = solver.fields(torch.as_tensor(rho), state).cpu().numpy()
    for b, one in enumerate(rho):
        expected = simulate(problem, one)
        for part in (slice(0, 1), slice(1, 3), slice(3, 4)):
            yield apart(fields[b, part], expected.fields[part])
            for name, signal in expected.signals.items():
                yield apart(found[name][b, :, part].cpu().numpy(), signal[:, part])


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_batch_has_the_signals_and_fields_of_the_kernels(name):
    problem = problem_of(name)
    assert max(distances(BatchedSolver(problem), problem, maps(problem))) <= 1e-12


@pytest.mark.parametrize("name", ["source", "driven", "matter"])
def test_in_float32_a_batch_has_the_signals_of_the_kernels_to_its_rounding(name):
    problem = problem_of(name, dtype="float32")
    solver = BatchedSolver(problem)
    assert solver.dtype == torch.float32
    assert max(distances(solver, problem, maps(problem))) <= 1e-4


def derivatives(problem, rho, segment=None, device="cpu"):
    """∂J/∂ρ of both, for random weights of the signals."""
    solver = BatchedSolver(problem, device)
    tensor = torch.as_tensor(rho).to(device).requires_grad_()
    signals = solver.simulate(tensor, segment)
    rng = np.random.default_rng(1)
    weights = {name: rng.normal(size=signal.shape) for name, signal in signals.items()}
    parts = [torch.as_tensor(weights[name]).to(device) * signals[name] for name in signals]
    torch.stack([part.sum() for part in parts]).sum().backward()
    assert tensor.grad is not None
    gradient = SignalGradient(problem)
    expected = []
    for b, one in enumerate(rho):
        gradient.simulate(one)
        expected.append(gradient.pull({name: weight[b] for name, weight in weights.items()}))
    return tensor.grad.cpu().numpy(), np.stack(expected)


@pytest.mark.parametrize("name", [name for name in PROBLEMS if name not in ("row", "sudden")])
def test_derivatives_through_time_are_those_of_the_adjoint(name):
    problem = problem_of(name)
    assert apart(*derivatives(problem, maps(problem, batch=2))) <= 1e-9


def test_segments_do_not_change_the_derivatives():
    problem = problem_of("source")
    rho = maps(problem, batch=1)
    one, two = (derivatives(problem, rho, segment)[0] for segment in (1, 1000))
    assert apart(one, two) <= 1e-13


def test_each_density_may_have_edges_of_its_own():
    problems = [
        problem_of("source", edges={"left": {"kind": "source", "sources": [{"stop": stop}]}})
        for stop in (0.2, 0.5)
    ]
    rho = maps(problems[0], batch=2)
    found = BatchedSolver(problems).simulate(torch.as_tensor(rho))
    for b, problem in enumerate(problems):
        for name, signal in simulate(problem, rho[b]).signals.items():
            assert apart(found[name][b].numpy(), signal) <= 1e-12


def test_what_cannot_be_one_batch_is_refused():
    one = problem_of("source")
    with pytest.raises(InputError, match="found consistent, expected staggered"):
        BatchedSolver(one.model_copy(update={"scheme": "consistent", "order": 1}))
    with pytest.raises(InputError, match="differs from the first in more"):
        BatchedSolver([one, problem_of("driven")])
    for rho, part in (
        (np.ones((5, 7)), "found shape"),
        (np.ones((1, 7, 5)), "found shape"),
        (np.zeros((1, 5, 7)), "must be finite and > 0"),
        (np.full((1, 5, 7), np.nan), "must be finite and > 0"),
    ):
        with pytest.raises(InputError, match=part):
            BatchedSolver(one).simulate(torch.as_tensor(rho))


def test_a_map_whose_solution_breaks_is_named():
    solver = BatchedSolver(problem_of("source", source="x < 0.5 ? 0 : 1e300*exp(1e6*t)"))
    with pytest.raises(SolverFailure, match="map 0 of 2: the solution is not finite"):
        solver.simulate(torch.ones(2, 5, 7))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", PROBLEMS)
def test_a_gpu_has_the_signals_and_derivatives_of_the_kernels(name):
    problem = problem_of(name)
    rho = maps(problem)
    assert max(distances(BatchedSolver(problem, "cuda"), problem, rho)) <= 1e-12
    if name not in ("row", "sudden"):
        assert apart(*derivatives(problem, rho, device="cuda")) <= 1e-9
