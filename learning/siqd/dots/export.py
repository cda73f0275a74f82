"""Structures as files, and a table of their gaps."""

import re
from typing import Any

from opalux.base.errors import InputError
from opalux.learning.siqd.dots.export_settings import ExportSettings, RelaxSettings
from opalux.learning.siqd.dots.gap import LevelsError
from opalux.learning.siqd.dots.molecule import Molecule, diameter_of, find_bonds, gap_of
from opalux.learning.siqd.dots.rebuild import Row, dots_of, names_of, row
from opalux.learning.siqd.dots.relax import relaxed
from opalux.learning.siqd.dots.structure_files import as_cif, as_xyz, read_xyz
from opalux.learning.siqd.dots.structures import Dot
from opalux.learning.siqd.dots.tight_binding import wavelength

ENDINGS = {"extxyz": ".xyz", "cif": ".cif"}

Source = tuple[Molecule, Dot | None]
"""A structure, and the dot of the lattice that it is."""


def sources(settings: ExportSettings) -> list[Source]:
    """Return the structures that the settings ask for; each has a name of its own.

    Raises
    ------
    InputError
        When a file cannot be read, holds a structure outside the range of validity, or two
        structures have the same name.
    """
    if settings.structures is not None:
        dots = dots_of(settings.structures)
        if not dots:
            raise InputError(
                f"found no dot up to {settings.structures.largest:g} nm about the centre "
                f"{settings.structures.centre}; give a larger `structures.largest`"
            )
        pairs = zip(dots, names_of(dots), strict=True)
        return [(Molecule.of_dot(dot, name), dot) for dot, name in pairs]
    found = [molecule for path in settings.files for molecule in read_xyz(path)]
    names = [file_name(molecule) for molecule in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"two structures are called {twice[0]}; give each a name of its own (name=… in the "
            "comment line of an extended XYZ file, or the name of the file)"
        )
    for molecule in found:
        find_bonds(molecule)
    return [(molecule, None) for molecule in found]


def file_name(molecule: Molecule) -> str:
    """Return the name of a structure as part of a file's name."""
    return re.sub(r"[^\w.+-]+", "_", molecule.name) or "structure"


def gap_row(source: Source) -> Row:
    """Return the row of the table: of a dot as in the shipped set, else what can be measured."""
    molecule, dot = source
    return row(dot, molecule.name) if dot is not None else _measured(molecule)


def relaxed_row(
    molecule: Molecule, settings: RelaxSettings, calculator: Any
) -> tuple[Molecule, Row]:
    """Return a structure at rest and its row of the table: before, after, and what moved.

    Raises
    ------
    RelaxationError
        When the calculator fails.
    InputError
        When the structure at rest is outside the range of validity.
    """
    before = _measured(molecule)
    found = relaxed(molecule, calculator, force=settings.force, steps=settings.steps)
    after = _measured(found.molecule)
    return found.molecule, {
        **after,
        "unrelaxed_diameter_nm": before["diameter_nm"],
        "unrelaxed_wavelength_nm": before["wavelength_nm"],
        "unrelaxed_gap_eV": before["gap_eV"],
        "wavelength_moved_nm": round(
            float(after["wavelength_nm"]) - float(before["wavelength_nm"]), 4
        ),
        "method": settings.method,
        "steps": found.steps,
        "largest_force_eV_per_A": round(found.force, 5),
        "at_rest": "yes" if found.force <= settings.force else "no",
    }


def _measured(molecule: Molecule) -> Row:
    """Return what can be measured of any structure."""
    try:
        edges, bonds = gap_of(molecule)
    except LevelsError as error:
        raise InputError(f"{error}; the structure may have broken bonds") from None
    silicon = int(molecule.is_silicon.sum())
    hydrogen = len(molecule.symbols) - silicon
    return {
        "name": molecule.name,
        "formula": molecule.formula,
        "diameter_nm": round(diameter_of(molecule, bonds), 6),
        "hsi_ratio": round(hydrogen / silicon, 8),
        "wavelength_nm": round(float(wavelength(edges.gap)), 4),
        "n_si": silicon,
        "n_h": hydrogen,
        "gap_eV": round(edges.gap, 7),
        "homo_eV": round(edges.homo, 7),
        "lumo_eV": round(edges.lumo, 7),
        "most_compressed_bond": round(float(bonds.strain.min()), 6),
        "most_stretched_bond": round(float(bonds.strain.max()), 6),
    }


def text_of(molecule: Molecule, form: str) -> tuple[str, str]:
    """Return name and content of the file of a structure."""
    text = as_cif(molecule) if form == "cif" else as_xyz(molecule)
    return file_name(molecule) + ENDINGS[form], text
