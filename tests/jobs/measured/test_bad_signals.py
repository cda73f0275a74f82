"""Signal files that are wrong end ``opalux invert`` with one message and exit code 2."""

import json
import shutil

import h5py
import numpy as np
import pytest

from opalux.jobs import invert
from tests.jobs.measured.rectangle import MAP, VACUUM, config, solved

HEADER = "source,edge,quantity,position [cm],time [sh],value,sigma\n"
LINES = [f"left,up,E,{x},{t},{3 + 100 * t + x:.4g},0.1" for x in (0.2, 0.7) for t in (0.001, 0.005)]
TABLE = HEADER + "\n".join(LINES) + "\n"


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Signals of two sources."""
    folder = tmp_path_factory.mktemp("good")
    return [solved(folder / source, source) for source in ("left", "up")]


def refused(words, capsys, code=2):
    """Run and return the one message."""
    capsys.readouterr()
    assert invert.main([str(word) for word in words]) == code
    error = capsys.readouterr().err
    assert error.count("error:") == 1
    assert "Traceback" not in error
    return error


@pytest.mark.parametrize(
    ("source", "changes", "part"),
    [
        ("left", {"grid": MAP | {"nx": 24, "ny": 16, "x": [0, 3]}}, "found a domain from 0 to 3"),
        ("left", {"grid": MAP | {"nx": 24, "ny": 16, "y": [1, 2]}}, "from 1 to 2 cm along y"),
        ("up", {}, "expected each source once"),
        ("left", {"signals": {"at": "cell"}}, "found some of the edge itself and some of cells"),
        ("left", {"edges": VACUUM}, "found 0 edges with a source"),
        (
            "left",
            {"edges": VACUUM | {e: {"kind": "source"} for e in ("left", "right")}},
            "found 2 edges with a source, expected one at a time",
        ),
        (
            "left",
            {"edges": VACUUM | {"left": {"kind": "source", "sources": [{"stop": 0.2}, {}]}}},
            "found 2 portions that radiate",
        ),
    ],
)
def test_a_solution_of_another_problem_is_refused(source, changes, part, good, tmp_path, capsys):
    other = solved(tmp_path / "other", source, **changes)
    words = [config(tmp_path), other, good[1], "--out", tmp_path / "out"]
    assert part in refused(words, capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"time": {"final": 0.02, "cfl": 0.65}}, "times are after problem.time.final = 0.01 sh"),
        (
            {"material": {"density": "1.5", "heat_capacity": "0.3"}},
            "warning: {file}: comes from other physics (material.heat_capacity: 0.3 there, "
            "0.14361 in the configuration)",
        ),
        (
            {"edges": {"left": {"kind": "source"}, "down": {"kind": "free"}}},
            "edges.down.kind: free there, vacuum in the configuration",
        ),
    ],
)
def test_what_a_solution_has_besides_is_told(changes, part, good, tmp_path, capsys):
    other = solved(tmp_path / "other", **changes)
    words = [config(tmp_path, noise={"absolute": 0.1}), other, good[1], "--dry-run"]
    capsys.readouterr()
    assert invert.main([str(word) for word in words]) == 0
    assert part.format(file=other) in capsys.readouterr().err


@pytest.mark.parametrize("share", [0, 0.001, 0.01, 0.3, 0.6, 0.999])
def test_a_solution_that_is_cut_is_refused(share, good, tmp_path, capsys):
    content, path = good[0].read_bytes(), tmp_path / "cut.h5"
    path.write_bytes(content[: int(share * len(content))])
    error = refused([config(tmp_path), path, good[1], "--dry-run"], capsys)
    assert f"{path}: is no solution.h5 of `opalux solve`, or is damaged" in error


@pytest.mark.parametrize(
    ("mark", "at"), [(b"HDF", 0), (b"TREE", 0), (b"SNOD", 0), (b"HEAP", 0), (b"HEAP", 16)]
)
def test_a_solution_with_a_damaged_table_of_contents_is_refused(mark, at, good, tmp_path, capsys):
    """``at`` 16 is where a list of names says which of its bytes are free: seen late by HDF5."""
    content, path = bytearray(good[0].read_bytes()), tmp_path / "damaged.h5"
    first = content.index(mark) + at
    content[first : first + 4] = b"\x03\x05\x07\x09"
    path.write_bytes(content)
    error = refused([config(tmp_path), path, good[1], "--dry-run"], capsys)
    assert f"{path}: " in error


@pytest.mark.parametrize(
    ("name", "change", "part"),
    [
        ("t", lambda t: t[::-1], "found times that do not grow"),
        ("t", lambda t: t - 1, "found times that do not grow"),
        ("t", lambda t: t * np.nan, "found times that do not grow"),
        ("t", lambda t: t.astype("S8"), "found times that do not grow"),
        ("t", lambda t: 1e8 * t, "found 1 times up to problem.time.final"),
        ("t", lambda t: 1e-8 * t, "less than a cell of the map"),
        ("up/E", lambda v: v[:-1], "is damaged"),
        ("up/E", lambda v: v * np.nan, "found NaN"),
        ("up/E", lambda v: v * 0, "quantity E does not vary"),
    ],
)
def test_signals_that_were_changed_are_refused(name, change, part, good, tmp_path, capsys):
    path = tmp_path / "changed.h5"
    shutil.copy(good[0], path)
    with h5py.File(path, "r+") as file:
        value = change(file["signals"][name][()])
        del file["signals"][name]
        file["signals"][name] = value
    assert part in refused([config(tmp_path), path, good[1], "--dry-run"], capsys)


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("time [sh]", "time [s]", "line 2, column time: found 100000, expected at most"),
        (",0.1\n", ",0\n", "column sigma: found 0, expected a number > 0"),
        (",0.1\n", ",-0.1\n", "column sigma: found -0.1, expected a number > 0"),
        (",0.1\n", ",large\n", "column sigma: found 'large', expected a number"),
        ("3.3", '"1,003.3"', "column value: found '1,003.3', expected a number"),
        ("3.3", "1,003.3", "found 8 fields, expected 7"),
        ("3.3", "1_003.3", "column value: found '1_003.3', expected a number"),
        ("3.3", "1'003.3", "column value: found '1'003.3', expected a number"),
        (LINES[1], LINES[0], "line 3: found the source, edge, quantity, place and time of line 2"),
        (TABLE, "", "found no header"),
        (TABLE, HEADER, "found no rows"),
        (TABLE, TABLE[:-5], "found 6 fields, expected 7"),
        (
            TABLE,
            TABLE.replace(",0.001,", ",1e-11,").replace(",0.005,", ",5e-11,"),
            "source left: found times up to 5e-11 sh, in which light passes",
        ),
    ],
)
def test_a_table_that_is_wrong_is_refused(old, new, part, tmp_path, capsys):
    path = tmp_path / "table.csv"
    assert old in TABLE
    path.write_text(TABLE.replace(old, new))
    assert part in refused([config(tmp_path), path, "--dry-run"], capsys)


def test_a_folder_is_read_without_what_is_being_written(good, tmp_path, capsys):
    folder = tmp_path / "folder"
    folder.mkdir()
    shutil.copy(good[0], folder / "left.h5")
    (folder / ".up.h5.host.1.part.h5").write_bytes(good[1].read_bytes()[:5000])
    words = [config(tmp_path), folder, "--dry-run"]
    assert invert.main([str(word) for word in words]) == 0
    (folder / "up.h5").write_bytes(good[1].read_bytes()[:5000])
    assert f"{folder / 'up.h5'}: is no solution.h5" in refused(words, capsys)


@pytest.mark.parametrize("shape", [(5, 5), (12, 8), (8, 12, 2)])
def test_a_start_of_another_shape_is_refused(shape, good, tmp_path, capsys):
    np.save(tmp_path / "start.npy", np.ones(shape))
    start = {"kind": "array", "file": str(tmp_path / "start.npy")}
    error = refused([config(tmp_path, start=start), *good, "--dry-run"], capsys)
    assert f"start.npy: found {'shape ' if len(shape) == 2 else ''}{shape}" in error


@pytest.mark.parametrize(
    ("out", "part"),
    [("/proc/none", "cannot write there"), ("{folder}", "holds files but no .opalux.json")],
)
def test_a_folder_that_cannot_be_written_to_is_refused(out, part, good, tmp_path, capsys):
    out = out.format(folder=tmp_path)
    words = [config(tmp_path), *good, "--out", out, "--force"]
    assert part in refused(words, capsys)


def test_a_complete_run_is_resumed_by_its_own_signals_alone(good, tmp_path, capsys):
    path = config(tmp_path, steps=3, refinement=1, accept_chi2=1e9)
    words = [path, *good, "--out", tmp_path / "out"]
    assert invert.main([str(word) for word in words]) == 0
    written = (tmp_path / "out" / "inversion.json").read_text()
    assert invert.main([*map(str, words), "--resume"]) == 0
    assert "complete already" in capsys.readouterr().err
    assert "is complete, of other signals" in refused([*words[:2], *words[3:], "--resume"], capsys)
    (tmp_path / "table.csv").write_text(TABLE)
    again = [path, tmp_path / "table.csv", "--out", tmp_path / "out", "--resume"]
    assert "of other signals" in refused(again, capsys)
    assert (tmp_path / "out" / "inversion.json").read_text() == written
    assert json.loads(written)["one_time_in"] == 1


def test_a_limit_below_two_times_is_refused(good, tmp_path, capsys):
    error = refused([config(tmp_path, most_values=100), *good, "--dry-run"], capsys)
    assert "most_values: found 100, expected at least 960, two times of each file" in error
