"""Advice on the mesh says what waves really do on it, and nothing where all is well."""

import cmath
import math
import re

import numpy as np
import pytest
import yaml

from opalux.solver.advice import advise, fastest_wave
from opalux.solver.domains.domain import SerialDomain
from opalux.solver.march import simulate, time_loop
from opalux.solver.problem import Problem
from opalux.solver.verification.lit_slab import LitSlab
from opalux.solver.waves import frequency_of

VARIANTS: dict[str, dict[str, object]] = {
    "order 1": {"order": 1},
    "order 2": {"order": 2},
    "order 2, full steps": {"order": 2, "positivity": "off"},
    "staggered": {"scheme": "staggered"},
    "published": {"scheme": "published"},
}


def lit(n: int, **changes: object) -> Problem:
    """Return a row without matter, 1.5 cm long, ``n`` cells a centimetre, lit at 500/sh."""
    given = {
        "grid": {"nx": 3 * n // 2, "ny": 2, "x": [0, 1.5], "y": [0, 2 / n]},
        "time": {"final": 0.014},
        "material": {"density": 1, "sigma_a": "0", "sigma_c": "0"},
        "edges": {"left": {"kind": "source", "sources": [{}]}},
    }
    return Problem.model_validate(given | changes)


def of(problem: Problem):
    return advise(time_loop(problem, SerialDomain(problem)))


@pytest.mark.parametrize("k", [1.0, 1 / 3])
@pytest.mark.parametrize("name", VARIANTS)
def test_damping_and_phase_are_those_of_a_run(name, k):
    if name == "published" and k != 1:
        pytest.skip("not known to the scheme")
    places = [{"x": x, "y": 1 / 48} for x in (0.25, 1.25)]
    problem = lit(48, constants={"eddington": k}, detectors=places, **VARIANTS[name])
    found = simulate(problem)
    last = found.times > found.times[-1] - 1 / 500
    phase = 2 * math.pi * 500 * found.times[last]
    shapes = np.stack([np.sin(phase), np.cos(phase), np.ones_like(phase)], axis=1)
    assert found.detectors is not None
    E = found.detectors.signals[last, 0]
    (sine, cosine, _), *_ = np.linalg.lstsq(shapes, E, rcond=None)
    near, far = sine + 1j * cosine
    exact = 2 * math.pi * 500 / (299 * math.sqrt(k))
    wave = fastest_wave(problem)
    assert wave is not None
    assert wave.kept is not None
    assert wave.late is not None
    limiter = 0.03 if "order 2" in name else 0  # not in the formula
    assert abs(far / near) == pytest.approx(wave.kept ** (1 / 1.5), abs=0.01 + limiter)
    late = -cmath.phase(far / near * cmath.exp(1j * exact)) / (2 * math.pi)
    assert late == pytest.approx(wave.late / 1.5, abs=0.003 + limiter / 4)


@pytest.mark.parametrize(("k", "kept"), [(1.0, 0.652), (1 / 3, 0.167)])
def test_a_wave_of_500_at_64_cells_is_told_to_be_damped_at_order_1(k, kept):
    problem = lit(64, constants={"eddington": k}, grid={"nx": 64, "ny": 2, "y": [0, 1 / 32]})
    advice = of(problem)
    assert advice.wave is not None
    assert advice.wave.kept == pytest.approx(kept, abs=0.005)
    assert advice.wave.cells == pytest.approx(299 * math.sqrt(k) / 500 * 64)
    (line,) = advice.lines
    assert f"keeps {100 * kept:.2g} % of its wave" in line
    assert "scheme: staggered" in line


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"scheme": "staggered"}, None),
        ({"order": 2}, None),
        ({"edges": {}}, None),
        ({"edges": {"left": {"kind": "source", "sources": [{"amplitude": 0}]}}}, None),
        ({"material": {"density": 1, "sigma_a": "40", "sigma_c": "40"}}, None),  # dark soon
        ({"material": {"density": 1, "sigma_a": "1", "sigma_c": "500"}}, "mean free paths thick"),
        (
            {"edges": {"up": {"kind": "source", "sources": [{"frequency": 9000}]}}, "order": 2},
            "too few for any scheme",
        ),
        (
            {
                "edges": {"left": {"kind": "source", "sources": [{"frequency": 2000}]}},
                "scheme": "staggered",
            },
            "periods late",
        ),
        (
            {"edges": {"left": {"kind": "source", "sources": [{"signal": "sin(3142*t)"}]}}},
            "about 500/sh",
        ),
        (
            {
                "edges": {"left": {"kind": "source", "sources": [{"frequency": 2000}]}},
                "scheme": "published",
                "time": {"final": 0.01, "cfl": 0.9},  # more than `staggered` allows
            },
            "take 'scheme: staggered'",
        ),
        ({"edges": {"left": {"kind": "prescribed", "E": "9+sin(3142*t)"}}}, "about 500/sh"),
    ],
)
def test_it_speaks_where_there_is_something_to_say(changes, part):
    lines = of(lit(64, **changes)).lines
    assert bool(lines) == bool(part)
    assert len(lines) <= 1
    assert not part or part in lines[0]


def test_the_optical_depth_of_cells_is_least_median_and_largest():
    problem = lit(64, material={"density": "x < 0.5 ? 1 : 4", "sigma_c": "8*rho"})
    assert of(problem).depths == pytest.approx((0.125, 0.5, 0.5))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize(
    "pulse",
    [
        *({"frequency": f} for f in (-1e308, 1e-308, 1e5, 2392.0)),
        *({"signal": text} for text in ("1e300*sin(3142*t)", "1/(t-t)", "t < 0.003 ? 0 : 9", "0")),
    ],
)
def test_any_source_gives_numbers_that_json_has(name, pulse):
    edges = {"left": {"kind": "source", "sources": [pulse]}}
    wave = fastest_wave(lit(64, edges=edges, **VARIANTS[name]), 0.1)
    for value in vars(wave).values() if wave else ():
        assert value is None or isinstance(value, str) or math.isfinite(value)


@pytest.mark.parametrize("name", VARIANTS)
def test_waves_are_never_said_to_grow_and_staggered_keeps_all(name):
    for cfl in (0.01, 0.3, 0.5):
        for f in np.geomspace(1, 2390, 40):
            edges = {"left": {"kind": "source", "sources": [{"frequency": f}]}}
            time = {"final": 0.001, "cfl": cfl}
            wave = fastest_wave(lit(64, edges=edges, time=time, **VARIANTS[name]))
            assert wave is not None
            assert wave.kept is not None
            assert wave.late is not None
            assert 0 <= wave.kept <= 1
            assert name != "staggered" or wave.kept == 1
            assert abs(wave.late) < 2


@pytest.mark.parametrize("f", [10.0, 321.0])
def test_the_frequency_of_samples_is_that_of_the_sine(f):
    t = np.linspace(0, 0.1, 5000)
    assert frequency_of(t, 7 + 3 * np.sin(2 * np.pi * f * t + 1)) == pytest.approx(f, rel=0.02)
    assert frequency_of(t, np.full_like(t, 3.0)) == 0


def thick(n: int, **changes: object) -> Problem:
    """Return a row that heat goes through for so long that light crosses ``n`` cells."""
    given = {
        "grid": {"nx": 8, "ny": 1, "x": [0, 1], "y": [0, 0.125]},
        "time": {"final": n / 8 / 299, "cfl": 0.5},
        "material": {"density": 1, "sigma_a": "0.1", "sigma_c": "1"},
        "edges": {"left": {"kind": "prescribed", "E": "9"}},
    }
    return Problem.model_validate(given | changes)


def test_many_steps_are_told_to_be_few_as_implicit_ones() -> None:
    (line,) = of(thick(40_000)).lines
    assert "80,000 explicit steps" in line
    asked = re.search(r"'time: (\{.*?\})'", line)
    assert asked
    time = yaml.safe_load(asked[1])
    assert thick(1, scheme="staggered", time=time).time.method == "implicit"


@pytest.mark.parametrize(
    "changes",
    [
        {"time": {"final": 10_000 / 8 / 299, "cfl": 0.5}},
        {"edges": {"left": {"kind": "prescribed", "E": "9 + sin(5*t)"}}},
        {"source": "sin(t)^2"},
        {"dtype": "float32"},
        {"scheme": "staggered", "time": {"final": 17, "method": "implicit"}},
    ],
)
def test_nothing_is_told_where_explicit_steps_are_right(changes: dict[str, object]) -> None:
    assert not of(thick(40_000, **changes)).lines


def test_a_depth_that_explicit_steps_cannot_cross_is_refused_with_the_way_out() -> None:
    slab = LitSlab(tau=1e6)
    with pytest.raises(ValueError, match="more than 1e") as refused:
        slab.problem(50)
    assert "'scheme: staggered' with 'time: {method: implicit}'" in str(refused.value)
    slab.problem(50, scheme="staggered", time={"final": 24_000, "method": "implicit"})
