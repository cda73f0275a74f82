"""Files of structures: extended XYZ, read and written, and CIF, written; positions in Å."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from opalux.base.errors import InputError
from opalux.learning.siqd.dots.molecule import ANGSTROM, Molecule

VACUUM = 10.0
"""Free space around a structure in the cell of a CIF file [Å]."""
_PROPERTIES = re.compile(r'Properties\s*=\s*"?([^\s"]+)')
_NAME = re.compile(r'\bname\s*=\s*(?:"([^"]*)"|(\S+))')


def as_xyz(molecule: Molecule, **info: str | float) -> str:
    """Return a structure as extended XYZ text.

    Parameters
    ----------
    molecule : the structure
    info : further entries of the comment line
    """
    entries = [f'name="{molecule.name}"', *(f"{key}={value}" for key, value in info.items())]
    lines = [
        str(len(molecule.symbols)),
        f'Properties=species:S:1:pos:R:3 {" ".join(entries)} pbc="F F F"',
    ]
    for symbol, (x, y, z) in zip(molecule.symbols, molecule.positions / ANGSTROM, strict=True):
        lines.append(f"{symbol:2} {x:14.8f} {y:14.8f} {z:14.8f}")
    return "\n".join(lines) + "\n"


def as_cif(molecule: Molecule) -> str:
    """Return a structure as CIF text, in a cubic cell with free space around it."""
    positions = molecule.positions / ANGSTROM
    low, high = positions.min(axis=0), positions.max(axis=0)
    edge = float((high - low).max()) + VACUUM
    fractions = (positions - (low + high) / 2.0) / edge + 0.5
    lines = [
        f"data_{re.sub('[^A-Za-z0-9]', '_', molecule.name)}",
        f"_chemical_formula_sum '{_spaced(molecule.formula)}'",
        *(f"_cell_length_{axis} {edge:.6f}" for axis in "abc"),
        *(f"_cell_angle_{angle} 90" for angle in ("alpha", "beta", "gamma")),
        "_symmetry_space_group_name_H-M 'P 1'",
        "loop_",
        "_atom_site_label",
        "_atom_site_type_symbol",
        *(f"_atom_site_fract_{axis}" for axis in "xyz"),
    ]
    for i, (symbol, (x, y, z)) in enumerate(zip(molecule.symbols, fractions, strict=True), start=1):
        lines.append(f"{symbol}{i} {symbol} {x:.8f} {y:.8f} {z:.8f}")
    return "\n".join(lines) + "\n"


def _spaced(formula: str) -> str:
    return re.sub(r"(\d)([A-Z])", r"\1 \2", formula)


def read_xyz(path: Path) -> list[Molecule]:
    """Return the structures of an XYZ file, plain or extended, of one frame or many.

    Raises
    ------
    InputError
        When the file cannot be read; the message names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; give the path of an XYZ file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); give an XYZ file") from None
    found: list[Molecule] = []
    place = 0
    while place < len(lines):
        if not lines[place].strip():
            place += 1
            continue
        count = _count(path, lines, place)
        comment = lines[place + 1]
        symbol, first = _columns(path, comment, place + 2)
        symbols, positions = [], []
        for line in range(place + 2, place + 2 + count):
            cells = lines[line].split()
            try:
                symbols.append(cells[symbol])
                positions.append([float(cell) for cell in cells[first : first + 3]])
                if len(positions[-1]) != 3:
                    raise ValueError
            except (IndexError, ValueError):
                raise InputError(
                    f"{path}, line {line + 1}: found {lines[line][:60]!r}, expected an element and "
                    "three coordinates [Å]"
                ) from None
        named = _NAME.search(comment)
        name = (named[1] or named[2]) if named else f"{path.stem}-{len(found) + 1}"
        found.append(
            Molecule(
                name=name, symbols=tuple(symbols), positions=ANGSTROM * np.array(positions, float)
            )
        )
        place += 2 + count
    if not found:
        raise InputError(f"{path}: found no structure; expected an XYZ file")
    return found


def _count(path: Path, lines: list[str], place: int) -> int:
    text = lines[place].strip()
    if not text.isdecimal() or not text.isascii() or int(text) < 1:
        raise InputError(
            f"{path}, line {place + 1}: found {text[:60]!r}, expected the number of atoms"
        )
    if place + 2 + int(text) > len(lines):
        raise InputError(
            f"{path}: the structure at line {place + 1} has {text} atoms, but the file ends after "
            f"{max(len(lines) - place - 2, 0)}; it is not complete"
        )
    return int(text)


def _columns(path: Path, comment: str, line: int) -> tuple[int, int]:
    """Return the columns of the element and of the first coordinate."""
    given = _PROPERTIES.search(comment)
    if given is None:
        return 0, 1
    places: Mapping[str, int] = _places(given[1].split(":"))
    if not {"species", "pos"} <= set(places):
        raise InputError(
            f"{path}, line {line}: found Properties={given[1]}, expected species and pos in it"
        )
    return places["species"], places["pos"]


def _places(entries: list[str]) -> dict[str, int]:
    places, column = {}, 0
    for name, _, width in zip(entries[::3], entries[1::3], entries[2::3], strict=False):
        places[name] = column
        column += int(width) if width.isdecimal() else 1
    return places
