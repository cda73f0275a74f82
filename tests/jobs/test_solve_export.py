"""Simulations exported in the published formats, and read again."""

import json
import multiprocessing

import h5py
import numpy as np
import pytest

from opalux.jobs import dataset, solve
from opalux.jobs.inversion.signal_files import read_measurements
from opalux.learning.data.data_set import DataSet
from opalux.solver.legacy.sds import read_sds

EDGES = ("up", "down", "left", "right")
PROBLEM = """
grid: {{nx: 8, ny: 8}}
time: {{final: 0.003}}
material: {{density: "{density}"}}
edges: {{{edge}: {{kind: source}}}}
export: {{file: all.{kind}, mode: {mode}, write: append, simulations: {count}}}
output: {{pictures: false}}
"""
MODES = {"sds": "binary", "csv": "dataframe"}


def export(folder, edge, *words, kind="sds", count=4, density="1+x*y"):
    """Solve with one source and add the simulation to all.KIND; return the exit code."""
    config = folder / f"{edge}.yaml"
    mode = MODES[kind]
    text = PROBLEM.format(edge=edge, kind=kind, mode=mode, count=count, density=density)
    config.write_text(text)
    return solve.main([str(config), "--out", str(folder / edge), *words])


def imported(folder, *words):
    return dataset.main(["import", str(folder / "all.sds"), "--out", str(folder / "set"), *words])


@pytest.fixture(params=["consistent", "published"])
def scheme(request):
    return f"scheme={request.param}"


@pytest.mark.parametrize("kind", MODES)
def test_an_export_comes_back_at_the_times_of_the_solution(kind, scheme, tmp_path):
    for edge in EDGES:
        assert export(tmp_path, edge, "--set", scheme, kind=kind) == 0
    with h5py.File(tmp_path / "up" / "solution.h5") as file:
        expected = file["signals/t"][()]
    measured = read_measurements([tmp_path / f"all.{kind}"], None)
    assert [one.source for one in measured] == list(EDGES)
    for one in measured:
        np.testing.assert_allclose(one.times, expected, rtol=1e-12)
        assert one.physics is not None
        assert one.physics["scheme"] == scheme.removeprefix("scheme=")
        assert not one.assumed
    if kind == "sds":
        assert imported(tmp_path) == 0
        np.testing.assert_allclose(DataSet(tmp_path / "set").times, expected, rtol=1e-12)


@pytest.mark.parametrize("kind", MODES)
@pytest.mark.parametrize("number", [0, 1])
def test_shares_of_cells_are_not_exported(number, kind, tmp_path, capsys):
    portions = ["{start: 0.8}"] * number + ["{start: 0.1, stop: 0.7, ends: share}"]
    words = ["--set", f"edges.left.sources=[{', '.join(portions)}]"]
    assert export(tmp_path, "left", *words, kind=kind) == 2
    error = capsys.readouterr().err
    assert error.count(f"edges.left.sources.{number}.ends: found share") == 1
    assert "expected centre" in error
    assert not (tmp_path / "left").exists()
    assert not (tmp_path / f"all.{kind}").exists()


@pytest.mark.parametrize("kind", MODES)
def test_the_step_of_an_export_of_another_program_is_assumed_and_told(kind, tmp_path, capsys):
    for edge in EDGES:
        assert export(tmp_path, edge, kind=kind) == 0
    (tmp_path / f"all.{kind}.json").unlink()
    published = 0.5 / 8 / 299
    (one, *_) = read_measurements([tmp_path / f"all.{kind}"], None)
    assert f"step {published:.6g} sh = CFL" in one.assumed
    assert one.times[1] == pytest.approx(published, rel=1e-12)
    (one, *_) = read_measurements([tmp_path / f"all.{kind}"], 1e-4)
    assert not one.assumed
    assert one.times[1] == 1e-4
    if kind == "sds":
        assert imported(tmp_path) == 0
        assert f"step {published:.6g} sh = CFL" in capsys.readouterr().err


def test_times_begin_at_zero_whatever_t_0_the_formulas_use(tmp_path):
    assert export(tmp_path, "up", "--set", "time.start=0.5", kind="csv") == 0
    (tmp_path / "all.csv.json").unlink()
    (one,) = read_measurements([tmp_path / "all.csv"], None)
    assert one.times[0] == 0


@pytest.mark.parametrize("kind", MODES)
def test_the_same_simulation_is_not_added_twice(kind, tmp_path, capsys):
    for edge in ("up", "down"):
        assert export(tmp_path, edge, kind=kind, count=2) == 0
    path = tmp_path / f"all.{kind}"
    once = path.read_bytes()
    (tmp_path / "other").mkdir()
    words = ["--out", str(tmp_path / "other" / "run")]
    assert solve.main([str(tmp_path / "down.yaml"), *words]) == 2
    assert "holds a simulation of this density and source already" in capsys.readouterr().err
    assert not (tmp_path / "other" / "run").exists()
    assert solve.main([str(tmp_path / "down.yaml"), *words, "--dry-run"]) == 2
    for edge in ("down", "up"):
        assert export(tmp_path, edge, "--force", kind=kind, count=2) == 0
        assert path.read_bytes() == once
    assert len(json.loads((tmp_path / f"all.{kind}.json").read_text())["simulations"]) == 2


def test_a_run_that_goes_on_after_its_export_adds_it_once(tmp_path):
    assert export(tmp_path, "up", count=1) == 0
    once = (tmp_path / "all.sds").read_bytes()
    (tmp_path / "up" / "run.json").unlink()  # killed behind the export
    assert export(tmp_path, "up", "--resume", count=1) == 0
    assert (tmp_path / "all.sds").read_bytes() == once


def test_another_density_is_added_and_what_is_announced_grows_with_it(tmp_path):
    for density in ("1+x", "1+y", "2+y"):
        assert export(tmp_path, "up", "--force", count=2, density=density) == 0
    assert len(read_sds(tmp_path / "all.sds")) == 3


@pytest.mark.parametrize("kind", MODES)
def test_two_schemes_are_not_mixed_in_one_file(kind, tmp_path, capsys):
    assert export(tmp_path, "up", "--set", "scheme=published", kind=kind) == 0
    before = (tmp_path / f"all.{kind}").read_bytes()
    assert export(tmp_path, "down", kind=kind) == 2
    assert "scheme: 'published' then, 'consistent' now" in capsys.readouterr().err
    assert not (tmp_path / "down").exists()
    assert (tmp_path / f"all.{kind}").read_bytes() == before
    assert export(tmp_path, "up", "--force", kind=kind) == 0, "the only simulation is replaced"


@pytest.mark.parametrize(
    "change", ["constants.c=298.5", "material.heat_capacity=0.2", "time.cfl=0.499", "initial.T=4.9"]
)
def test_what_an_sds_cannot_tell_apart_is_not_mixed(change, tmp_path, capsys):
    assert export(tmp_path, "up") == 0
    assert export(tmp_path, "down", "--set", change) == 2
    assert change.split("=")[0] in capsys.readouterr().err


def test_adding_to_a_file_of_unknown_scheme_is_told(tmp_path, capsys):
    assert export(tmp_path, "up") == 0
    (tmp_path / "all.sds.json").unlink()
    capsys.readouterr()
    assert export(tmp_path, "down") == 0
    assert "holds 1 simulations whose scheme and step are not known" in capsys.readouterr().err
    assert imported(tmp_path, "--dt", "1e-4") == 2, "one of them is known"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda data: data[:-7], "announces 4 simulations of 8 x 8 cells"),
        (lambda data: data[:20], "holds 0 and 6 bytes"),
        (lambda data: data[:5] + b"\0\0" + data[7:], "announces 0 simulations and holds 1"),
        (lambda data: data[:-1] + b"x", "at the end of simulation 1"),
        (lambda data: b"sds01" + data[5:], "expected an sds02 file"),
        (lambda data: data[:7] + b"\0" * 6 + data[13:], "cut off or damaged"),
    ],
)
def test_nothing_is_added_to_a_damaged_sds(damage, words, tmp_path, capsys):
    assert export(tmp_path, "up") == 0
    path = tmp_path / "all.sds"
    path.write_bytes(damage(path.read_bytes()))
    before = path.read_bytes()
    assert export(tmp_path, "down") == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("error:") == 1
    assert not (tmp_path / "down").exists()
    assert path.read_bytes() == before


@pytest.mark.parametrize("cut", [1, 500])
def test_nothing_is_added_to_a_cut_csv(cut, tmp_path, capsys):
    assert export(tmp_path, "up", kind="csv") == 0
    path = tmp_path / "all.csv"
    path.write_bytes(path.read_bytes()[:-cut])
    assert export(tmp_path, "down", kind="csv") == 2
    assert "error: " in capsys.readouterr().err


def test_a_file_of_somebody_else_beside_the_export_stays(tmp_path, capsys):
    (tmp_path / "all.sds.json").write_text('{"mine": 1}')
    assert export(tmp_path, "up") == 2
    assert "all.sds.json: is not what" in capsys.readouterr().err
    assert (tmp_path / "all.sds.json").read_text() == '{"mine": 1}'
    assert not (tmp_path / "all.sds").exists()


@pytest.mark.parametrize(("count", "held"), [(0, 4), (3, 4), (5, 4)])
def test_an_sds_that_announces_another_number_is_refused(count, held, tmp_path, capsys):
    for edge in EDGES:
        assert export(tmp_path, edge) == 0
    path = tmp_path / "all.sds"
    data = path.read_bytes()
    path.write_bytes(data[:5] + count.to_bytes(2, "little") + data[7:])
    assert imported(tmp_path) == 2
    assert f"announces {count} simulations and holds {held}" in capsys.readouterr().err


def test_steps_and_schemes_are_not_mixed_in_an_import(tmp_path, capsys):
    for name, scheme, density in (("a", "consistent", "1+x"), ("b", "published", "1+y")):
        (tmp_path / name).mkdir()
        for edge in EDGES:
            words = ["--set", f"scheme={scheme}"]
            assert export(tmp_path / name, edge, *words, density=density) == 0
    files = [str(tmp_path / name / "all.sds") for name in "ab"]
    line = ["import", *files, "--out", str(tmp_path / "set")]
    assert dataset.main(line) == 2
    assert "found a step of" in capsys.readouterr().err
    assert dataset.main([*line, "--dt", "1e-4"]) == 2
    assert "whose scheme is published, expected consistent" in capsys.readouterr().err


def test_runs_that_add_to_one_file_at_once_lose_nothing(tmp_path):
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert pool.starmap(export, [(tmp_path, edge) for edge in EDGES]) == [0] * 4
    assert sorted(record.edge for record in read_sds(tmp_path / "all.sds")) == [0, 1, 2, 3]
