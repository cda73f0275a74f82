"""Reading tables: columns found by name, bad rows named, the shipped set sound."""

import numpy as np
import pytest
from pydantic import ValidationError

from opalux.base.errors import InputError
from opalux.learning.siqd.dots.columns import FRACTIONS, find_columns
from opalux.learning.siqd.dots.rebuild import dots_of, row
from opalux.learning.siqd.dots.settings import StructureSettings, TableSettings
from opalux.learning.siqd.dots.table import read_table

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
    assert table.wavelength.tolist() == [450.0, 550.5]
    assert table.features.shape == (2, 6)
    assert not table.rebuilt


def test_xlsx_gives_the_same_as_csv(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for line in [HEADER, *ROWS]:
        book.active.append(line)
    book.save(tmp_path / "dots.xlsx")
    sheet = read_table(TableSettings(file=tmp_path / "dots.xlsx"))
    text = read_table(write_csv(tmp_path / "dots.csv"))
    assert np.array_equal(sheet.features, text.features)
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
    with pytest.raises(ValidationError, match="unknown column size"):
        TableSettings(columns={"size": "D"})


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
        (2, 0.9, "line 3: the facet fractions sum to 1.65, expected 1"),
        (2, -0.25, "line 3: a facet fraction lies outside 0 to 1"),
        (6, 5.0, "line 3: wavelength is 5 nm, expected 100 to 3000"),
        (6, "n/a", "line 3: wavelength is 'n/a', expected a number"),
        (6, "nan", "line 3: wavelength is 'nan', expected a finite number"),
        (6, "", "line 3: wavelength is '', expected a number"),
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


def test_of_many_bad_rows_the_first_are_shown(tmp_path):
    rows = [[0.0, *ROWS[0][1:]]] * 30
    with pytest.raises(InputError, match=r"30 bad values(.|\n)*and 20 more"):
        read_table(write_csv(tmp_path / "dots.csv", rows=rows))


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
        assert made["wavelength_nm"] == pytest.approx(table.wavelength[place], abs=1e-3)
        assert made["f111"] == pytest.approx(table.columns["f111"][place], abs=1e-6)


def test_wavelengths_of_the_shipped_set_follow_the_size_law():
    """Eg = 1.184 + 3.336 / D^1.298 eV with D of the sphere of equal volume [nm]."""
    table = read_table(TableSettings())
    sphere = (6.0 / np.pi * table.columns["silicon"] * 0.5431**3 / 8.0) ** (1.0 / 3.0)
    law = 1.184 + 3.336 / sphere**1.298
    assert np.sqrt(np.mean((1239.842 / table.wavelength - law) ** 2)) < 0.06


@pytest.mark.parametrize("second", ["diameter", "D", "Average diameter (nm)"])
def test_two_columns_for_one_quantity_are_refused_by_their_titles(second):
    header = ["Diameter", *HEADER[1:], second]
    with pytest.raises(
        InputError, match=rf"'Diameter' \(column 1\), '{second}'".replace("(nm)", r"\(nm\)")
    ):
        find_columns(header, {}, "here")
    assert find_columns(header, {"diameter": "Diameter"}, "here")["diameter"] == 0


@pytest.mark.parametrize("title", ["Diameter (Å)", "D avg (\u212b)"])
def test_a_length_in_angstrom_is_not_taken_for_nanometres(title):
    with pytest.raises(InputError, match="expected nm"):
        find_columns([title, *HEADER[1:]], {}, "here")


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
        InputError, match=rf"1 bad values.*\n  line 3: HSi_ratio is 1.2, but n_h / n_si is {found},"
    ):
        read_table(write_csv(tmp_path / "dots.csv", AMOUNTS, rows))
