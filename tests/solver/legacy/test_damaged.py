"""Files of the published program that are cut off, damaged or saved by another program."""

import numpy as np
import pytest

from opalux.base.errors import InputError
from opalux.jobs.simulation.settings import read_settings
from opalux.solver.legacy.dataframe import COLUMNS, dataframe_text, read_dataframe
from opalux.solver.legacy.sds import read_sds, sds_bytes
from opalux.solver.march import simulate
from opalux.solver.problem import Problem
from tests.conftest import ROOT

GOLDEN = ROOT / "tests" / "golden"


@pytest.fixture(scope="module")
def solution():
    return simulate(Problem(grid={"nx": 6}, time={"final": 0.001}))


@pytest.fixture
def four(solution, tmp_path):
    """A file that announces four simulations and holds them."""
    path = tmp_path / "four.sds"
    parts = [sds_bytes(solution, n, None, simulations=4, header=n == 0) for n in range(4)]
    path.write_bytes(b"".join(parts))
    return path, len(parts[1])


def test_a_whole_file_is_read(four):
    assert [record.edge for record in read_sds(four[0])] == [0, 1, 2, 3]


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_a_file_that_was_cut_at_a_record_is_refused(missing, four):
    path, length = four
    path.write_bytes(path.read_bytes()[: -missing * length])
    with pytest.raises(InputError, match=f"announces 4 simulations and holds {4 - missing}"):
        read_sds(path)


def test_a_file_that_was_cut_inside_a_record_is_refused(four):
    path, _ = four
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(InputError, match="cut off or damaged"):
        read_sds(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_is_none_is_refused_by_its_place(value, four):
    path, length = four
    content = bytearray(path.read_bytes())
    content[-length + 2 : -length + 6] = np.float32(value).tobytes()  # first cell, last density
    path.write_bytes(content)
    with pytest.raises(InputError, match="simulation 4, the density: holds NaN or infinity"):
        read_sds(path)


def test_an_edge_that_there_is_not_is_refused(four):
    path, length = four
    content = bytearray(path.read_bytes())
    content[-length] = 9
    path.write_bytes(content)
    with pytest.raises(InputError, match="simulation 4: found edge 9"):
        read_sds(path)


def test_a_csv_without_rows_holds_no_simulation(tmp_path):
    path = tmp_path / "empty.csv"
    path.write_text(",".join(COLUMNS) + "\n")
    with pytest.raises(InputError, match="holds no simulation"):
        read_dataframe(path)


def test_a_csv_saved_with_a_byte_order_mark_is_read(solution, tmp_path):
    path = tmp_path / "excel.csv"
    row = dict.fromkeys(COLUMNS[: COLUMNS.index("rho")], "")
    path.write_text(dataframe_text(solution, row, header=True), encoding="utf-8-sig")
    assert len(read_dataframe(path)) == 1


@pytest.mark.parametrize("cut", [3, 4, 6])
def test_a_csv_that_was_cut_in_its_last_numbers_is_refused(cut, solution, tmp_path):
    path = tmp_path / "cut.csv"
    row = dict.fromkeys(COLUMNS[: COLUMNS.index("rho")], "")
    path.write_text(dataframe_text(solution, row, header=True)[:-cut])
    with pytest.raises(InputError, match=r"column T_r: found .* the file is cut off or damaged"):
        read_dataframe(path)


def cfg(folder, name="run.cfg", encoding="utf-8", **changes):
    words = (GOLDEN / "sds16_u.cfg").read_text().split()
    values = dict(zip(words[::2], words[1::2], strict=True)) | {"rho": "1", "N": "6"} | changes
    values |= {"x_min": "0", "x_max": "1", "y_min": "0", "y_max": "1"}
    for key in ("export_file", "export_mode", "write_mode", "simu_count"):
        values.pop(key, None)
    text = "\n".join(f"{key} {value}" for key, value in values.items())
    (folder / name).write_text(text, encoding=encoding)
    return folder / name


def test_a_cfg_runs_the_scheme_of_the_program_that_it_was_written_for(tmp_path):
    path = cfg(tmp_path)
    assert read_settings(path, [])[0].scheme == "published"
    assert read_settings(path, ["scheme=consistent"])[0].scheme == "consistent"


@pytest.mark.parametrize(
    ("name", "encoding"), [("RUN.CFG", "utf-8"), ("run.cfg", "utf-8-sig"), ("Run.Cfg", "utf-8")]
)
def test_a_cfg_is_known_by_its_ending_and_read_with_a_byte_order_mark(name, encoding, tmp_path):
    assert read_settings(cfg(tmp_path, name, encoding), [])[0].cells.nx == 6


def test_an_archive_is_no_density(tmp_path):
    np.savez(tmp_path / "rho.npz", rho=np.ones((4, 4)))
    with pytest.raises(InputError, match="an archive"):
        read_settings(cfg(tmp_path, rho="numpy:rho.npz"), [])
