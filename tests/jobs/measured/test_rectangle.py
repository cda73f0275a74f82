"""A rectangle, from solution.h5 files and from a table: to a map, with all that is written."""

import json

import h5py
import pytest

from opalux.base.axes import EDGES
from opalux.jobs import invert
from opalux.jobs.benchmarks.measured import measured, r_squared
from opalux.solver.files.measurements import write_table
from tests.jobs.measured.rectangle import SHAPE, config, solved, truth

FINER = 8  # than the map
NOISE = 0.03  # share of each channel's deviation
MOST = 40_000


def files_of(form, folder):
    """Write what is measured of the map, as four solution.h5 or as one table."""
    if form == "solution.h5":
        return [str(solved(folder / source, source, finer=FINER)) for source in EDGES]
    ny, _ = SHAPE
    rows = measured(truth(), fine=ny * FINER, places=ny, n_times=16, noise=NOISE)
    write_table(folder / "signals.csv", rows)
    return [str(folder / "signals.csv")]


@pytest.mark.parametrize("form", ["solution.h5", "table"])
def test_a_rectangle_is_found_and_all_is_written(form, tmp_path):
    out, files = tmp_path / "out", files_of(form, tmp_path)
    path = config(tmp_path, noise=NOISE, refinement=4, steps=40, most_values=MOST)
    assert invert.main([str(path), *files, "--out", str(out)]) == 0
    with h5py.File(out / "inversion.h5") as file:
        density, x, y = (file[name][()] for name in ("density", "x", "y"))
    assert density.shape == (len(y), len(x)) == SHAPE
    assert r_squared(truth(), density) > 0.9  # that of the start is below 0
    numbers = json.loads((out / "inversion.json").read_text())
    assert numbers["explained"]
    for name in ("map.png", "fit.png", "report.html", "run.json"):
        assert (out / name).stat().st_size > 100
    if form == "table":
        assert numbers["one_time_in"] == 1
        return
    one_in = numbers["one_time_in"]
    assert one_in > 1
    assert numbers["rows"] <= MOST
    line = f"one time in {one_in} of the files is used: {numbers['rows']:,} of "
    assert any(remark.startswith(line) for remark in numbers["remarks"])
    assert line in (out / "report.html").read_text()
