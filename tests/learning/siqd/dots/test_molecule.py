"""Gaps of structures anywhere in space: those of the lattice, turned, strained; files of them."""

import dataclasses

import numpy as np
import pytest

from opalux.base.errors import InputError
from opalux.learning.siqd.dots.gap import levels
from opalux.learning.siqd.dots.molecule import Molecule, diameter_of, find_bonds, gap_of
from opalux.learning.siqd.dots.structure_files import as_cif, as_xyz, read_xyz
from opalux.learning.siqd.dots.structures import enumerate_dots


@pytest.fixture(scope="module")
def dot():
    return next(dot for dot in enumerate_dots("atom", 1.2) if dot.formula == "Si29H36")


@pytest.fixture(scope="module")
def molecule(dot):
    return Molecule.of_dot(dot, "one")


def moved(molecule, positions):
    return dataclasses.replace(molecule, positions=positions)


def test_a_dot_of_the_lattice_has_its_gap_and_diameter(dot, molecule):
    found, bonds = gap_of(molecule)
    assert found.homo == pytest.approx(levels(dot).homo, abs=1e-9)
    assert found.lumo == pytest.approx(levels(dot).lumo, abs=1e-9)
    assert diameter_of(molecule, bonds) == pytest.approx(dot.diameter)
    assert np.abs(bonds.strain).max() < 1e-12


def test_a_turned_moved_and_shuffled_dot_has_the_same_gap(molecule):
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    order = rng.permutation(len(molecule.symbols))
    other = Molecule(
        name="other",
        symbols=tuple(molecule.symbols[i] for i in order),
        positions=(molecule.positions @ turn.T + 3.0)[order],
    )
    assert gap_of(other)[0].gap == pytest.approx(gap_of(molecule)[0].gap, abs=1e-9)


def test_integrals_fall_with_the_square_of_the_bond_length(molecule):
    """Far from the centre of the on-site energies this narrows the gap smoothly."""
    gaps = [gap_of(moved(molecule, s * molecule.positions))[0].gap for s in (0.98, 1.0, 1.02)]
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[0] - gaps[1] == pytest.approx(gaps[1] - gaps[2], rel=0.2)


@pytest.mark.parametrize("scale", [0.88, 1.12])
def test_bonds_outside_the_range_are_refused(molecule, scale):
    with pytest.raises(InputError, match=r"one: found bonds that differ by .*12 %"):
        find_bonds(moved(molecule, scale * molecule.positions))


def test_a_dangling_bond_and_another_element_are_refused(molecule):
    less = Molecule(name="less", symbols=molecule.symbols[:-1], positions=molecule.positions[:-1])
    with pytest.raises(InputError, match="less: found 3 bonds at Si"):
        gap_of(less)
    other = dataclasses.replace(molecule, symbols=("Ge", *molecule.symbols[1:]))
    with pytest.raises(InputError, match="one: found Ge; expected silicon and hydrogen"):
        gap_of(other)


def test_atoms_of_ase_are_taken(molecule):
    class Atoms:
        def get_chemical_symbols(self):
            return list(molecule.symbols)

        def get_positions(self):
            return 10.0 * molecule.positions

        def get_chemical_formula(self):
            return "H36Si29"

    assert np.allclose(Molecule.of_atoms(Atoms()).positions, molecule.positions)


def test_xyz_is_read_as_it_was_written(tmp_path, molecule):
    path = tmp_path / "dots.xyz"
    path.write_text(as_xyz(molecule) + "\n" + as_xyz(dataclasses.replace(molecule, name="two")))
    found = read_xyz(path)
    assert [one.name for one in found] == ["one", "two"]
    assert found[0].symbols == molecule.symbols
    assert np.allclose(found[1].positions, molecule.positions, atol=1e-8)


def test_columns_of_extended_xyz_may_be_in_any_order(tmp_path):
    (tmp_path / "a.xyz").write_text("1\nProperties=pos:R:3:charge:R:1:species:S:1\n1 2 3 0.5 Si\n")
    found = read_xyz(tmp_path / "a.xyz")[0]
    assert found.symbols == ("Si",)
    assert found.positions.tolist() == [pytest.approx([0.1, 0.2, 0.3])]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "found no structure"),
        ("two\n\n", "line 1: found 'two', expected the number of atoms"),
        ("3\n\nSi 0 0 0\n", "has 3 atoms, but the file ends after 1"),
        ("1\n\nSi 0 0\n", "line 3: found 'Si 0 0', expected an element"),
        ("1\n\nSi 0 0 x\n", "line 3: found 'Si 0 0 x'"),
        ("1\nProperties=pos:R:3\n0 0 0\n", "expected species and pos"),
    ],
)
def test_an_xyz_file_that_is_none_is_refused(tmp_path, text, message):
    (tmp_path / "a.xyz").write_text(text)
    with pytest.raises(InputError, match=message):
        read_xyz(tmp_path / "a.xyz")


def test_cif_holds_every_atom_inside_its_cell(molecule):
    lines = as_cif(molecule).splitlines()
    atoms = [line.split() for line in lines if line[:2] in ("Si", "H1", "H2", "H3")]
    edge = float(next(line for line in lines if line.startswith("_cell_length_a")).split()[1])
    assert len(lines) - lines.index("_atom_site_fract_z") - 1 == len(molecule.symbols)
    first = np.array([float(cell) for cell in atoms[0][2:]])
    second = np.array([float(cell) for cell in atoms[1][2:]])
    expected = 10.0 * np.linalg.norm(molecule.positions[1] - molecule.positions[0])
    assert edge * np.linalg.norm(second - first) == pytest.approx(expected, abs=1e-4)
