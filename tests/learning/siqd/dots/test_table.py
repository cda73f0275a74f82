"""Reading tables: columns found by name, bad rows named, the shipped set sound."""

import numpy as np
import pytest

from opalux.base.errors import InputError
from opalux.learning.siqd.dots.columns import FEATURES, FRACTIONS, find_columns
from opalux.learning.siqd.dots.rebuild import dots_of, row
from opalux.learning.siqd.dots.settings import StructureSettings, TableSettings
from opalux.learning.siqd.dots.table import read_table
from opalux.learning.siqd.study.run import check
from opalux.learning.siqd.study.settings import SiqdSettings

HEADER = ["D avg (nm)", "HSi_ratio", "f{111}", "f{110}", "f{100}", "f{113}", "Wavelength (nm)"]
ROWS = [[1.5, 1.2, 0.5, 0.5, 0, 0, 450], [2.0, 0.8, 0.25, 0.25, 0.25, 0.25, 550.5]]


def write_csv(path, header=HEADER, rows=ROWS, delimiter=","):
    lines = [delimiter.join(map(str, line)) for line in [header, *rows]]
    path.write_text("\n".join(lines) + "\n")
    return TableSettings(file=path)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_columns_are_found_whatever_case_and_punctuation(tmp_path, delimiter):
    table = read_table(write_csv(tmp_path / "dots.csv", delimiter=delimiter))
    assert table.columns["diameter"].tolist() == [1.5, 2.0]
    assert table.columns["wavelength"].tolist() == [450.0, 550.5]
    assert table.side_by_side(FEATURES).shape == (2, 6)
    assert not table.rebuilt


def test_xlsx_gives_the_same_as_csv(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for line in [HEADER, *ROWS]:
        book.active.append(line)
    book.save(tmp_path / "dots.xlsx")
    sheet = read_table(TableSettings(file=tmp_path / "dots.xlsx"))
    text = read_table(write_csv(tmp_path / "dots.csv"))
    assert np.array_equal(sheet.side_by_side(FEATURES), text.side_by_side(FEATURES))
    with pytest.raises(InputError, match="no sheet 'other'; choose among Sheet"):
        read_table(TableSettings(file=tmp_path / "dots.xlsx", sheet="other"))


def test_unreadable_xlsx_is_refused(tmp_path):
    pytest.importorskip("openpyxl")
    (tmp_path / "dots.xlsx").write_bytes(b"no zip")
    with pytest.raises(InputError, match="not a readable XLSX file"):
        read_table(TableSettings(file=tmp_path / "dots.xlsx"))


def test_columns_can_be_mapped(tmp_path):
    header = ["Groesse", *HEADER[1:]]
    source = write_csv(tmp_path / "dots.csv", header)
    with pytest.raises(InputError, match="no column for diameter; found Groesse"):
        read_table(source)
    mapped = source.model_copy(update={"columns": {"diameter": "Groesse"}})
    assert read_table(mapped).columns["diameter"].tolist() == [1.5, 2.0]
    wrong = source.model_copy(update={"columns": {"diameter": "Grosse"}})
    with pytest.raises(InputError, match="no column 'Grosse'"):
        read_table(wrong)


def test_mapping_of_an_unknown_column_is_refused():
    with pytest.raises(InputError, match="unknown column size"):
        check(SiqdSettings(data=TableSettings(columns={"size": "D"})))


def test_hsi_ratio_is_computed_when_absent(tmp_path):
    header = ["Si", "H", *HEADER[:1], *HEADER[2:]]
    rows = [[10, 12, 1.5, *ROWS[0][2:]], [20, 16, 2.0, *ROWS[1][2:]]]
    table = read_table(write_csv(tmp_path / "dots.csv", header, rows))
    assert table.columns["hsi_ratio"].tolist() == [1.2, 0.8]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (0, -1.0, "line 3: diameter is -1, expected a positive size"),
        (0, 35.0, "line 3: diameter is 35, expected a positive size in nm, below 20"),
        (1, 9.0, "line 3: hsi_ratio is 9, expected 0 to 3"),
        (2, 0.9, "line 3: f111, f110, f100, f113 sum to 1.65, expected 1"),
        (2, -0.25, "line 3: the smallest of f111, f110, f100, f113 is -0.25, expected 0 to 1"),
        (6, 5.0, "line 3: wavelength is 5 nm, expected 100 to 3000"),
        (6, "n/a", "line 3: wavelength is 'n/a', expected a finite number"),
        (6, "nan", "line 3: wavelength is 'nan', expected a finite number"),
        (6, "", "line 3: wavelength is '', expected a finite number"),
    ],
)
def test_a_bad_row_is_named(tmp_path, column, value, message):
    rows = [ROWS[0], [*ROWS[1]]]
    rows[1][column] = value
    with pytest.raises(InputError) as error:
        read_table(write_csv(tmp_path / "dots.csv", rows=rows))
    assert message in str(error.value)


def test_coordination_that_does_not_fit_is_named(tmp_path):
    header, rows = [*HEADER, "n_coord"], [[*ROWS[0], 2.8], [*ROWS[1], 2.8]]
    with pytest.raises(InputError, match=r"line 3: n_coord lies -0.4 from 4 - HSi_ratio"):
        read_table(write_csv(tmp_path / "dots.csv", header, rows))


def test_bad_rows_are_one_message_for_each_column_with_all_their_lines(tmp_path):
    good, small = ROWS[0], [0.0, *ROWS[0][1:]]
    rows = [small] * 3 + [good] * 2 + [small] + [[*good[:6], 5.0]] * 2
    with pytest.raises(InputError) as error:
        read_table(write_csv(tmp_path / "dots.csv", rows=rows))
    lines = str(error.value).splitlines()
    assert "6 bad values" in lines[0]
    assert len(lines) == 3
    assert lines[1].startswith("  lines 2–4, 7: diameter is 0, 0, 0, 0, expected")
    assert lines[2].startswith("  lines 8–9: wavelength is 5, 5 nm")


@pytest.mark.parametrize("name", ["absent.csv", "dots.pdf"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"no such file|expected .csv or .xlsx"):
        read_table(TableSettings(file=tmp_path / name))


@pytest.mark.parametrize("text", ["", "a,b,c\n"])
def test_a_table_without_rows_is_refused(tmp_path, text):
    (tmp_path / "dots.csv").write_text(text)
    with pytest.raises(InputError, match="found no rows"):
        read_table(TableSettings(file=tmp_path / "dots.csv"))


@pytest.mark.parametrize(
    "title", ["diameter_nm", "Diameter (nm)", "DIAMETER", "average diameter [nm]", "D"]
)
def test_titles_of_the_diameter(title):
    assert find_columns([title, *HEADER[1:]], {}, "here")["diameter"] == 0


def test_shipped_set_is_sound():
    table = read_table(TableSettings())
    assert table.rebuilt
    assert len(table) == 292
    assert table.columns["diameter"].max() <= 3.04
    assert np.allclose(sum(table.columns[name] for name in FRACTIONS), 1.0, atol=1e-6)
    assert np.allclose(table.columns["n_coord"], 4.0 - table.columns["hsi_ratio"], atol=1e-6)


def test_shipped_rows_are_those_that_are_made_now():
    table = read_table(TableSettings())
    for dot in dots_of(StructureSettings(largest=1.4)):
        made, place = row(dot, "one"), table.names.index(dot.formula)
        assert made["wavelength_nm"] == pytest.approx(table.columns["wavelength"][place], abs=1e-3)
        assert made["f111"] == pytest.approx(table.columns["f111"][place], abs=1e-6)


def test_wavelengths_of_the_shipped_set_follow_the_size_law():
    """Eg = 1.184 + 3.336 / D^1.298 eV with D of the sphere of equal volume [nm]."""
    table = read_table(TableSettings())
    sphere = (6.0 / np.pi * table.columns["silicon"] * 0.5431**3 / 8.0) ** (1.0 / 3.0)
    law = 1.184 + 3.336 / sphere**1.298
    assert np.sqrt(np.mean((1239.842 / table.columns["wavelength"] - law) ** 2)) < 0.06


@pytest.mark.parametrize("second", ["diameter", "D", "Average diameter (nm)"])
def test_two_columns_for_one_quantity_are_refused_by_their_titles(second):
    header = ["Diameter", *HEADER[1:], second]
    with pytest.raises(
        InputError, match=rf"'Diameter' \(column 1\), '{second}'".replace("(nm)", r"\(nm\)")
    ):
        find_columns(header, {}, "here")
    assert find_columns(header, {"diameter": "Diameter"}, "here")["diameter"] == 0


@pytest.mark.parametrize(
    ("title", "value"),
    [
        ("Diameter (Å)", 15.0),
        ("D avg (\u212b)", 15.0),
        ("diameter [angstrom]", 15.0),
        ("D / pm", 1500.0),
        ("D in nm", 1.5),
        ("diameter_um", 0.0015),
    ],
)
def test_lengths_are_converted_by_their_title(tmp_path, title, value):
    row = [value, *ROWS[0][1:]]
    table = read_table(write_csv(tmp_path / "dots.csv", [title, *HEADER[1:]], [row]))
    assert table.columns["diameter"] == pytest.approx([1.5])


@pytest.mark.parametrize(
    ("title", "value"),
    [("emission (eV)", 2.0), ("Emission energy [meV]", 2000.0), ("lambda (Å)", 6199.20992)],
)
def test_a_photon_energy_is_converted_to_a_wavelength(tmp_path, title, value):
    row = [*ROWS[0][:6], value]
    table = read_table(write_csv(tmp_path / "dots.csv", [*HEADER[:6], title], [row]))
    assert table.columns["wavelength"] == pytest.approx([619.920992])


@pytest.mark.parametrize("title", ["Diameter (inch)", "diameter [eV]"])
def test_a_unit_that_is_no_length_is_refused(title):
    with pytest.raises(InputError, match="expected one of nm, Å, pm, µm"):
        find_columns([title, *HEADER[1:]], {}, "here")


@pytest.mark.parametrize(
    ("titles", "sign"),
    [(["f111 (%)", "f110 %", "f100 [percent]", "f113 (%)"], ""), (HEADER[2:6], "%")],
)
def test_percent_in_title_or_cells_is_a_share(tmp_path, titles, sign):
    row = [1.5, 1.2, f"60{sign}", f"25 {sign}", f"15{sign}", f"0{sign}", 450]
    table = read_table(write_csv(tmp_path / "dots.csv", [*HEADER[:2], *titles, HEADER[6]], [row]))
    assert table.side_by_side(FRACTIONS).tolist() == [pytest.approx([0.6, 0.25, 0.15, 0.0])]


def test_percent_that_is_not_said_is_hinted_at(tmp_path):
    row = [1.5, 1.2, 60, 25, 15, 0, 450]
    with pytest.raises(InputError, match="are they in percent"):
        read_table(write_csv(tmp_path / "dots.csv", HEADER, [row]))


MESSY = [
    "Silicon dots, measured 2021;;;;;;",
    ";;;;;;",
    "Größe;HSi_ratio;f111;f110;f100;f113;λ",
    "nm;-;;;;;nm",
    "1,5;1,2;0,5;0,5;0;0;450",
    "# a comment, with a comma",
    "2,0;0,8;0,25;0,25;0,25;0,25;550,5",
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_titles_units_decimal_commas_and_encodings_are_understood(tmp_path, encoding):
    text = "\n".join(MESSY)
    if encoding == "latin-1":
        text = text.replace("λ", "wavelength")
    (tmp_path / "dots.csv").write_bytes(text.encode(encoding))
    table = read_table(
        TableSettings(file=tmp_path / "dots.csv", columns={"diameter": "Größe [nm]"})
    )
    assert table.columns["diameter"].tolist() == [1.5, 2.0]
    assert table.columns["wavelength"].tolist() == [450.0, 550.5]
    assert table.names == ("row 5", "row 7")


@pytest.mark.parametrize(
    ("column", "cells"),
    [("n_coord", [2.8, 3.2]), ("formula", ["Si10H12", "Si20H16"]), ("name", ["Si5H6_a", "Si5H4"])],
)
def test_the_ratio_is_taken_from_formula_or_coordination(tmp_path, column, cells):
    header = [HEADER[0], column, *HEADER[2:]]
    rows = [[row[0], cell, *row[2:]] for row, cell in zip(ROWS, cells, strict=True)]
    if column == "name":
        cells[0] = "no formula"
        rows[0][1], rows[1][1] = "Si10H12.xyz", "dot Si5H4"
    table = read_table(write_csv(tmp_path / "dots.csv", header, rows))
    assert table.columns["hsi_ratio"] == pytest.approx([1.2, 0.8])


def test_a_name_that_is_no_formula_is_named(tmp_path):
    header = [HEADER[0], "formula", *HEADER[2:]]
    rows = [[row[0], cell, *row[2:]] for row, cell in zip(ROWS, ["Si10H12", "dot"], strict=True)]
    with pytest.raises(InputError, match="line 3: formula is 'dot', expected a formula"):
        read_table(write_csv(tmp_path / "dots.csv", header, rows))


@pytest.mark.parametrize("cell", ["1,234", "1.234,5", "1_5", "1 5"])
def test_a_number_that_can_be_read_in_two_ways_is_not_read(tmp_path, cell):
    rows = [[*ROWS[0][:6], 450], [*ROWS[0][:6], cell]]
    with pytest.raises(InputError, match="line 3: wavelength is"):
        read_table(write_csv(tmp_path / "dots.csv", rows=rows, delimiter=";"))


@pytest.mark.parametrize(("centre", "count"), [("bond", 292), ("hexagonal", 284)])
def test_both_shipped_sets_are_sound_and_their_names_unique(centre, count):
    table = read_table(TableSettings(shipped=centre))
    assert table.rebuilt == centre
    assert len(set(table.names)) == len(table) == count


AMOUNTS = [*HEADER, "n_si", "n_h"]


def amounts(ratio, silicon, hydrogen):
    return [[1.5, ratio, 0.5, 0.5, 0, 0, 450, silicon, hydrogen]]


@pytest.mark.parametrize(
    ("ratio", "silicon", "hydrogen"),
    [(1.2, 30, 36), (0.813, 123, 100), (0.61, 0.62, 0.38), (0, 10, 0)],
)
def test_a_ratio_that_is_that_of_the_amounts_but_for_rounding_is_taken(
    tmp_path, ratio, silicon, hydrogen
):
    rows = amounts(ratio, silicon, hydrogen)
    table = read_table(write_csv(tmp_path / "dots.csv", AMOUNTS, rows))
    assert table.columns["hsi_ratio"].tolist() == [ratio]


@pytest.mark.parametrize(
    ("ratio", "silicon", "hydrogen", "found"),
    [
        (1.2, 36, 30, "0.8333"),  # silicon over hydrogen
        (1.2, 30, 34, "1.133"),
        (1.2, 30, 100, "3.333"),
        (1.2, 0, 36, "nan"),
        (1.2, -30, -36, "nan"),
    ],
)
def test_a_ratio_that_contradicts_the_amounts_is_named_by_columns_and_row(
    tmp_path, ratio, silicon, hydrogen, found
):
    rows = amounts(1.2, 30, 36) + amounts(ratio, silicon, hydrogen)
    with pytest.raises(
        InputError,
        match=rf"1 bad value;.*\n  line 3: HSi_ratio and n_h / n_si are 1.2 and {found},",
    ):
        read_table(write_csv(tmp_path / "dots.csv", AMOUNTS, rows))
