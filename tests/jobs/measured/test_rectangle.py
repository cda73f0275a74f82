"""A rectangle, from solution.h5 files and from a table: to a map, with all that is written."""

import json

import h5py
import numpy as np
import pytest

from opalux.base.axes import EDGES, flux_magnitude
from opalux.jobs import invert
from opalux.solver.files.measurements import write_table
from opalux.solver.files.solution import read_solution
from opalux.solver.inversion.rows import Rows, joined
from tests.jobs.measured.rectangle import ENDS, SHAPE, config, solved, truth

FINER = 8  # than the map
NOISE = 0.03  # share of each channel's deviation
PLACES, TIMES = {"x": 12, "y": 8}, np.linspace(0.0004, 0.0098, 16)


@pytest.fixture(scope="module")
def solutions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rectangle")
    return {source: solved(folder / source, source, finer=FINER) for source in EDGES}


def table_of(solutions):
    """What detectors side by side along the edges see, with noise."""
    rng, parts = np.random.default_rng(3), []
    for source, path in solutions.items():
        solution = read_solution(path)
        for edge in EDGES:
            axis = "x" if edge in ("up", "down") else "y"
            n, (low, high) = PLACES[axis], ENDS[axis]
            signal = solution.signals[edge]
            chosen = np.searchsorted(solution.times, TIMES)
            E, T = signal[chosen, 0], signal[chosen, 3]
            for quantity, found in (
                ("E", E),
                ("F", flux_magnitude(signal[chosen, 1:3], axis=1)),
                ("T", T),
            ):
                value = found.reshape(len(TIMES), n, -1).mean(-1)
                sigma = NOISE * value.std()
                count = value.size
                width = (high - low) / n
                parts.append(
                    Rows(
                        source=np.full(count, source),
                        edge=np.full(count, edge),
                        quantity=np.full(count, quantity),
                        position=np.tile(low + (np.arange(n) + 0.5) * width, len(TIMES)),
                        width=np.full(count, width),
                        time=np.repeat(solution.times[chosen], n),
                        value=(value + sigma * rng.standard_normal(value.shape)).ravel(),
                        sigma=np.full(count, sigma),
                    )
                )
    return joined(parts)


@pytest.mark.parametrize("form", ["solution.h5", "table"])
def test_a_rectangle_is_found_and_all_is_written(form, solutions, tmp_path):
    files = [str(path) for path in solutions.values()]
    if form == "table":
        write_table(tmp_path / "signals.csv", table_of(solutions))
        files = [str(tmp_path / "signals.csv")]
    out = tmp_path / "out"
    changes = {"noise": NOISE, "refinement": 4, "steps": 40, "most_values": 40_000}
    words = [str(config(tmp_path, **changes)), *files, "--out", str(out)]
    assert invert.main(words) == 0
    with h5py.File(out / "inversion.h5") as file:
        density, x, y = (file[name][()] for name in ("density", "x", "y"))
    assert density.shape == (len(y), len(x)) == SHAPE
    assert np.sqrt(np.mean((density - truth()) ** 2)) < 0.3 * np.sqrt(np.mean((1.5 - truth()) ** 2))
    numbers = json.loads((out / "inversion.json").read_text())
    assert numbers["explained"]
    for name in ("map.png", "fit.png", "report.html", "run.json"):
        assert (out / name).stat().st_size > 100
    if form == "table":
        assert numbers["one_time_in"] == 1
        return
    one_in = numbers["one_time_in"]
    assert one_in > 1
    assert numbers["rows"] <= 40_000
    line = f"one time in {one_in} of the files is used: {numbers['rows']:,} of "
    assert any(remark.startswith(line) for remark in numbers["remarks"])
    assert line in (out / "report.html").read_text()
