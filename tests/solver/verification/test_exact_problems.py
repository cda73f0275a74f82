"""The verification problems are what they say, and the consistent scheme solves them.

Coarser grids than `make verify`, the same claims. What test_consistent.py holds is not repeated.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opalux.base.axes import EDGES
from opalux.solver.formulas.formula import Formula
from opalux.solver.march import simulate
from opalux.solver.problem import Problem
from opalux.solver.verification import su_olson
from opalux.solver.verification.checkerboard import Checkerboard
from opalux.solver.verification.convergence import WALLS, fitted_order
from opalux.solver.verification.linear_wave import LinearWave
from opalux.solver.verification.manufactured import RHO, Manufactured
from opalux.solver.verification.plane_wave import C, PlaneWave
from opalux.solver.verification.relaxation import Relaxation
from opalux.solver.verification.su_olson import PLACES, TABLE, SuOlson
from tests.solver.exact import A, start_of

FEW = settings(max_examples=40, deadline=None)


@pytest.mark.parametrize(
    "wave",
    [
        LinearWave(),
        LinearWave(heat_capacity="0.05*T^2", eddington=1 / 3),
        LinearWave(waves=(1, 2), eddington=1 / 3),
        LinearWave(waves=(0, 1), sigma_a="0.5*rho", sigma_c="20*rho*T"),
    ],
)
def test_small_waves_about_equilibrium_converge_at_first_order(wave):
    cells = [32, 64, 128]
    errors = [wave.error(n) for n in cells]
    assert fitted_order(cells, errors) >= 0.85, errors


def test_small_waves_tell_a_heat_capacity_that_lacks_a_factor_a():
    right, wrong = LinearWave(), LinearWave(heat_capacity=repr(A * 0.14361))
    changed = {"material": wrong.problem(64).material}
    assert right.error(64, **changed) > 10 * right.error(64)


@pytest.mark.parametrize("case", TABLE)
def test_exact_su_olson_profiles_agree_with_the_table_and_with_a_series(case):
    x, (k, tau) = np.array(PLACES), case
    computed = np.array(su_olson.exact(x, tau, k))
    assert np.abs(computed - np.array(TABLE[case])).max() < 1e-5
    away = x != su_olson.HALF  # there the series, cut off, converges slowly
    other = np.array(su_olson.series(x, tau, k, modes=1000, length=14.0))
    assert np.abs(computed - other)[:, away].max() < 5e-5
    assert np.abs(computed - other)[:, ~away].max() < 1e-3


@pytest.mark.parametrize("case", TABLE)
def test_su_olson_is_met_to_two_thousandths(case):
    k, tau = case
    errors = SuOlson(k, tau).table_errors(su_olson.CELLS[k])
    away = np.array(PLACES) != su_olson.HALF
    assert errors[:, away].max() <= 2e-3, errors


@pytest.mark.parametrize("case", TABLE)
def test_su_olson_converges_at_first_order(case):
    cells = [25, 50, 100]
    errors = [SuOlson(*case).mean_error(n) for n in cells]
    assert fitted_order(cells, errors) >= 0.9, errors


@pytest.mark.parametrize("eddington", [1.0, 1 / 3])
def test_the_manufactured_fields_satisfy_the_equations(eddington):
    """Central differences at random points; the fields are smooth on the scale of a centimetre."""
    case = Manufactured(eddington)
    material = case.problem(8).material
    generator = np.random.default_rng(0)
    point = {
        "x": generator.uniform(0, 1, 50),
        "y": generator.uniform(0, 0.8, 50),
        "t": generator.uniform(0, case.time, 50),
    }

    def value(text: str, **places: Any) -> np.ndarray:
        return Formula(text, ("x", "y", "t"))(**(point | places))

    def slope(text: str, variable: str) -> np.ndarray:
        step = 1e-4 / C if variable == "t" else 1e-4
        high, low = (value(text, **{variable: point[variable] + s}) for s in (step, -step))
        return (high - low) / (2 * step)

    E, Fx, Fy, T = case.fields.values()
    rho, temperature = value(RHO), value(T)
    sigma_a, sigma_c, C_v = (
        Formula(text, ("rho", "T"))(rho=rho, T=temperature)
        for text in (material.sigma_a, material.sigma_c, material.heat_capacity)
    )
    absorbed = C * sigma_a * (value(E) - A * temperature**4)
    energy = slope(E, "t") + C * (slope(Fx, "x") + slope(Fy, "y")) + absorbed - value(case.source)
    flux_x = slope(Fx, "t") + eddington * C * slope(E, "x") + C * sigma_c * value(Fx)
    flux_y = slope(Fy, "t") + eddington * C * slope(E, "y") + C * sigma_c * value(Fy)
    matter = rho * C_v * slope(T, "t") - absorbed
    assert np.abs(absorbed).max() > 10
    for residual in (energy, flux_x, flux_y, matter):
        assert np.abs(residual).max() < 1e-4


@pytest.mark.parametrize("eddington", [1.0, 1 / 3])
def test_the_manufactured_solution_is_met_at_first_order(eddington):
    cells = [32, 64, 128]
    errors = [Manufactured(eddington).errors(n) for n in cells]
    for field in ("E", "F", "T"):
        assert fitted_order(cells, [e[field] for e in errors]) >= 0.85, (field, errors)


def diffusing(sigma: float, seconds: float = 1.0) -> float:
    return max(0.4, seconds * sigma / (2 * np.pi) ** 2) / C


@pytest.mark.parametrize("thickness", [1e-2, 1e-1, 1.0, 10.0, 1e2, 1e3, 1e4])
def test_the_diffusion_limit_is_kept_on_a_fixed_mesh(thickness):
    """Errors in units of the wave; upwind fluxes that ignore the opacity lose all of it."""
    sigma = 16 * thickness
    wave = PlaneWave(sigma=sigma, time=diffusing(sigma))
    error = wave.distance(16, time={"final": wave.time, "cfl": 0.98})
    assert error <= (0.1 if thickness < 10 else 0.006)
    assert wave.upwind_distance(16) > 2 * error


@pytest.mark.parametrize("thickness", [1e-2, 1.0, 10.0, 1e3])
def test_the_diffusion_limit_is_kept_with_absorption(thickness):
    sigma = repr(16 * thickness)
    wave = LinearWave(sigma_a=sigma, sigma_c=sigma, time=diffusing(16 * thickness, 2.0))
    error = wave.distance(16, time={"final": wave.time, "cfl": 0.98})
    assert error <= (0.1 if thickness < 10 else 0.003)


@pytest.mark.parametrize("eddington", [1.0, 1 / 3])
@pytest.mark.parametrize("thickness", [1e-2, 1e-1, 1.0, 10.0, 1e2, 1e3, 1e4])
def test_a_checkerboard_does_not_survive(thickness, eddington):
    assert Checkerboard(thickness, eddington).survivor() <= 1e-3


def test_one_cell_follows_the_ordinary_differential_equation():
    cell, errors, shares = Relaxation(), [], [0.04, 0.02, 0.01, 0.005]
    for share in shares:
        t, T = cell.computed(5e-5, time={"final": 5e-5, "cfl": share * 5e-5 * C})
        errors.append(float(np.abs(T - cell.exact(t)).max()))
    assert fitted_order([1, 2, 4, 8], errors) >= 0.9, errors


def test_the_published_coupling_ends_at_the_equilibrium_of_another_heat_capacity():
    cell = Relaxation()
    end = cell.computed(0.02, scheme="published")[1][-1]
    assert end == pytest.approx(cell.equilibrium(published=True), abs=1e-4)
    assert cell.equilibrium(published=True) == pytest.approx(5.4380, abs=5e-5)
    assert abs(end - cell.equilibrium()) > 0.013


OPACITIES = ["rho*T", "rho", "10*rho/T^3", "0.001", "0", "300*rho*T^0.5"]
CAPACITIES = {"0.2": 0, "0.1*T": 1, "0.002*T^3": 3}


@st.composite
def media(draw):
    """Draw a grid, a random medium and its laws."""
    nx, ny = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    seed = draw(st.integers(0, 2**31))
    data = {
        "grid": {"nx": nx, "ny": ny, "y": [0.0, draw(st.sampled_from([0.3, 1.0, 2.0]))]},
        "time": {"final": 0.001, "cfl": draw(st.sampled_from([0.2, 0.45]))},
        "constants": {"eddington": draw(st.sampled_from([1.0, 1 / 3]))},
        "material": {
            "sigma_a": draw(st.sampled_from(OPACITIES)),
            "sigma_c": draw(st.sampled_from(OPACITIES)),
            "heat_capacity": draw(st.sampled_from(list(CAPACITIES))),
        },
    }
    return data, np.random.default_rng(seed).uniform(0.1, 10, (ny, nx))


EDGE_KINDS = [
    {"kind": "free"},
    {"kind": "wall"},
    {"kind": "source", "sources": [{"amplitude": 0}], "T": "3"},
    {"kind": "prescribed", "E": f"{A * 81!r}", "Fx": 0, "Fy": "free", "T": 3},
]


@given(media(), st.lists(st.sampled_from(EDGE_KINDS), min_size=4, max_size=4))
@FEW
def test_an_equilibrium_stays_in_any_medium_behind_any_edges(case, kinds):
    data, rho = case
    equilibrium = {
        "initial": {"E": A * 81, "T": 3},
        "edges": dict(zip(EDGES, kinds, strict=True)),
    }
    E, Fx, Fy, T = simulate(Problem.model_validate(data | equilibrium), rho).fields
    assert pytest.approx(A * 81, rel=1e-13) == E
    assert pytest.approx(3.0, rel=1e-13) == T
    assert np.abs([Fx, Fy]).max() < 1e-12


ROUGH = {"E": "6+5.9*sin(40*x+70*y)", "T": "3+2.9*cos(50*x-30*y)"}


@given(media())
@FEW
def test_energy_is_conserved_for_heat_capacities_that_vary(case):
    data, rho = case
    problem = Problem.model_validate(data | {"initial": ROUGH, "edges": WALLS})
    power = CAPACITIES[data["material"]["heat_capacity"]]
    factor = float(data["material"]["heat_capacity"].split("*")[0]) / (power + 1)
    energies = [
        (s.fields[0] + s.rho * factor * s.fields[3] ** (power + 1)).sum()
        for s in (start_of(problem, rho), simulate(problem, rho))
    ]
    assert energies[1] == pytest.approx(energies[0], rel=1e-12)


@given(media())
@FEW
def test_temperatures_stay_positive_and_in_one_dimension_energies_too(case):
    data, rho = case
    _, _, _, T = simulate(
        Problem.model_validate(data | {"initial": ROUGH, "edges": WALLS}), rho
    ).fields
    assert (T > 0).all()
    flat = data | {"grid": data["grid"] | {"ny": 1, "y": [0.0, 1000.0]}}
    row = simulate(Problem.model_validate(flat | {"initial": ROUGH, "edges": WALLS}), rho[:1])
    assert (row.fields[0] > 0).all()
    assert (row.fields[3] > 0).all()


@given(media(), st.sampled_from(["x", "y"]), st.lists(st.sampled_from(EDGE_KINDS), min_size=4,
                                                      max_size=4))  # fmt: skip
@FEW
def test_any_mirrored_problem_has_the_mirrored_solution(case, axis, kinds):
    data, rho = case
    data = data | {"edges": dict(zip(EDGES, kinds, strict=True))}
    swap = {"x": {"left": "right", "right": "left"}, "y": {"up": "down", "down": "up"}}[axis]
    image = data | {"edges": {swap.get(name, name): edge for name, edge in data["edges"].items()}}
    turn = np.s_[:, ::-1] if axis == "x" else np.s_[::-1]
    plain = simulate(Problem.model_validate(data), rho).fields
    mirrored = simulate(Problem.model_validate(image), np.ascontiguousarray(rho[turn])).fields
    signs = (1, -1, 1, 1) if axis == "x" else (1, 1, -1, 1)
    for found, field, sign in zip(mirrored, plain, signs, strict=True):
        assert np.array_equal(found, sign * field[turn])


def test_p1_in_two_dimensions_does_not_keep_energies_positive_and_one_dimension_does():
    """The wake of a pulse in two dimensions is a property of the equations, not of the scheme."""
    pulse = {"E": "x < 0.125 && y < 0.125 ? 9 : 1e-3"}
    common = {
        "time": {"final": 0.4 / C, "cfl": 0.45},
        "material": {"sigma_a": "0", "sigma_c": "0"},
        "initial": pulse,
        "edges": WALLS,
    }
    lowest = [
        float(simulate(Problem.model_validate(common | {"grid": {"nx": n}})).fields[0].min())
        for n in (32, 64)
    ]
    assert lowest[1] < lowest[0] < 0


@pytest.mark.parametrize(
    "wave",
    [
        PlaneWave(4.0, (1, 0)),
        PlaneWave(4.0, (1, 1), 1 / 3),
        LinearWave(),
        LinearWave(waves=(1, 2), eddington=1 / 3, heat_capacity="0.05*T^2"),
    ],
)
def test_second_order_is_reached_on_smooth_waves(wave):
    cells = [16, 32, 64]
    errors = [wave.error(n, order=2) for n in cells]
    assert fitted_order(cells, errors) >= 1.8, errors


@pytest.mark.parametrize("periodic", [True, False])
def test_second_order_is_reached_where_all_coefficients_vary(periodic):
    cells = [16, 32, 64]
    errors = [Manufactured(1 / 3, periodic).errors(n, order=2) for n in cells]
    for field in ("E", "F", "T"):
        assert fitted_order(cells, [e[field] for e in errors]) >= 1.8, (field, errors)


def test_second_order_meets_su_olson_on_a_third_of_the_cells():
    away = np.array(PLACES) != su_olson.HALF
    for k in (1.0, 1 / 3):
        errors = SuOlson(k, 10.0).table_errors(40, order=2)
        assert errors[:, away].max() <= 2e-3, errors


@pytest.mark.parametrize("thickness", [1e-2, 1.0, 10.0, 1e2, 1e3])
def test_second_order_is_no_worse_than_first_in_the_diffusion_limit(thickness):
    sigma = 16 * thickness
    wave = PlaneWave(sigma=sigma, time=diffusing(sigma))
    first, second = (
        wave.distance(16, order=order, time={"final": wave.time, "cfl": 0.98}) for order in (1, 2)
    )
    assert second <= max(2 * first, 0.02)
    assert Checkerboard(thickness).survivor(order=2) <= 1e-3
