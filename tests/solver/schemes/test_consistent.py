"""The consistent scheme solves the equations it says it solves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opalux.solver.march import simulate
from opalux.solver.problem import Problem
from opalux.solver.verification.convergence import WALLS, fitted_order
from opalux.solver.verification.plane_wave import PlaneWave
from tests.solver.exact import A, start_of, total_energy

CELLS = [32, 64, 128, 256]


def test_damped_plane_wave_converges_at_first_order():
    wave = PlaneWave(sigma=4.0)
    errors = [wave.error(n) for n in CELLS]
    order = fitted_order(CELLS, errors)
    print(f"cells {CELLS}, errors {errors}, order {order:.3f}")
    assert order >= 0.9
    assert errors[-1] < 0.04


@pytest.mark.parametrize(("waves", "eddington"), [((0, 1), 1.0), ((1, 1), 1.0), ((1, 2), 1 / 3)])
def test_plane_waves_converge_in_every_direction_and_for_both_eddington_factors(waves, eddington):
    wave = PlaneWave(sigma=4.0, waves=waves, eddington=eddington)
    errors = [wave.error(n) for n in CELLS[:3]]
    assert fitted_order(CELLS[:3], errors) >= 0.85, errors


def test_published_converges_to_four_times_the_opacity():
    """The sum over four faces relaxes F with 4 σ: order 1 towards that, far from σ."""
    wave = PlaneWave(sigma=4.0, time=0.2 / 299)
    cells = [64, 128, 256]
    amplitudes = [wave.published_amplitude(n) for n in cells]
    errors = [abs(amplitude - wave.amplitude(16.0)) for amplitude in amplitudes]
    for amplitude, error in zip(amplitudes, errors, strict=True):
        assert abs(amplitude - wave.amplitude(4.0)) > 5 * error
    assert fitted_order(cells, errors) >= 0.9, errors


def test_relaxation_reaches_the_equilibrium_of_the_equations():
    problem = Problem(
        grid={"nx": 3}, time={"final": 0.2}, material={"density": 2}, initial={"E": "12"}
    )
    solution = simulate(problem)
    E, T = solution.fields[0], solution.fields[3]
    assert pytest.approx(5.42436, abs=5e-6) == T
    assert pytest.approx(A * T**4, rel=1e-9) == E


def test_equilibrium_stays_constant_to_rounding():
    rho = np.random.default_rng(3).uniform(0.5, 5, (21, 34))
    problem = Problem(grid={"nx": 34, "ny": 21}, time={"final": 0.01}, edges=WALLS)
    E, Fx, Fy, T = simulate(problem, rho).fields
    assert pytest.approx(A * 625, rel=1e-14) == E
    assert pytest.approx(5.0, rel=1e-14) == T
    assert np.abs([Fx, Fy]).max() < 1e-13


@st.composite
def closed_problems(draw):
    """A problem without gain or loss at the edges, in a random medium."""
    nx, ny = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    seed = draw(st.integers(0, 2**31))
    opacity = draw(st.sampled_from(["rho*T", "rho", "10*rho/T^3", "0.01", "300*rho*T^-0.5"]))
    kind = draw(st.sampled_from(["wall", "periodic"]))
    problem = Problem(
        grid={"nx": nx, "ny": ny, "y": [0.0, draw(st.sampled_from([0.3, 1.0, 2.0]))]},
        time={"final": 0.002, "cfl": draw(st.sampled_from([0.2, 0.45]))},
        constants={"eddington": draw(st.sampled_from([1.0, 1 / 3]))},
        material={"sigma_a": opacity, "sigma_c": opacity},
        initial={"E": "6+5*sin(7*x+3*y)", "T": "4+3*cos(5*x-2*y)", "Fx": "sin(9*y)", "Fy": "x"},
        edges={name: {"kind": kind} for name in ("up", "down", "left", "right")},
    )
    return problem, np.random.default_rng(seed).uniform(0.1, 10, (ny, nx))


@given(closed_problems())
@settings(max_examples=60, deadline=None)
def test_energy_is_conserved_without_flux_through_the_edges(case):
    problem, rho = case
    before, after = start_of(problem, rho), simulate(problem, rho)
    gained = total_energy(problem, after.fields, rho) / total_energy(problem, before.fields, rho)
    assert abs(gained - 1) <= 1e-12
    assert (after.fields[3] > 0).all()


SYMMETRIES = {
    "left-right": (lambda a: a[:, ::-1], (0, 1, 2, 3), (1, -1, 1, 1)),
    "up-down": (lambda a: a[::-1], (0, 1, 2, 3), (1, 1, -1, 1)),
    "diagonal": (lambda a: a.T, (0, 2, 1, 3), (1, 1, 1, 1)),
}
EDGE_IMAGES = {
    "left-right": {"left": "right", "right": "left", "up": "up", "down": "down"},
    "up-down": {"left": "left", "right": "right", "up": "down", "down": "up"},
    "diagonal": {"left": "down", "down": "left", "right": "up", "up": "right"},
}


@pytest.mark.parametrize("name", SYMMETRIES)
@pytest.mark.parametrize("scheme", ["consistent"])
def test_a_mirrored_problem_has_the_mirrored_solution_bit_for_bit(name, scheme):
    turn, order, signs = SYMMETRIES[name]
    rho = np.random.default_rng(5).uniform(1, 5, (24, 24))
    edges = {"left": {"kind": "source"}, "up": {"kind": "wall"}}
    problem = Problem(scheme=scheme, grid={"nx": 24}, time={"final": 0.003}, edges=edges)
    image = problem.model_copy(
        update={"edges": problem.edges.model_copy(update={
            EDGE_IMAGES[name][edge]: getattr(problem.edges, edge) for edge in EDGE_IMAGES[name]
        })}
    )  # fmt: skip
    plain = simulate(problem, rho).fields
    mirrored = simulate(image, np.ascontiguousarray(turn(rho))).fields
    for target, (source, sign) in enumerate(zip(order, signs, strict=True)):
        assert np.array_equal(mirrored[target], sign * turn(plain[source])), target


def test_the_final_time_is_hit_exactly():
    solution = simulate(Problem(grid={"nx": 7}, time={"final": 0.00123}))
    dt = solution.times[1]
    assert solution.t_final == 0.00123
    assert solution.times[-1] + dt == pytest.approx(0.00123, rel=1e-12)
    assert dt <= 0.5 / 7 / 299


def test_heat_capacity_formula_conserves_energy():
    """C_v ∝ T³ (Su–Olson's medium): E + ρ b T⁴/4 is constant."""
    problem = Problem(
        grid={"nx": 9},
        time={"final": 0.004},
        material={"density": "1+x*y", "heat_capacity": "0.01*T^3"},
        initial={"E": "9+5*sin(6*x)", "T": "3+2*cos(7*y)"},
        edges=WALLS,
    )
    start, end = start_of(problem), simulate(problem)
    energies = [(s.fields[0] + s.rho * 0.01 * s.fields[3] ** 4 / 4).sum() for s in (start, end)]
    assert energies[1] == pytest.approx(energies[0], rel=1e-13)


def test_a_volume_source_adds_exactly_its_energy():
    problem = Problem(
        grid={"nx": 8}, time={"final": 0.001}, source="1000*x", edges=WALLS,
    )  # fmt: skip
    start, end = start_of(problem), simulate(problem)
    rise = total_energy(problem, end.fields, end.rho) - total_energy(
        problem, start.fields, start.rho
    )
    assert rise == pytest.approx(0.001 * 1000 * 0.5 * 64, rel=1e-11)


def test_float32_cells_give_the_float64_solution_to_their_own_precision():
    rho = np.random.default_rng(7).uniform(1, 5, (33, 40))
    base = {
        "grid": {"nx": 40, "ny": 33},
        "time": {"final": 0.004},
        "material": {"heat_capacity": "0.1+0.01*T"},
        "edges": {"left": {"kind": "source"}},
    }
    double = simulate(Problem.model_validate(base), rho).fields
    single = simulate(Problem.model_validate(base | {"dtype": "float32"}), rho).fields
    assert single.dtype == np.float32
    for a, b in zip(single, double, strict=True):
        assert np.abs(a - b).max() <= 2e-5 * np.abs(b).max()
        assert (a != b).any()
