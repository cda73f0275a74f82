"""Discrete ordinates against what is known of transport."""

import numpy as np
import pytest
from scipy.special import expn

from opalux.base.errors import InputError
from opalux.solver.problem import Problem
from opalux.solver.transport.quadrature import product_quadrature
from opalux.solver.transport.reference import Reference
from opalux.solver.verification.su_olson import PLACES, SuOlson

C, A = 299.0, 0.01372
WALL, PERIODIC, FREE = {"kind": "wall"}, {"kind": "periodic"}, {"kind": "free"}
DARK = {"kind": "vacuum"}
LAMP = {"kind": "source", "T": 0, "sources": [{"signal": "1"}]}
AROUND = {"left": PERIODIC, "right": PERIODIC, "up": PERIODIC, "down": PERIODIC}
SLAB = {"left": LAMP, "right": DARK, "up": WALL, "down": WALL}


def line(nx: int, t: float, material: dict, initial: dict, edges: dict) -> Problem:
    """Return a problem that varies along x alone, on [0, 1] cm."""
    return Problem.model_validate(
        {
            "grid": {"nx": nx, "ny": 1, "y": [0, 1]},
            "time": {"final": t, "cfl": 0.4},
            "material": material,
            "initial": initial,
            "edges": edges,
        }
    )


@pytest.mark.parametrize("order", [2, 4, 12])
def test_the_quadrature_integrates_1_omega_and_its_square_exactly(order):
    made = product_quadrature(order)
    weights = np.repeat(made.weights[:, None], 4, axis=1)
    assert weights.size == order**2
    means = [(weights * f).sum() for f in (1 + 0 * made.x, made.x, made.y, made.x * made.y)]
    np.testing.assert_allclose(means, [1, 0, 0, 0], atol=1e-15)
    np.testing.assert_allclose([(weights * f**2).sum() for f in (made.x, made.y)], 1 / 3)


def test_a_scattering_slab_lets_through_what_transport_tables_say():
    """Optical depth 10, light from the left; S32 in one dimension gives 0.0525 and 0.0292."""
    slab = line(40, 0.12, {"sigma_a": 0, "sigma_c": 10}, {"E": 1e-10, "T": 0.01}, SLAB)
    E, Fx, _, _ = Reference(slab, 8).solve().fields[:, 0]
    np.testing.assert_allclose(Fx, 0.0292, atol=1.5e-4)  # steady: the same everywhere
    assert 1.5 * E[-1] - 0.5 * E[-2] == pytest.approx(0.0525, abs=5e-4)


def test_an_absorber_fades_light_by_exponential_integrals():
    sigma = 4.0
    material = {"sigma_a": sigma, "sigma_c": sigma, "heat_capacity": 1e9}
    slab = line(64, 0.01, material, {"E": 1e-10, "T": 1e-3}, SLAB)
    E, Fx, Fy, _ = Reference(slab, 16).solve().fields[:, 0]
    x = (np.arange(64) + 0.5) / 64
    np.testing.assert_allclose(E, expn(2, sigma * x) / 2, rtol=0.02)
    np.testing.assert_allclose(Fx, expn(3, sigma * x) / 2, rtol=0.01)
    assert not Fy.any()


def test_free_streaming_carries_each_direction_away_at_second_order():
    """E = 2 + the mean of cos q(x − c Ωx t), for light that was isotropic at first."""
    errors = []
    for nx in (32, 64, 128):
        wave = line(
            nx, 0.3 / C, {"sigma_a": 0, "sigma_c": 0}, {"E": "2 + cos(2*pi*x)", "T": 1}, AROUND
        )
        x = (np.arange(nx) + 0.5) / nx
        made = product_quadrature(4)
        exact = 2 + np.einsum(
            "m,mqi->i", made.weights, np.cos(2 * np.pi * (x - 0.3 * made.x[:, :, None]))
        )
        E = Reference(wave, 4).solve().fields[0, 0]
        errors.append(np.abs(E - exact).mean())
    assert errors[0] / errors[1] > 3
    assert errors[1] / errors[2] > 3
    assert errors[2] < 4e-4


@pytest.mark.parametrize("thickness", [1.0, 10.0, 100.0])
def test_thick_cells_have_the_diffusion_of_the_limit(thickness):
    """A wave that scattering shrinks by e; first-order upwind would lose all of it."""
    nx = 16
    sigma = thickness * nx
    t = 3 * sigma / C / (2 * np.pi) ** 2
    wave = line(nx, t, {"sigma_a": 0, "sigma_c": sigma}, {"E": "2 + cos(2*pi*x)", "T": 1}, AROUND)
    E = Reference(wave, 2).solve().fields[0, 0]
    amplitude = 2 * (E * np.cos(2 * np.pi * (np.arange(nx) + 0.5) / nx)).mean()
    assert amplitude == pytest.approx(np.exp(-1), rel=0.05)


BLOB = {"E": "9 + 5*exp(-20*((x-0.3)^2 + (y-0.6)^2))", "Fx": "y", "Fy": "-x/2", "T": "4 + x"}
MEDIUM = {"density": "1 + 2*x*y", "sigma_a": "rho*T/2", "heat_capacity": "0.1*T"}


def square(initial: dict, edges: dict, medium: dict | None = None, **more: object) -> Problem:
    """Return a problem on 8 x 6 cells, in which everything happens."""
    return Problem.model_validate(
        {
            "grid": {"nx": 8, "ny": 6, "y": [0, 1]},
            "time": {"final": 0.002, "cfl": 0.4},
            "material": medium or MEDIUM,
            "initial": initial,
            "edges": edges,
            **more,
        }
    )


@pytest.mark.parametrize(
    "edges",
    [
        AROUND,
        dict.fromkeys(AROUND, WALL),
        {"left": PERIODIC, "right": PERIODIC, "up": WALL, "down": WALL},
    ],
)
def test_energy_is_kept_to_rounding_where_none_passes_the_edges(edges):
    problem = square(BLOB, edges)
    before, after = energy(initial_fields(problem)), energy(Reference(problem, 4).solve().fields)
    assert after == pytest.approx(before, rel=1e-13)


def initial_fields(problem: Problem) -> np.ndarray:
    """Return E, Fx, Fy, T (4, ny, nx) at t = 0."""
    x, y = problem.cells.whole.x[None, 1:-1], problem.cells.whole.y[1:-1, None]
    E = 9 + 5 * np.exp(-20 * ((x - 0.3) ** 2 + (y - 0.6) ** 2))
    return np.stack(np.broadcast_arrays(E, y, -x / 2, 4 + x))


def energy(fields: np.ndarray) -> float:
    """Return the mean of E + ∫ρ C_v dT in `MEDIUM` [g/cm/sh²]."""
    x, y = (np.arange(8) + 0.5) / 8, (np.arange(6)[:, None] + 0.5) / 6
    return float((fields[0] + 0.05 * (1 + 2 * x * y) * fields[3] ** 2).mean())


def test_a_volume_source_brings_its_energy():
    problem = square(BLOB, AROUND, source="1000*(1 + x)*t")
    gained = energy(Reference(problem, 4).solve().fields) - energy(initial_fields(problem))
    assert gained == pytest.approx(1000 * 1.5 * 0.002**2 / 2, rel=1e-10)


@pytest.mark.parametrize(
    "edge", [WALL, PERIODIC, FREE, {"kind": "source", "T": 5}, {"kind": "vacuum", "T": 5}]
)
def test_an_equilibrium_stays(edge):
    if edge["kind"] == "source":
        edge = edge | {"sources": [{"amplitude": 0}]}
    problem = square({"E": "0.01372*5^4", "T": 5}, dict.fromkeys(AROUND, edge))
    E, Fx, Fy, T = Reference(problem, 4).solve().fields
    np.testing.assert_allclose(E, A * 5**4, rtol=1e-13)
    np.testing.assert_allclose(T, 5, rtol=1e-13)
    np.testing.assert_allclose([Fx, Fy], 0, atol=1e-13)


@pytest.mark.parametrize(
    ("replaced", "swapped", "flip", "component"),
    [
        ("x", ("left", "right"), np.s_[:, ::-1], 1),
        ("y", ("up", "down"), np.s_[::-1, :], 2),
    ],
)
def test_the_mirrored_problem_has_the_mirrored_bits(replaced, swapped, flip, component):
    """On a square of [-1, 1] cm, whose cell centres are exactly mirrored."""
    initial = {"E": "9 + x/4 + x*y/2 + y", "Fx": "y + x/4", "Fy": "y/2 - x/4", "T": "4 + x - y/2"}
    edges = {"left": {"kind": "source"}, "right": DARK, "up": WALL, "down": FREE}

    def solved(initial: dict, edges: dict, density: str) -> np.ndarray:
        grid = {"nx": 8, "ny": 8, "x": [-1, 1], "y": [-1, 1]}
        medium = MEDIUM | {"density": density}
        return Reference(square(initial, edges, medium, grid=grid), 4).solve().fields

    def mirrored(text: str) -> str:
        return text.replace(replaced, f"(-{replaced})")

    one, other = swapped
    flux = ("Fx", "Fy")[component - 1]
    images = {name: mirrored(text) for name, text in initial.items()}
    images[flux] = f"-({images[flux]})"
    density = "2 + x/2 + x*y/4"
    plain = solved(initial, edges, density)
    image = solved(images, edges | {one: edges[other], other: edges[one]}, mirrored(density))
    plain[component] *= -1
    for before, after in zip(plain, image, strict=True):
        np.testing.assert_array_equal(after[flip], before)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scheme": "published"}, "scheme: found 'published'"),
        ({"edges": {"up": {"kind": "prescribed", "E": "1"}}}, "edges.up: found kind 'prescribed'"),
        ({"edges": {"left": {"kind": "source", "Fx": "1"}}}, "edges.left.Fx: found '1'"),
        ({"edges": {"left": {"kind": "source", "T": "free"}}}, "edges.left.T: found 'free'"),
        (
            {"edges": {"left": {"kind": "source", "sources": [{"amplitude": 50}]}}},
            "edges.left: found light of E = -",
        ),
        ({"material": {"sigma_c": "rho*T/2"}}, "found sigma_c = 2.5 < sigma_a = 5"),
        ({"initial": {"Fx": "8"}}, r"found \|F\| > E/3"),
        ({"grid": {"nx": 10**6, "ny": 10**4}}, "GiB, but this machine has"),
    ],
)
def test_what_transport_does_not_know_is_refused_before_any_work(changes, message):
    problem = Problem.model_validate({"grid": {"nx": 8}, **changes})
    with pytest.raises(InputError, match=message):
        Reference(problem, 4)


def test_opacities_that_cross_later_are_refused_then():
    """σ_c < σ_a only when matter has cooled."""
    problem = square(
        {"E": "0.01", "T": 5}, {}, {"sigma_a": "10", "sigma_c": "2*T"}, time={"final": 0.01}
    )
    with pytest.raises(InputError, match=r"sigma_c = .* < sigma_a = 10 .* at t = "):
        Reference(problem, 2).solve()


# W at the places of `su_olson.PLACES` by transport: Su and Olson, Ann. Nucl. Energy 24, 1997.
SU_OLSON = {
    1.0: (0.64308, 0.56187, 0.35801, 0.03648, 0, 0),
    10.0: (2.23575, 2.06448, 1.73178, 0.98782, 0.45016, 0.09645),
}


@pytest.mark.parametrize("tau", SU_OLSON)
def test_su_olsons_slab_has_the_published_solution_of_transport(tau):
    problem = SuOlson(1.0, tau).problem(20)
    E = Reference(problem, 8).solve().fields[0, 0]
    found = np.interp(PLACES, problem.cells.whole.x[1:-1], E)
    np.testing.assert_allclose(found, SU_OLSON[tau], rtol=0.006, atol=2e-4)


@pytest.mark.parametrize(
    "changes",
    [
        {"scheme": "staggered"},
        {"order": 2},
        {"dtype": "float32"},
        {"constants": {"eddington": 0.1}},
    ],
)
def test_nothing_of_p1_changes_transport(changes):
    edges = {"left": {"kind": "source"}}
    plain = Reference(square(BLOB, edges), 2).solve().fields
    other = Reference(square(BLOB, edges, **changes), 2).solve().fields
    np.testing.assert_array_equal(other, plain)
