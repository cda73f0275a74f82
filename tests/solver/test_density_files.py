"""Density maps in files: one map is the same from every format, and what is wrong is told."""

import h5py
import numpy as np
import pytest
from PIL import Image

from opalux.base.config import check
from opalux.base.errors import InputError
from opalux.solver.problem import Problem

RHO = np.round(np.random.default_rng(0).uniform(0.5, 5.0, (3, 4)), 3)
"""(ny, nx), row 0 = bottom."""
LEVELS = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20


def on_grid(density, folder):
    problem = check(Problem, {"material": {"density": density}}, source="test", folder=folder)
    return problem.material.density.on(problem.cells.whole)[1:-1, 1:-1]


def write_hdf5(path):
    with h5py.File(path, "w") as file:
        file["density"] = RHO


WRITERS = {
    "map.npy": lambda path: np.save(path, RHO),
    "map.csv": lambda path: np.savetxt(path, RHO, delimiter=",", header="g/cm3"),
    "blanks.csv": lambda path: np.savetxt(path, RHO),
    "semicolons.CSV": lambda path: np.savetxt(path, RHO, delimiter="; "),
    "map.h5": write_hdf5,
}


@pytest.mark.parametrize("name", WRITERS)
def test_the_name_of_a_file_stands_for_its_map(name, tmp_path):
    WRITERS[name](tmp_path / name)
    assert np.allclose(on_grid(name, tmp_path), RHO, rtol=1e-15)


def test_a_table_may_begin_at_the_top(tmp_path):
    WRITERS["map.csv"](tmp_path / "map.csv")
    density = {"kind": "array", "file": "map.csv", "first_row": "top"}
    assert np.allclose(on_grid(density, tmp_path), RHO[::-1], rtol=1e-15)


@pytest.mark.parametrize("mode", ["L", "RGB", "I;16", "1"])
def test_a_picture_is_the_map_as_it_is_seen(mode, tmp_path):
    if mode == "I;16":
        shown = np.round(LEVELS / 255 * 65535).astype(np.uint16)
        image = Image.fromarray(shown)
    else:
        image = Image.fromarray(LEVELS).convert(mode, dither=Image.Dither.NONE)
        shown = np.asarray(image.convert("L"))
    image.save(tmp_path / "map.png")
    share = shown[::-1] / (65535 if mode == "I;16" else 255)
    found = on_grid({"kind": "array", "file": "map.png", "range": [0.1, 10]}, tmp_path)
    assert np.allclose(found, 0.1 + 9.9 * share, rtol=1e-12)


def test_black_may_be_denser_than_white(tmp_path):
    Image.fromarray(LEVELS).save(tmp_path / "map.png")
    found = on_grid({"kind": "array", "file": "map.png", "range": [10, 1]}, tmp_path)
    assert found[-1, 0] == 10.0
    assert found.argmin() == 3  # bottom right, the whitest


def save_colours(path):
    Image.fromarray(np.zeros((3, 4, 3), np.uint8) + np.array([9, 0, 0], np.uint8)).save(path)


def save_transparent(path):
    Image.fromarray(np.full((3, 4, 4), 100, np.uint8)).save(path)


def text(content):
    return lambda path: path.write_text(content)


BAD = {
    "no range": (
        "map.png",
        lambda path: Image.fromarray(LEVELS).save(path),
        {},
        "range: found none",
    ),
    "range": ("map.npy", WRITERS["map.npy"], {"range": [1, 2]}, "which is no picture"),
    "colours": ("map.png", save_colours, {"range": [1, 2]}, "expected grey levels"),
    "transparent": ("map.png", save_transparent, {"range": [1, 2]}, "expected grey levels"),
    "no picture": ("map.png", text("hello"), {"range": [1, 2]}, "not a readable .png"),
    "ragged": ("map.csv", text("1,2\n3\n"), {}, "row 1 has 1 numbers and row 0 has 2"),
    "words": ("map.csv", text("a,b\n1,2\n"), {}, "not a readable .csv"),
    "empty": ("map.csv", text(""), {}, "at least one"),
    "missing": ("none.csv", lambda path: None, {}, "no such file"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_is_no_map_is_told(case, tmp_path):
    name, write, more, part = BAD[case]
    write(tmp_path / name)
    with pytest.raises(InputError, match=part):
        on_grid({"kind": "array", "file": name} | more, tmp_path)
