"""Detectors read what is at their place, in every scheme, and change nothing."""

import h5py
import numpy as np
import pydantic
import pytest

from opalux.base.axes import EDGES, FIELDS
from opalux.solver.detectors import Detector, Lattice, weights_of
from opalux.solver.domains.domain import SerialDomain
from opalux.solver.files.checkpoint import read_checkpoint, write_checkpoint
from opalux.solver.files.solution import SolutionFile, read_solution
from opalux.solver.grid import Grid
from opalux.solver.march import March, simulate
from opalux.solver.problem import Problem

VARIANTS = [("consistent", 1), ("consistent", 2), ("staggered", 2), ("published", 1)]
GRID = Grid(nx=20, ny=12, x=(-1.0, 1.0), y=(0.5, 2.0))
CELLS = (Lattice(-0.95, 0.1, 20, False), Lattice(0.5625, 0.125, 12, False))
FACES = (Lattice(-1.0, 0.1, 21, False), CELLS[1])
ANYWHERE = [
    {"x": 0.33, "y": 1.71},
    {"x": -0.99, "y": 1.99},
    {"x": 0.2, "y": 1.2, "width": 0.47},
    {"x": 0.1, "y": 1.3, "radius": 0.31},
    {"edge": "right", "position": 1.17},
    {"edge": "down", "position": 0.3, "width": 1.4},
]


def problem(scheme: str, order: int, **changes: object) -> Problem:
    given = {
        "scheme": scheme,
        "order": order,
        "grid": {"nx": 16, "ny": 12},
        "time": {"final": 0.002},
        "material": {"density": "1 + 3*x*y"},
        "edges": {"left": {"kind": "source", "sources": [{}]}},
        "signals": {"at": "edge"},
    }
    return Problem.model_validate(given | changes)


@pytest.mark.parametrize("lattices", [CELLS, FACES], ids=["cells", "faces"])
@pytest.mark.parametrize("given", ANYWHERE)
def test_a_linear_field_is_read_exactly(given, lattices):
    detector = Detector(**given)
    x, y = detector.place(GRID)
    j, i, weight = weights_of(detector, GRID, *lattices)
    places = lattices[0].first + lattices[0].h * i, lattices[1].first + lattices[1].h * j
    assert (weight * (3 * places[0] - 7 * places[1] + 2)).sum() == pytest.approx(3 * x - 7 * y + 2)


@pytest.mark.parametrize(
    ("given", "exact"),
    [
        ({"x": 0.33, "y": 1.71}, 0.33**2 * 1.71),
        ({"x": 0.2, "y": 1.2, "width": 0.6}, (0.2**2 + 0.6**2 / 12) * 1.2),
        ({"x": 0.2, "y": 1.2, "radius": 0.3}, (0.2**2 + 0.3**2 / 4) * 1.2),
        ({"edge": "up", "position": 0.0, "width": 2.0}, 2.0 / 3),
        ({"edge": "right", "position": 1.3, "width": 1.0}, 1.3),
    ],
)
def test_what_is_read_is_of_second_order(given, exact):
    errors = []
    for n in (20, 80):
        h = 2 / n
        along_x = Lattice(-1 + h / 2, h, n, False)
        along_y = Lattice(0.5 + 0.75 * h / 2, 0.75 * h, n, False)
        j, i, weight = weights_of(Detector(**given), GRID, along_x, along_y)
        x, y = along_x.first + h * i, along_y.first + along_y.h * j
        errors.append(abs((weight * x**2 * y).sum() - exact))
    assert errors[1] < max(errors[0] / 7, 1e-14)
    assert errors[1] < 2e-3


def test_across_a_periodic_edge_the_other_side_is_read():
    weights = Lattice(0.05, 0.1, 10, True).mean(-0.02, -0.02)
    np.testing.assert_allclose(weights[[9, 0]], [0.7, 0.3])
    assert np.count_nonzero(weights) == 2
    whole = Lattice(0.05, 0.1, 10, True).mean(0.0, 1.0)
    np.testing.assert_allclose(whole, 0.1)


@pytest.mark.parametrize(("scheme", "order"), VARIANTS)
def test_a_point_on_an_edge_reads_its_signals_and_changes_nothing(scheme, order):
    alone = simulate(problem(scheme, order))
    points = [{"edge": edge, "position": 5.5 / 16} for edge in EDGES]
    seen = simulate(problem(scheme, order, detectors=points))
    assert seen.detectors is not None
    assert seen.detectors.signals.shape == (len(seen.times), 4, 4)
    np.testing.assert_array_equal(seen.fields, alone.fields)
    for n, edge in enumerate(EDGES):
        np.testing.assert_array_equal(seen.signals[edge], alone.signals[edge])
        np.testing.assert_allclose(
            seen.detectors.signals[:, :, n], alone.signals[edge][:, :, 5], rtol=1e-12, atol=1e-12
        )


@pytest.mark.parametrize(("scheme", "order"), VARIANTS)
def test_a_detector_as_wide_as_the_domain_reads_what_it_holds(scheme, order):
    wide = {"x": 0.5, "y": 0.5, "width": 1.0}
    run = problem(scheme, order, grid={"nx": 16}, signals={"at": "cell"}, detectors=[wide])
    found, last = simulate(run), None
    march = March(run, SerialDomain(run))
    for _ in march.run(pauses=[march.n_steps - 1]):
        last = march.fields.copy() if march.step == march.n_steps - 1 else last
    assert found.detectors is not None
    assert last is not None
    np.testing.assert_allclose(
        found.detectors.signals[-1, [0, 3], 0], last[[0, 3]].mean((1, 2)), rtol=2e-3
    )


def test_a_stopped_run_goes_on_to_the_same_bits_in_the_file(tmp_path):
    disc = {"x": 0.3, "y": 0.4, "radius": 0.1}
    run = problem("staggered", 2, detectors=[disc, {"edge": "right", "position": 0.2}])
    for name, stop in (("whole.h5", None), ("resumed.h5", 20)):
        march = March(run, SerialDomain(run))
        attributes = {"config": "grid: {x: [0, 1], y: null}", "scheme": "staggered"}
        file = SolutionFile(tmp_path / name, march, attributes, every=3)
        for chunk in march.run(pauses=[stop] if stop else []):
            file.add(chunk)
            if chunk.stop == stop:
                break
        if stop:
            write_checkpoint(tmp_path / "checkpoint.h5", march, {"config": "same"})
            march = March(run, SerialDomain(run))
            read_checkpoint(tmp_path / "checkpoint.h5", march, "same")
            file = SolutionFile(tmp_path / name, march, attributes, every=3, resume=True)
            for chunk in march.run():
                file.add(chunk)
        file.finish()
    one, other = (read_solution(tmp_path / name) for name in ("whole.h5", "resumed.h5"))
    assert one.detectors is not None
    assert other.detectors is not None
    np.testing.assert_array_equal(one.detectors.signals, other.detectors.signals)
    direct = simulate(run)
    assert direct.detectors is not None
    np.testing.assert_array_equal(one.detectors.signals, direct.detectors.signals[::3])
    assert one.at == "edge"
    assert one.detectors.width.tolist() == [0.2, 0.0]
    with h5py.File(tmp_path / "whole.h5") as file:
        detectors = file["detectors"]
        assert detectors.attrs["shape"].tolist() == ["disc", "point"]
        assert [dimension.label for dimension in detectors["F"].dims] == [
            "t", "detector", "component"
        ]  # fmt: skip
        units = {name: array.attrs["units"] for name, array in detectors.items()}
        assert units == {"E": "g/cm/sh2", "F": "g/cm/sh2", "T": "keV"} | dict.fromkeys(
            ("x", "y", "width"), "cm"
        )


def test_detectors_are_named_in_xarray():
    xarray = pytest.importorskip("xarray")
    found = simulate(problem("consistent", 1, detectors=[{"x": 0.1, "y": 0.2}])).to_xarray()
    assert isinstance(found, xarray.Dataset)
    for name in FIELDS:
        assert found[f"detector_{name}"].dims == ("t", "detector")
    assert found.attrs["signals_at"] == "edge"


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"x": 0.5}, "found x, expected x and y"),
        ({}, "found neither"),
        ({"edge": "left", "position": 0.5, "x": 0.1, "y": 0.1}, "expected x and y, or edge"),
        ({"edge": "left", "position": 0.5, "radius": 0.1}, "radius with an edge"),
        ({"x": 0.5, "y": 0.5, "radius": 0.1, "width": 0.1}, "radius"),
        ({"x": 1.5, "y": 0.5}, "detectors.0: found x = 1.5 cm, expected a part of"),
        ({"x": 0.5, "y": 0.05, "radius": 0.1}, "found y = "),
        ({"edge": "up", "position": 0.9, "width": 0.4}, "found x = "),
        ({"x": 0.5, "y": 0.5, "width": -1}, "greater than or equal to 0"),
    ],
)
def test_a_detector_that_is_nowhere_is_refused(given, part):
    with pytest.raises(pydantic.ValidationError, match=part):
        problem("consistent", 1, detectors=[given])
