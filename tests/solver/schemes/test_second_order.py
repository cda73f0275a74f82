"""The schemes of second order keep what first order keeps, and are what they say."""

import json
from typing import Any

import numpy as np
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opalux.jobs.solve import main
from opalux.solver.domains.domain import SerialDomain
from opalux.solver.files.solution import read_solution
from opalux.solver.march import March, simulate
from opalux.solver.problem import Problem
from opalux.solver.schemes.second_order import Stepper
from opalux.solver.verification.convergence import PERIODIC, WALLS, centres, fitted_order
from opalux.solver.verification.plane_wave import C, PlaneWave
from tests.jobs.test_solve import UNEVEN, same_bits
from tests.solver.exact import A, total_energy
from tests.solver.schemes.test_consistent import EDGE_IMAGES, SYMMETRIES

Q = 2 * np.pi
SECOND: dict[str, dict[str, Any]] = {
    "consistent": {"order": 2},
    "staggered": {"scheme": "staggered"},
}
EACH = pytest.mark.parametrize("scheme", SECOND)


@EACH
@pytest.mark.parametrize("eddington", [1.0, 1 / 3])
@pytest.mark.parametrize("waves", [(1, 0), (0, 1), (1, 1), (1, 2), (-2, 1)])
def test_damped_plane_waves_converge_at_second_order_in_every_direction(waves, eddington, scheme):
    wave = PlaneWave(sigma=4.0, waves=waves, eddington=eddington)
    cells = [16, 32, 64]
    errors = [wave.error(n, **SECOND[scheme]) for n in cells]
    assert fitted_order(cells, errors) >= 1.8, errors
    assert errors[-1] < wave.error(64) / 4


@pytest.mark.parametrize(
    ("scheme", "given_fields", "order"),
    [
        ("consistent", "EF", 1.8),
        ("consistent", "E", 1.4),
        ("consistent", "F", 1.4),
        ("staggered", "EF", 1.8),
        ("staggered", "E", 1.8),
        ("staggered", "F", 1.8),
    ],
)
@pytest.mark.parametrize("along", ["x", "y"])
def test_prescribed_edges_stand_where_they_are(scheme, given_fields, order, along):
    """A standing wave cut off at edges that follow its E, its flux, or both."""
    ends, cells, errors = (0.13, 0.91), [32, 64, 128], []
    sides = ("left", "right") if along == "x" else ("down", "up")
    edges = {name: {"kind": "periodic"} for name in ("up", "down", "left", "right")}
    for side, place in zip(sides, ends, strict=True):
        formulas = {
            "E": f"3 + cos({Q * place!r})*cos({Q * C!r}*t)",
            "F" + along: f"sin({Q * place!r})*sin({Q * C!r}*t)",
        }
        edges[side] = {"kind": "prescribed"} | {
            name: text for name, text in formulas.items() if name[0] in given_fields
        }
    for n in cells:
        long, short = {f"n{along}": n, along: ends}, ("y" if along == "x" else "x")
        problem = Problem(
            **SECOND[scheme],
            grid=long | {f"n{short}": 1, short: (0.0, 1000.0)},
            time={"final": 0.4 / C},
            material={"density": 1, "sigma_a": "0", "sigma_c": "0"},
            initial={"E": f"3 + cos({Q!r}*{along})"},
            edges=edges,
        )
        exact = 3 + np.cos(Q * (ends[0] + centres(n, ends[1] - ends[0]))) * np.cos(Q * 0.4)
        found = simulate(problem).fields[0].reshape(-1)
        errors.append(float(np.sqrt(((found - exact) ** 2).mean())))
    assert fitted_order(cells, errors) >= order, errors


@EACH
@pytest.mark.parametrize("eddington", [1.0, 1 / 3])
def test_the_diffusion_limit_is_kept_at_a_fixed_mesh(eddington, scheme):
    """No worse than first order, from nearly transparent to opaque cells (0.01 <= h σ <= 1e4)."""
    n = 16
    for thickness in (1e-2, 1e-1, 1.0, 10.0, 1e2, 1e3, 1e4):
        sigma = n * thickness
        path = min(0.5 * max(sigma, 1.0) / (eddington * Q**2), 20.0)  # c t [cm]
        wave = PlaneWave(sigma=sigma, eddington=eddington, time=path / C)
        cosine = wave.wave(n)[0]
        decay = 1 - wave.amplitude()
        errors = []
        for choice in ({"order": 1}, SECOND[scheme]):
            E = simulate(wave.problem(n, **choice)).fields[0][0] - wave.mean
            amplitude = E @ cosine / (cosine @ cosine)
            errors.append(abs(amplitude - wave.amplitude()) / decay)
            assert np.abs(E - amplitude * cosine).max() < 0.01  # the limiter's own share
        # h² q²/12 is the error of the diffusion equation itself on this mesh
        assert errors[1] < max(errors[0], 3 * (Q / n) ** 2 / 12), (thickness, errors)


@EACH
def test_odd_even_patterns_die_out_in_the_diffusion_limit(scheme):
    n, thickness = 16, 100.0
    start = {"E": f"3 + cos({np.pi * n!r}*(x - {0.5 / n!r}))"}
    problem = Problem(
        **SECOND[scheme],
        grid={"nx": n, "ny": 1, "y": (0.0, 1000.0)},
        time={"final": 8 * thickness / n / C},
        material={"density": 1, "sigma_a": "0", "sigma_c": repr(n * thickness)},
        initial=start,
        edges=PERIODIC,
    )
    assert np.abs(simulate(problem).fields[0] - 3).max() < 1e-3


@st.composite
def closed_problems(draw, scheme):
    """A problem without gain or loss at the edges, far from equilibrium, in a random medium."""
    nx, ny = draw(st.integers(1, 10)), draw(st.integers(1, 10))
    opacity = draw(st.sampled_from(["rho*T", "10*rho/T^3", "0.01", "300*rho*T^-0.5", "0"]))
    kind = draw(st.sampled_from(["wall", "periodic"]))
    # Without bounds of positivity, states that P1 makes negative at once are no test of energy.
    wild = scheme == "consistent"
    problem = Problem(
        **SECOND[scheme],
        grid={"nx": nx, "ny": ny, "y": [0.0, draw(st.sampled_from([0.3, 1.0, 2.0]))]},
        time={"final": 0.002, "cfl": draw(st.sampled_from([0.1, 0.25, 0.45, 0.5]))},
        constants={"eddington": draw(st.sampled_from([1.0, 1 / 3]))},
        material={"sigma_a": opacity, "sigma_c": draw(st.sampled_from([opacity, "0.1"]))},
        initial={
            "E": draw(
                st.sampled_from(
                    ["6+5*sin(7*x+3*y)", *(["x < 0.3 && y < 0.3 ? 50 : 1e-6"] if wild else [])]
                )
            ),
            "T": draw(st.sampled_from(["4+3*cos(5*x-2*y)", "0.05"])),
            "Fx": draw(st.sampled_from(["0", "sin(9*y)", *(["20"] if wild else [])])),
        },
        edges={name: {"kind": kind} for name in ("up", "down", "left", "right")},
    )
    return problem, np.random.default_rng(draw(st.integers(0, 99))).uniform(0.1, 10, (ny, nx))


@EACH
@given(st.data())
@settings(max_examples=60, deadline=None)
def test_energy_is_conserved_and_temperatures_stay_positive(scheme, data):
    """And E, too, where fluxes are bounded; P1 itself does not keep it positive."""
    problem, rho = data.draw(closed_problems(scheme))
    march = March(problem, SerialDomain(problem), rho)
    before = total_energy(problem, march.domain.state[:, 1:-1, 1:-1], rho)
    for _ in march.run(pauses=range(1, march.n_steps)):
        E, T = march.domain.state[0, 1:-1, 1:-1], march.domain.state[3, 1:-1, 1:-1]
        assert E.min() >= 0 or scheme == "staggered"
        assert T.min() > 0
    after = total_energy(problem, march.domain.state[:, 1:-1, 1:-1], rho)
    assert abs(after / before - 1) <= 1e-12


@EACH
def test_heat_capacities_that_vary_conserve_energy(scheme):
    """C_v ∝ T³ (Su–Olson's medium): E + ρ b T⁴/4 is constant."""
    problem = Problem(
        **SECOND[scheme],
        grid={"nx": 9},
        time={"final": 0.004},
        material={"density": "1+x*y", "heat_capacity": "0.01*T^3"},
        initial={"E": "9+5*sin(6*x)", "T": "3+2*cos(7*y)"},
        edges=WALLS,
    )
    march = March(problem, SerialDomain(problem))

    def energy() -> float:
        E, _, _, T = march.domain.state[:, 1:-1, 1:-1]
        return float((E + march.rho[1:-1, 1:-1] * 0.01 * T**4 / 4).sum())

    before = energy()
    assert list(march.run())
    assert energy() == pytest.approx(before, rel=1e-13)


@EACH
def test_equilibrium_stays_constant_to_rounding(scheme):
    rho = np.random.default_rng(3).uniform(0.5, 5, (13, 18))
    problem = Problem(
        **SECOND[scheme], grid={"nx": 18, "ny": 13}, time={"final": 0.01}, edges=WALLS
    )
    E, Fx, Fy, T = simulate(problem, rho).fields
    assert pytest.approx(A * 625, rel=1e-14) == E
    assert pytest.approx(5.0, rel=1e-14) == T
    assert np.abs([Fx, Fy]).max() < 1e-13


@EACH
def test_a_volume_source_adds_exactly_its_energy(scheme):
    problem = Problem(
        **SECOND[scheme],
        grid={"nx": 8},
        time={"final": 0.001},
        source="1000*x*(1+1000*t)",
        edges=WALLS,
    )
    march = March(problem, SerialDomain(problem))
    rho = march.rho[1:-1, 1:-1]
    before = total_energy(problem, march.domain.state[:, 1:-1, 1:-1], rho)
    rise = total_energy(problem, simulate(problem).fields, rho) - before
    assert rise == pytest.approx(1000 * 0.5 * 64 * (0.001 + 1000 * 0.001**2 / 2), rel=1e-11)


@EACH
@pytest.mark.parametrize("name", SYMMETRIES)
def test_a_mirrored_problem_has_the_mirrored_solution_bit_for_bit(name, scheme):
    turn, fields, signs = SYMMETRIES[name]
    rho = np.random.default_rng(5).uniform(1, 5, (24, 24))
    edges = {
        "left": {"kind": "source"},
        "up": {"kind": "wall"},
        "right": {"kind": "prescribed", "E": "9"},
    }
    problem = Problem(**SECOND[scheme], grid={"nx": 24}, time={"final": 0.003}, edges=edges)
    image = problem.model_copy(
        update={"edges": problem.edges.model_copy(update={
            EDGE_IMAGES[name][edge]: getattr(problem.edges, edge) for edge in EDGE_IMAGES[name]
        })}
    )  # fmt: skip
    plain = simulate(problem, rho).fields
    mirrored = simulate(image, np.ascontiguousarray(turn(rho))).fields
    for target, (source, sign) in enumerate(zip(fields, signs, strict=True)):
        assert np.array_equal(mirrored[target], sign * turn(plain[source])), target


def test_published_knows_no_second_order():
    with pytest.raises(pydantic.ValidationError, match="found 2 with scheme published"):
        Problem(scheme="published", order=2, grid={"nx": 8})


EDGES = {
    "source": "{left: {kind: source, sources: [{start: 0.1, stop: 0.4}]}, up: {kind: wall}}",
    "vacuum": "{left: {kind: vacuum, T: 6, condition: marshak}, down: {kind: vacuum, T: 5*x+t}}",
    "periodic": "{left: {kind: periodic}, right: {kind: periodic}, "
    "up: {kind: prescribed, E: 9+sin(900*t)}}",
}


@pytest.mark.mpi
@EACH
@pytest.mark.parametrize("case", EDGES)
def test_one_two_and_four_ranks_give_the_same_bits(case, scheme, tmp_path, mpirun):
    config = tmp_path / "uneven.yaml"
    ((key, value),) = SECOND[scheme].items()
    config.write_text(
        f"{UNEVEN}\n{key}: {value}\noutput: {{pictures: false}}\nedges: {EDGES[case]}\n"
        "signals: {at: edge}"
    )
    assert main([str(config), "--out", str(tmp_path / "serial")]) == 0
    for n in (2, 4) if case == "source" else (4,):
        out = tmp_path / f"ranks{n}"
        done = mpirun(n, "-m", "jobs.solve", config, "--out", out)
        assert done.returncode == 0, done.stderr
        assert json.loads((out / "run.json").read_text())["ranks"] == n
        assert same_bits(tmp_path / "serial" / "solution.h5", out / "solution.h5"), n


@pytest.mark.mpi
@EACH
def test_edges_are_extrapolated_from_two_cells_of_one_block(scheme, tmp_path, mpirun):
    ((key, value),) = SECOND[scheme].items()
    config = tmp_path / "thin.yaml"
    config.write_text(
        f"{key}: {value}\ngrid: {{nx: 4}}\ntime: {{final: 0.001}}\nsignals: {{at: edge}}\n"
        f"edges: {EDGES['source']}\noutput: {{pictures: false}}"
    )
    assert main([str(config), "--out", str(tmp_path / "serial")]) == 0
    done = mpirun(4, "-m", "jobs.solve", config, "--out", tmp_path / "four")
    assert done.returncode == 0, done.stderr
    assert same_bits(tmp_path / "serial" / "solution.h5", tmp_path / "four" / "solution.h5")
    done = mpirun(3, "-m", "jobs.solve", config, "--out", tmp_path / "three")
    assert done.returncode == 2
    assert "in blocks of 2 cells or more" in done.stderr


PULSE = """
order: 2
grid: {nx: 24, ny: 20}
time: {final: 0.002}
material: {sigma_a: 1e-6, sigma_c: 1e-6}
initial: {E: 1e-3 + 5*exp(-((x-0.5)^2 + (y-0.4)^2)/0.003)}
"""


@pytest.mark.mpi
def test_steps_that_leave_a_negative_energy_are_taken_back_on_all_ranks(
    tmp_path, mpirun, monkeypatch
):
    taken = set()
    march = Stepper._march

    def noted(self, times, parts, *rest):
        taken.add(parts)
        return march(self, times, parts, *rest)

    monkeypatch.setattr(Stepper, "_march", noted)
    config = tmp_path / "pulse.yaml"
    config.write_text(PULSE + "output: {pictures: false}")
    assert main([str(config), "--out", str(tmp_path / "serial")]) == 0
    assert taken == {1, 2}, "some steps are whole, some divided"
    done = mpirun(4, "-m", "jobs.solve", config, "--out", tmp_path / "ranks")
    assert done.returncode == 0, done.stderr
    assert same_bits(tmp_path / "serial" / "solution.h5", tmp_path / "ranks" / "solution.h5")
    assert read_solution(tmp_path / "serial" / "solution.h5").fields[0].min() >= 0
    assert main([str(config), "--out", str(tmp_path / "off"), "--set", "positivity=off"]) == 0
    assert read_solution(tmp_path / "off" / "solution.h5").fields[0].min() < 0


@EACH
def test_a_restart_goes_on_bit_for_bit(scheme):
    problem = Problem(
        **SECOND[scheme],
        grid={"nx": 20},
        time={"final": 0.002},
        material={"density": "1+x"},
        edges={"left": {"kind": "source"}, "up": {"kind": "wall"}},
    )
    whole = March(problem, SerialDomain(problem))
    half = whole.n_steps // 2
    for chunk in whole.run(pauses=[half]):
        if chunk.stop == half:
            kept = {name: field.copy() for name, field in whole.kept.items()}
    again = March(problem, SerialDomain(problem))
    for name, field in again.kept.items():
        field[...] = kept[name]
    again.restore(half)
    chunks = list(again.run())
    assert chunks[0].first == half
    assert np.array_equal(again.domain.state[:, 1:-1, 1:-1], whole.domain.state[:, 1:-1, 1:-1])
