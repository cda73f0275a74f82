"""Whatever happens to a file that a job reads: it is read as it stands, or refused."""

import contextlib
import itertools
import json
from typing import Any

import h5py
import numpy as np
import pytest

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.jobs import solve
from opalux.jobs.inversion.decisive import decisive
from opalux.jobs.inversion.signal_files import read_measurements
from opalux.jobs.simulation.settings import read_settings
from opalux.solver.densities.files import read_map
from opalux.solver.legacy.held import read_held
from opalux.solver.legacy.sds import read_sds, split_sds
from opalux.solver.media import ArrayDensity
from tests.conftest import ROOT

FLIPS, CUTS = 150, 40
PROBLEM = """
grid: {nx: 5, ny: 4, x: [0, 1], y: [0, 0.8]}
time: {final: 0.0015}
material: {density: 1+x*y}
edges: {up: {kind: source}}
output: {pictures: false}
"""


def signals(path):
    """Read signals as reconstruct does, and check what it relies on."""
    found = read_measurements([path], None)
    for one in found:
        assert one.source in EDGES
        if one.physics is not None:
            decisive(one.physics, varies=False)
            assert one.physics["edges"][one.source]["sources"][0].get("stop", 1) is not Ellipsis
        for signal in one.signals.values():
            assert signal.shape[:2] == (3, len(one.times))
            assert signal.dtype == np.float64
    return found


def density(path):
    """Read a density as solve and sample do."""
    for read in (
        lambda: np.array(read_map(path, (4, 5))),
        lambda: ArrayDensity(kind="array", file=path).shape,
    ):
        with contextlib.suppress(InputError):
            read()


def appended(path):
    """Read an export as one does that is added to."""
    header = split_sds((path.parent / "kept.sds").read_bytes(), path)[0]
    read_held(path, None if path.suffix == ".csv" else header)


READERS = {
    "solution.h5": [signals, density],
    "all.sds": [signals, read_sds, appended],
    "all.csv": [signals, appended],
    "all.csv.json": [lambda path: signals(path.with_name("all.csv"))],
    "run.cfg": [lambda path: read_settings(path, [])],
    "rho.npy": [density],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One file of each kind."""
    folder = tmp_path_factory.mktemp("made")
    config = folder / "up.yaml"
    for kind, mode in (("sds", "binary"), ("csv", "dataframe")):
        config.write_text(PROBLEM + f"export: {{file: all.{kind}, mode: {mode}}}")
        assert solve.main([str(config), "--out", str(folder / kind)]) == 0
    (folder / "solution.h5").write_bytes((folder / "csv" / "solution.h5").read_bytes())
    (folder / "kept.sds").write_bytes((folder / "all.sds").read_bytes())
    np.save(folder / "rho.npy", np.linspace(1, 2, 20).reshape(4, 5))
    text = (ROOT / "tests" / "golden" / "sds16_u.cfg").read_text()
    (folder / "run.cfg").write_text(text.replace("rho16.npy", "rho.npy"))
    return folder


def hold(made, folder, name, content):
    """Assert that a damaged file is read or refused by everybody who reads it."""
    for path in made.iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    (folder / name).write_bytes(content)
    for read in READERS[name]:
        with contextlib.suppress(InputError):
            read(folder / name)


@pytest.mark.parametrize("name", READERS)
def test_what_was_made_is_read(name, made):
    for read in READERS[name]:
        read(made / name)


@pytest.mark.parametrize("name", READERS)
def test_cut_files_are_read_or_refused(name, made, tmp_path):
    content = (made / name).read_bytes()
    for length in np.random.default_rng(1).integers(0, len(content), CUTS):
        hold(made, tmp_path, name, content[:length])


@pytest.mark.parametrize("name", [name for name in READERS if name != "solution.h5"])
def test_files_with_another_byte_are_read_or_refused(name, made, tmp_path):
    content = (made / name).read_bytes()
    rng = np.random.default_rng(2)
    head = np.arange(min(len(content), 200))  # where most of the structure is
    for place in (*rng.choice(head, FLIPS // 2), *rng.integers(0, len(content), FLIPS // 2)):
        changed = bytearray(content)
        changed[place] ^= int(rng.integers(1, 256))
        hold(made, tmp_path, name, bytes(changed))


def changed_solution(made, folder, change):
    """Hold a solution.h5 in which ``change`` did something."""
    path = folder / "changed.h5"
    path.write_bytes((made / "solution.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        change(file)
    hold(made, folder, "solution.h5", path.read_bytes())


ARRAYS = ["fields/rho", "fields/F", "signals/t", "signals/up/E", "signals/left/F", "signals/down/T"]
OTHERS = {
    "text": lambda array: np.full(array.shape, b"text"),
    "whole": lambda array: array.astype(int),
    "complex": lambda array: array * 1j,
    "structured": lambda array: np.zeros(array.shape, [("a", "f8"), ("b", "i4")]),
    "flat": lambda array: array.ravel(),
    "short": lambda array: array[:-1],
    "narrow": lambda array: array[..., :-1],
    "empty": lambda array: array[:0],
    "single": lambda array: array.flat[0],
    "deep": lambda array: array[None],
    "nan": lambda array: array * np.nan,
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_solution_with_another_array_is_read_or_refused(other, made, tmp_path):
    for name in ARRAYS:

        def change(file, name=name):
            array = file[name][()]
            del file[name]
            file[name] = OTHERS[other](array)

        changed_solution(made, tmp_path, change)


def test_a_solution_without_one_of_its_parts_is_read_or_refused(made, tmp_path):
    for name in (*ARRAYS, "fields", "signals", "signals/up"):
        changed_solution(made, tmp_path, lambda file, name=name: file.__delitem__(name))
        changed_solution(
            made,
            tmp_path,
            lambda file, name=name: (file.__delitem__(name), file.create_group(name)),
        )


CONFIGS = [
    "",
    "a: [",
    "[]",
    "5",
    "grid: 5",
    "grid: {x: [0, 1], y: null}",
    "edges: {up: 5}",
    5,
    b"\xff",
]


def test_a_solution_of_another_configuration_is_read_or_refused(made, tmp_path):
    for text in CONFIGS:
        changed_solution(
            made, tmp_path, lambda file, text=text: file.attrs.__setitem__("config", text)
        )
    for name in ("config", "scheme"):
        changed_solution(made, tmp_path, lambda file, name=name: file.attrs.__delitem__(name))


def test_what_stands_beside_an_export_is_read_or_refused(made, tmp_path):
    whole = json.loads((made / "all.csv.json").read_text())
    (key,) = whole["simulations"]
    values: list[Any] = [
        None,
        5,
        "x",
        [],
        {},
        {"up": 5},
        {"edges": {"up": {"sources": [5]}}},
        -1,
        1e400,
    ]
    for name, value in itertools.product(("problem", "dt", "scheme", "order"), values):
        changed = {**whole["simulations"][key], name: value}
        content = json.dumps({**whole, "simulations": {key: changed}})
        hold(made, tmp_path, "all.csv.json", content.encode())


@pytest.mark.parametrize(
    "array",
    [
        np.array([[{}, 5]], dtype=object),
        np.full((4, 5), "text"),
        np.ones((4, 5), [("a", "f8")]),
        np.ones((4, 5), "datetime64[s]"),
        np.ones((4, 5), bool),
        np.ones((4, 5), ">f8"),
        np.asfortranarray(np.ones((4, 5))),
        np.ones((0, 5)),
        np.ones((4, 0)),
        np.ones(()),
    ],
)
def test_arrays_of_another_kind_are_read_or_refused(array, made, tmp_path):
    np.save(tmp_path / "other.npy", array, allow_pickle=True)
    hold(made, tmp_path, "rho.npy", (tmp_path / "other.npy").read_bytes())


@pytest.mark.parametrize("value", ["nan", "inf", "", "1e999", "[", "1, 2], [3", "x"])
def test_a_csv_with_another_cell_is_read_or_refused(value, made, tmp_path):
    text = (made / "all.csv").read_text()
    for column, number in itertools.product(("8.575", "[[", "0.5", ", "), range(3)):
        parts = text.split(column)
        place = (number + 1) * len(parts) // 5
        content = column.join(parts[:place]) + value + column.join(parts[place:])
        hold(made, tmp_path, "all.csv", content.encode())
