"""What all packages share: names of axes, units and dimension scales in files, pictures."""

import h5py
import matplotlib.pyplot as plt
import numpy as np
import pytest

from opalux.base.axes import EDGES, FIELDS, QUANTITIES, UNITS, along, flux_magnitude
from opalux.base.hdf5 import describe
from opalux.base.plots import png, save


def test_every_field_and_quantity_has_a_unit():
    assert set(UNITS) >= {*FIELDS, *QUANTITIES}


def test_the_place_along_an_edge_is_x_below_and_above():
    assert [along(edge) for edge in EDGES] == ["x", "x", "y", "y"]


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_the_magnitude_of_the_flux_is_taken_along_any_axis(axis):
    F = np.moveaxis(np.array([[3.0, 5.0], [4.0, 12.0]]), 0, axis)
    assert flux_magnitude(F, axis).tolist() == [5.0, 13.0]


def test_a_described_data_set_names_its_axes_and_keeps_its_place_in_the_file(tmp_path):
    with h5py.File(tmp_path / "made.h5", "w") as file:
        file["y"], file["E"] = np.arange(2.0), np.ones((2, 3))
        before = file["E"].id.get_offset()
        describe(file["y"], "cm")
        describe(file["E"], "g/cm/sh2", (file["y"], "x"))
    with h5py.File(tmp_path / "made.h5") as file:
        E = file["E"]
        assert (E.attrs["units"], list(E.attrs["axes"])) == ("g/cm/sh2", ["y", "x"])
        assert [d.label for d in E.dims] == ["y", "x"]
        assert E.dims[0][0] == file["y"]
        assert E.dims[0][0].attrs["units"] == "cm"
        assert E.id.get_offset() == before


def test_axes_must_be_as_many_as_the_array_has(tmp_path):
    with h5py.File(tmp_path / "made.h5", "w") as file:
        file["E"] = np.ones((2, 3))
        with pytest.raises(ValueError, match="found 1 axes, expected 2"):
            describe(file["E"], axes=("y",))


def test_a_saved_picture_is_closed_and_whole(tmp_path):
    figure, _ = plt.subplots()
    save(figure, tmp_path / "made.png")
    assert (tmp_path / "made.png").read_bytes().startswith(b"\x89PNG")
    assert not plt.fignum_exists(figure.number)
    assert png(plt.figure()).startswith(b"\x89PNG")
