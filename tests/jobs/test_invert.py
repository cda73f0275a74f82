"""``opalux invert``: from tables to a map, told honestly, and to the same bits when interrupted."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
import yaml

from opalux.base.axes import EDGES
from opalux.jobs import invert
from opalux.jobs.benchmarks.measured import SURROUNDINGS, measured, r_squared
from opalux.jobs.measured.checkpoint import Checkpoint
from opalux.solver.files.measurements import write_table
from opalux.solver.inversion.rows import Rows, joined
from opalux.solver.march import simulate
from opalux.solver.problem import Problem
from tests.conftest import ROOT

N = 12


def truth():
    y, x = (np.mgrid[:N, :N] + 0.5) / N
    return 1.2 + 2.5 * np.exp(-((x - 0.35) ** 2 + (y - 0.6) ** 2) / 0.03) + 1.5 * (x + y > 1.5)


def config(folder, **changes):
    content = {
        "problem": {"grid": {"nx": N, "ny": N}, "edges": SURROUNDINGS},
        "steps": 30,
        "modes": 0,
        "refinement": 2,
        **changes,
    }
    path = folder / "invert.yaml"
    path.write_text(yaml.safe_dump(content))
    return str(path)


@pytest.fixture(scope="module")
def rows():
    """Signals of a map of 12² cells, simulated on 96², with 1 % noise."""
    return measured(truth(), fine=96, places=N, n_times=16)


@pytest.fixture(scope="module")
def table(rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("signals") / "signals.csv"
    write_table(path, rows)
    return path


def read(out):
    with h5py.File(out / "inversion.h5") as file:
        return {name: file[name][()] for name in ("density", "history", "predicted")}


def test_a_map_is_found_from_a_flat_start_and_explains_its_signals(rows, tmp_path):
    out, table = tmp_path / "out", tmp_path / "signals.csv"
    gained = (rows.source == "left") & (rows.quantity != "T")
    gain = np.where(gained, 1.06, 1.0)
    write_table(table, dataclasses.replace(rows, value=gain * rows.value, sigma=gain * rows.sigma))
    changes = {"steps": 40, "modes": 4, "samples": 3, "coupling": {"by": "source"}}
    words = [config(tmp_path, refinement=4, **changes), str(table), "--out", str(out)]
    assert invert.main(words) == 0
    numbers = json.loads((out / "inversion.json").read_text())
    with h5py.File(out / "inversion.h5") as file:
        density, spread, informed = (file[n][()] for n in ("density", "spread", "informed"))
        assert len(file["history"]) == numbers["evaluations"] <= 40
        assert file["predicted"].shape == (numbers["rows"],)
        assert file["samples"].shape == (3, N, N)
    assert r_squared(truth(), density) > 0.9
    assert 0.8 < numbers["chi2"] < 2
    assert set(numbers["chi2_by_source"]) == set(numbers["chi2_by_edge"]) == set(EDGES)
    assert set(numbers["chi2_by_quantity"]) == {"E", "F", "T"}
    spans = {float(middle): value for middle, value in numbers["chi2_by_time"].items()}
    assert sorted(spans) == list(spans)
    assert np.mean(list(spans.values())) == pytest.approx(numbers["chi2"], rel=0.01)
    for name, found in numbers["gains"].items():
        off = found["gain"] - (1.06 if name == "left" else 1.0)
        assert abs(off) < 4 * found["spread"] < 0.02
    assert (spread > 0).all()
    assert (informed >= 0).all()
    assert (informed <= 1).all()
    for name in ("map.png", "fit.png", "report.html", "run.json"):
        assert (out / name).stat().st_size > 100
    assert not (out / "checkpoint.bin").exists()


@pytest.mark.parametrize(
    ("physics", "changes"),
    [
        ({"material": {"heat_capacity": "3*0.14361"}}, {}),
        ({}, {"sources": {e: {"edge": e, "frequency": 800} for e in EDGES}}),
        ({}, {"noise": 0.01, "sources": {e: {"edge": e, "amplitude": 6} for e in EDGES}}),
    ],
)
def test_data_of_other_physics_end_with_exit_code_3(physics, changes, rows, tmp_path, capsys):
    if physics:
        rows = measured(truth(), fine=48, places=N, n_times=16, **physics)
    write_table(tmp_path / "signals.csv", rows)
    out = tmp_path / "out"
    words = [config(tmp_path, **changes), str(tmp_path / "signals.csv"), "--out", str(out)]
    assert invert.main(words) == 3
    numbers = json.loads((out / "inversion.json").read_text())
    assert numbers["chi2"] > 20
    assert "does NOT explain" in capsys.readouterr().err
    answers, _, _ = (out / "report.html").read_text().partition(">The map<")
    assert "does NOT explain" in answers
    again = [*words, "--force", "--set", f"accept_chi2={2 * numbers['chi2']}"]
    assert invert.main(again) == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["heat capacity", "frequency"])
@pytest.mark.parametrize("seed", range(5))
def test_no_map_explains_data_of_other_physics(kind, seed, tmp_path):
    rng, (y, x) = np.random.default_rng(seed), (np.mgrid[:N, :N] + 0.5) / N
    rho = np.full((N, N), 1.0)
    for _ in range(3):
        (cx, cy), width = rng.uniform(0.2, 0.8, 2), rng.uniform(0.1, 0.25)
        rho += rng.uniform(0.5, 3) * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / width**2)
    material = {"heat_capacity": "3*0.14361"} if kind == "heat capacity" else {}
    rows = measured(rho, fine=48, places=N, n_times=16, material=material)
    write_table(tmp_path / "t.csv", rows)
    changes = {}
    if kind == "frequency":
        off = float(rng.uniform(1.2, 1.8)) * 500
        changes = {"sources": {e: {"edge": e, "frequency": off} for e in EDGES}}
    out = tmp_path / "out"
    words = [config(tmp_path, **changes), str(tmp_path / "t.csv"), "--out", str(out)]
    assert invert.main(words) == 3
    assert json.loads((out / "inversion.json").read_text())["chi2"] > 20


def test_detectors_inside_the_domain_find_a_map(tmp_path):
    place = (np.arange(4) + 0.5) / 4
    detectors = [{"x": x, "y": y} for x in place for y in place]
    times, parts = np.linspace(0, 0.0099, 16), []
    for source in EDGES:
        edges = {**SURROUNDINGS, source: {"kind": "source"}}
        problem = Problem.model_validate(
            {"scheme": "staggered", "grid": {"nx": 96}, "detectors": detectors, "edges": edges}
        )
        solution = simulate(problem, np.kron(truth(), np.ones((8, 8))))
        assert solution.detectors is not None
        seen = solution.detectors.signals
        for number, detector in enumerate(detectors):
            for field, quantity in ((0, "E"), (3, "T")):
                value = np.interp(times, solution.times, seen[:, field, number])
                sigma = 0.01 * value.std()
                rng = np.random.default_rng(number)
                n = len(times)
                parts.append(
                    Rows(
                        source=np.full(n, source),
                        edge=np.full(n, ""),
                        quantity=np.full(n, quantity),
                        position=np.zeros(n),
                        width=np.zeros(n),
                        time=times,
                        value=value + sigma * rng.standard_normal(n),
                        sigma=np.full(n, sigma),
                        x=np.full(n, detector["x"]),
                        y=np.full(n, detector["y"]),
                    )
                )
    write_table(tmp_path / "signals.csv", joined(parts))
    out = tmp_path / "out"
    words = [config(tmp_path, steps=40, accept_chi2=5), str(tmp_path / "signals.csv")]
    assert invert.main([*words, "--out", str(out)]) == 0
    assert r_squared(truth(), read(out)["density"]) > 0.9
    assert set(json.loads((out / "inversion.json").read_text())["chi2_by_edge"]) == {"inside"}


def test_a_detector_outside_the_domain_is_refused(tmp_path, capsys):
    path, header = tmp_path / "signals.csv", "source,quantity,x [cm],y [cm],time [sh],value,sigma"
    path.write_text(header + "\nleft,E,1.5,0.4,0.001,3,1\n")
    assert invert.main([config(tmp_path), str(path), "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert "column x: found 1.5, expected a detector inside, from 0 to 1 cm" in error


def test_missing_noise_is_refused_before_any_work(rows, tmp_path, capsys):
    rows = rows.take(np.arange(0, len(rows), 7))
    rows.sigma[3:] = np.nan
    write_table(tmp_path / "signals.csv", rows)
    out = tmp_path / "out"
    words = [config(tmp_path), str(tmp_path / "signals.csv"), "--out", str(out)]
    assert invert.main(words) == 2
    error = capsys.readouterr().err
    assert "noise: missing" in error
    assert f"{len(rows) - 3} of {len(rows)} rows" in error
    assert not out.exists()


@pytest.mark.parametrize(
    "noise", [0.01, {"absolute": 0.1}, {"absolute": {"E": 0.1, "F": 0.1, "T": 0.01}}]
)
def test_noise_is_known_in_each_form(noise, rows, tmp_path):
    rows = rows.take(np.arange(0, len(rows), 11))
    rows.sigma[:] = np.nan
    write_table(tmp_path / "signals.csv", rows)
    words = [config(tmp_path, noise=noise), str(tmp_path / "signals.csv"), "--dry-run"]
    assert invert.main(words) == 0


def test_neither_the_order_of_rows_nor_the_cut_into_files_changes_a_bit(rows, tmp_path):
    order = np.random.default_rng(1).permutation(len(rows))
    write_table(tmp_path / "whole.csv", rows)
    write_table(tmp_path / "one.csv", rows.take(order[:1000]))
    write_table(tmp_path / "other.csv", rows.take(order[1000:]))
    path = config(tmp_path, steps=6)
    for name, files in (("a", ["whole.csv"]), ("b", ["other.csv", "one.csv"])):
        words = [path, *(str(tmp_path / file) for file in files), "--out", str(tmp_path / name)]
        assert invert.main([*words, "--set", "accept_chi2=1e9"]) == 0
    a, b = read(tmp_path / "a"), read(tmp_path / "b")
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


def test_a_run_that_a_signal_stopped_goes_on_to_the_same_bits(table, tmp_path):
    path = config(tmp_path, accept_chi2=1e9, steps=60)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert invert.main([path, str(table), "--out", str(whole)]) == 0
    line = [sys.executable, "-m", "opalux", "invert", path, str(table), "--out", str(parts)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True)
    limit = time.monotonic() + 60
    while not (parts / "config.yaml").exists() and time.monotonic() < limit:
        time.sleep(0.02)
    time.sleep(0.3)
    child.send_signal(signal.SIGTERM)
    _, error = child.communicate(timeout=60)
    assert child.returncode == 75, error
    assert (parts / "checkpoint.bin").exists()
    assert invert.main([path, str(table), "--out", str(parts), "--resume"]) == 0
    a, b = read(whole), read(parts)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


def test_a_checkpoint_of_other_signals_or_a_damaged_one_is_refused(rows, table, tmp_path, capsys):
    path, out = config(tmp_path, accept_chi2=1e9, steps=3), tmp_path / "out"
    assert invert.main([path, str(table), "--out", str(out)]) == 0
    Checkpoint(out, "other").keep((np.zeros(3),))
    assert invert.main([path, str(table), "--out", str(out), "--resume"]) == 2
    assert "other signals" in capsys.readouterr().err
    whole = (out / "checkpoint.bin").read_bytes()
    (out / "checkpoint.bin").write_bytes(b"?" + whole[1:])
    assert invert.main([path, str(table), "--out", str(out), "--resume"]) == 2
    assert "damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"problem": {"grid": {"nx": N}, "scheme": "consistent"}}, "scheme: found consistent"),
        ({"problem": {"grid": {"nx": N}, "material": {"density": 2}}}, "material.density"),
        ({"problem": {"grid": {"nx": N}, "signals": {"at": "cell"}}}, "signals.at"),
        ({"problem": {"grid": {"nx": N}, "time": {"final": 0.005}}}, "column time: found"),
        ({"problem": {"grid": {"nx": N, "x": [0, 0.5]}}}, "column position: found"),
        ({"problem": {}}, "grid.nx: missing"),
        ({"sources": {"lamp": {"edge": "up"}}}, "found signals of a source 'down'"),
        ({"bounds": [2, 1]}, "bounds"),
        ({"start": -1}, "start: found"),
        ({"prior": {"kind": "gaussian"}}, "spread"),
        ({"noise": -0.1}, "noise"),
        ({"refinement": 0}, "refinement"),
        ({"steps": 0}, "steps"),
        ({"typo": 1}, "typo: unknown key"),
    ],
)
def test_a_wrong_configuration_is_refused_in_one_message(changes, part, table, tmp_path, capsys):
    words = [config(tmp_path, **changes), str(table), "--out", str(tmp_path / "out")]
    assert invert.main(words) == 2
    error = capsys.readouterr().err
    assert part in error
    assert error.count("error:") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.mpi
def test_two_processes_find_the_map_of_one_and_share_an_error(table, tmp_path, mpirun):
    words = ["-m", "jobs.invert", config(tmp_path, steps=8, refinement=1), str(table), "--out"]
    assert invert.main([*words[2:], str(tmp_path / "one")]) in (0, 3)
    done = mpirun(2, *words, tmp_path / "two", timeout=240)
    assert done.returncode in (0, 3), done.stderr
    one, two = read(tmp_path / "one"), read(tmp_path / "two")
    np.testing.assert_array_equal(two["density"], one["density"])
    np.testing.assert_array_equal(two["history"], one["history"])
    wrong = mpirun(2, *words, tmp_path / "wrong", "--set", "bounds=[2,1]")
    assert wrong.returncode == 2
    assert wrong.stderr.count("bounds: found [2.0, 1.0]") == 1


def test_the_example_is_ready_to_run(capsys):
    assert invert.main(["--example", "--dry-run"]) == 0
    assert "16 x 16 cells from 4096 values of 4 sources" in capsys.readouterr().out


def test_a_map_of_one_cell_has_a_spread_and_a_start_off_the_bounds_is_told(rows, tmp_path, capsys):
    write_table(tmp_path / "t.csv", rows.take(np.arange(0, len(rows), 11)))
    changes = {"problem": {"grid": {"nx": 1}, "edges": SURROUNDINGS}, "modes": 4, "start": 40}
    words = [config(tmp_path, **changes, steps=6), str(tmp_path / "t.csv"), "--out"]
    assert invert.main([*words, str(tmp_path / "out")]) == 3  # one cell explains nothing
    assert "brought within the bounds, 0.05 to 12" in capsys.readouterr().err
    with h5py.File(tmp_path / "out" / "inversion.h5") as file:
        assert 0 < file["spread"][0, 0] < file["density"][0, 0]
