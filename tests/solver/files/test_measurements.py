"""The long table of measured signals: read as it was written, or refused with its line."""

import dataclasses

import h5py
import numpy as np
import pytest

from opalux.base.errors import InputError
from opalux.solver.files.measurements import is_table, read_table, write_table
from opalux.solver.inversion.rows import Rows

HEADER = "source,edge,quantity,position [cm],time [sh],value,sigma"
GOOD = "left,up,E,0.25,0.001,8.5,0.1"
INSIDE = "source,edge,quantity,position [cm],x [cm],y [cm],time [sh],value"


def rows(n=5):
    rng = np.random.default_rng(0)
    return Rows(
        source=np.array(["left", "lamp 2", "left", "up", "é"][:n]),
        edge=np.array(["up", "down", "left", "right", "up"][:n]),
        quantity=np.array(["E", "F", "Fn", "T", "E"][:n]),
        position=rng.random(n).round(6),
        width=np.array([0.0, 0.1, 0.0, 0.25, 0.0][:n]),
        time=rng.random(n).round(6),
        value=rng.standard_normal(n).round(6),
        sigma=np.array([0.1, np.nan, 0.3, 1e-5, np.nan][:n]),
    )


def csv(tmp_path, *lines, name="table.csv"):
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["table.csv", "table.h5"])
def test_a_table_is_read_as_it_was_written(tmp_path, name):
    given, path = rows(), tmp_path / name
    if name == "table.h5":
        given = given.take(np.arange(4))  # its texts are ASCII
    write_table(path, given, ("a remark",) if name == "table.csv" else ())
    assert is_table(path)
    found = read_table(path).rows
    for field in dataclasses.fields(Rows):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(given, field.name))


@pytest.mark.parametrize("name", ["table.csv", "table.h5"])
@pytest.mark.parametrize("inside", [(True, True, True, False), (True, True, True, True)])
def test_detectors_inside_are_read_as_they_were_written(tmp_path, name, inside):
    within = np.array(inside)
    given = rows(4)
    given = dataclasses.replace(
        given,
        quantity=np.array(["E", "F", "T", "T"]),
        edge=np.where(within, "", given.edge),
        position=np.where(within, 0.0, given.position),
        x=np.where(within, [0.1, 0.2, 0.3, 0.4], 0.0),
        y=np.where(within, [0.5, 0.6, 0.7, 0.8], 0.0),
    )
    write_table(tmp_path / name, given)
    found = read_table(tmp_path / name).rows
    for field in dataclasses.fields(Rows):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(given, field.name))


def test_edge_and_position_may_be_left_out_where_all_detectors_are_inside(tmp_path):
    path = csv(tmp_path, "source,quantity,x [mm],y [cm],time [sh],value", "left,E,5,0.4,0.1,3")
    found = read_table(path).rows
    assert (found.x[0], found.y[0], found.edge[0]) == (0.5, 0.4, "")
    assert found.inside.all()


def test_units_are_converted_and_comments_and_spaces_are_passed_over(tmp_path):
    path = csv(
        tmp_path,
        "# measured on a Monday",
        "value , time [ns],position [mm],quantity,edge,source",
        "",
        "  # half way",
        " 3.5, 20, 2.5 , E, up, left",
    )
    found = read_table(path).rows
    assert (found.value[0], found.time[0], found.position[0]) == (3.5, 2.0, 0.25)
    assert np.isnan(found.sigma[0])
    assert found.width[0] == 0.0


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([HEADER], "found no rows"),
        (["# nothing"], "found no header"),
        ([HEADER.replace(" [cm]", ""), GOOD], r"column position: found no unit, expected .*\[cm\]"),
        ([HEADER.replace("[sh]", "[h]"), GOOD], r"column time: found the unit \[h\]"),
        ([HEADER.replace("value", "reading"), GOOD], "found a column 'reading'"),
        ([HEADER + ",value", GOOD + ",1"], "'value' twice"),
        ([HEADER + ",x [cm]", GOOD + ",1"], "found column x alone, expected x and y"),
        ([INSIDE, "left,up,E,,,,0.1,3"], "line 2: found an edge without position"),
        ([INSIDE, "left,up,E,0.5,0.5,,0.1,3"], "line 2: found an edge and x or y"),
        ([INSIDE, "left,,E,0.5,0.5,0.4,0.1,3"], "line 2: found a position without an edge"),
        ([INSIDE, "left,,E,,0.5,,0.1,3"], "line 2: found no edge"),
        ([INSIDE, "left,,Fn,,0.5,0.4,0.1,3"], "line 2: found Fn inside the domain"),
        ([HEADER.replace(",value", ""), "left,up,E,0.2,0.1,0.1"], "found no column value"),
        ([HEADER, GOOD, GOOD + ",7"], "line 3: found 8 fields, expected 7"),
        ([HEADER, GOOD.replace("up", "top")], "line 2, column edge: found 'top', expected up, do"),
        ([HEADER, GOOD.replace("E", "Q")], "line 2, column quantity: found 'Q'"),
        ([HEADER, GOOD.replace("left", "")], "line 2, column source: found '', expected a name"),
        ([HEADER, GOOD.replace("8.5", "8,5"[:1] + "x")], "column value: found '8x'"),
        ([HEADER, GOOD.replace("8.5", "nan")], "column value: found nan, expected a finite"),
        ([HEADER, GOOD.replace("0.001", "inf")], "column time: found inf"),
        ([HEADER, GOOD.replace("0.1", "0")], "column sigma: found 0, expected a number > 0"),
        ([HEADER, GOOD.replace("0.1", "-1")], "column sigma: found -1, expected a number > 0"),
        (
            [HEADER, GOOD.replace("8.5", "-1e200")],
            r"column value: found -1e\+200, expected .*1e\+30",
        ),
        ([HEADER, GOOD.replace("0.1", "1e-200")], "column sigma: found 1e-200, expected .* 1e-30"),
        ([HEADER, GOOD.replace("8.5", "9" * 999)], r"column value: found 9{40}\.\.\., expected"),
        ([HEADER.replace(",", ";"), GOOD.replace(",", ";").replace(".", ",")], "divided by ';'"),
        (
            [HEADER.replace(",", "\t"), GOOD.replace(",", "\t")],
            r"divided by '\\t', expected commas",
        ),
        ([HEADER, "# between", GOOD, GOOD], "line 4: found .* of line 3 again"),
    ],
)
def test_a_bad_table_is_refused_in_one_message(tmp_path, lines, message):
    with pytest.raises(InputError, match=message) as told:
        read_table(csv(tmp_path, *lines))
    assert "table.csv" in str(told.value)


def test_a_table_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(f"{HEADER}\n{GOOD}\n".replace("[cm]", "[µm]").encode("latin-1"))
    with pytest.raises(InputError, match=r"found a byte 0xb5 .* save it as CSV in UTF-8"):
        read_table(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"time": None}, "found no column time"),
        ({"value": np.zeros(3)}, "lengths"),
        ({"value": np.zeros((4, 1))}, r"value: found no array \(n,\)"),
        ({"value": np.array([1.0, np.nan, 1.0, 1.0])}, "row 1, column value: found nan"),
        ({"edge": np.array([b"up", b"off", b"up", b"up"])}, "row 1, column edge: found 'off'"),
        ({"source": np.arange(4.0)}, None),
    ],
)
def test_a_bad_hdf5_table_is_refused_in_one_message(tmp_path, changes, message):
    path = tmp_path / "table.h5"
    write_table(path, rows(4))
    with h5py.File(path, "r+") as file:
        for name, values in changes.items():
            del file[name]
            if values is not None:
                file[name] = values
    if message is None:  # numbers are names, too
        assert read_table(path).rows.sources[0] == "0.0"
        return
    with pytest.raises(InputError, match=message):
        read_table(path)


def test_a_file_that_is_no_table_at_all_is_refused(tmp_path):
    (tmp_path / "a.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 50)
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00source")
    for name in ("a.h5", "b.csv", "none.csv"):
        with pytest.raises(InputError, match=name):
            read_table(tmp_path / name)
