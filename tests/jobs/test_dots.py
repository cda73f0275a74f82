"""Structures as files: one line writes them with their gaps, a second line reads them back."""

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

from opalux.base.config import load
from opalux.jobs.dots import main
from opalux.learning.siqd.dots.export_settings import ExportSettings
from opalux.learning.siqd.dots.molecule import ANGSTROM, Molecule, find_bonds, gap_of
from opalux.learning.siqd.dots.rebuild import dots_of
from opalux.learning.siqd.dots.relax import relaxed
from opalux.learning.siqd.dots.settings import StructureSettings
from opalux.learning.siqd.dots.structure_files import read_xyz

CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "dots"
DEBUG = str(CONFIGS / "debug.yaml")


def rows(path):
    with path.open() as file:
        return {row["name"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize("config", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_configuration_can_be_read(config):
    load(ExportSettings, config)


def test_structures_that_were_written_have_the_gaps_of_the_lattice(tmp_path, capsys):
    made, again = tmp_path / "made", tmp_path / "again"
    assert main([DEBUG, "--out", str(made)]) == 0
    files = sorted((made / "structures").glob("*.xyz"))
    first = rows(made / "gaps.csv")
    assert len(files) == len(first) > 2
    own = tmp_path / "own.yaml"
    own.write_text("files: [" + ", ".join(map(str, files)) + "]\nformat: cif\n")
    assert main([str(own), "--out", str(again)]) == 0
    second = rows(again / "gaps.csv")
    assert set(second) == set(first)
    for name, row in first.items():
        assert float(second[name]["gap_eV"]) == pytest.approx(float(row["gap_eV"]), abs=1e-6)
    assert len(list((again / "structures").glob("*.cif"))) == len(first)
    assert main([DEBUG, "--out", str(made), "--resume"]) == 0
    assert "complete already" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "give either structures"),
        ("files: [absent.xyz]", "no such file"),
        ("structures: {centre: face}", "structures.centre"),
        ("files: [a.xyz]", "found 0 bonds at Si 1"),
        ("files: [a.xyz, a.xyz]", "two structures are called a-1"),
        ("structures: {}\nformat: pdb", "format"),
    ],
)
def test_bad_input_is_one_message_and_code_2(tmp_path, capsys, text, message):
    (tmp_path / "a.xyz").write_text("1\n\nSi 0 0 0\n")
    (tmp_path / "run.yaml").write_text(text)
    assert main([str(tmp_path / "run.yaml"), "--out", str(tmp_path / "run")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_dry_run_writes_nothing(tmp_path, capsys):
    assert main([DEBUG, "--out", str(tmp_path / "run"), "--dry-run"]) == 0
    assert "structures, and their gaps" in capsys.readouterr().out
    assert not (tmp_path / "run").exists()


def test_without_the_program_relaxation_is_refused_at_once(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tblite.ase", None)
    monkeypatch.setitem(sys.modules, "ase.optimize", None)
    words = [DEBUG, "--out", str(tmp_path / "run"), "--set", "relax={}"]
    assert main([*words, "--dry-run"]) == main(words) == 2
    assert capsys.readouterr().err.count("pip install 'opalux[relax]'") == 2
    assert not (tmp_path / "run").exists()


def test_relaxation_moves_the_smallest_dot_to_rest_and_tells_how_far(tmp_path):
    pytest.importorskip("tblite")
    pytest.importorskip("ase")
    words = [DEBUG, "--out", str(tmp_path), "--set", "structures.largest=0.85", "relax.force=0.2"]
    assert main(words) == 0
    (row,) = rows(tmp_path / "gaps.csv").values()
    assert (row["formula"], row["at_rest"]) == ("Si29H36", "yes")
    assert float(row["largest_force_eV_per_A"]) <= 0.2
    moved = float(row["wavelength_nm"]) - float(row["unrelaxed_wavelength_nm"])
    assert float(row["wavelength_moved_nm"]) == pytest.approx(moved, abs=1e-3)
    (written,) = read_xyz(tmp_path / "structures" / "Si29H36.xyz")
    assert gap_of(written)[0].gap == pytest.approx(float(row["gap_eV"]), abs=1e-6)


class Springs:
    """A calculator whose forces pull each bond to 102 % of the lattice's."""

    def __init__(self, molecule):
        bonds = find_bonds(molecule)
        self.a, self.b = bonds.a, bonds.b
        self.rest = 1.02 * np.linalg.norm(bonds.vectors, axis=1) / ANGSTROM

    def get_potential_energy(self, atoms, force_consistent=False):
        along = atoms.positions[self.b] - atoms.positions[self.a]
        return float(((np.linalg.norm(along, axis=1) - self.rest) ** 2).sum() / 2)

    def get_forces(self, atoms):
        along = atoms.positions[self.b] - atoms.positions[self.a]
        length = np.linalg.norm(along, axis=1)
        pull = ((length - self.rest) / length)[:, None] * along
        forces = np.zeros_like(atoms.positions)
        np.add.at(forces, self.a, pull)
        np.add.at(forces, self.b, -pull)
        return forces


def test_any_calculator_relaxes_to_where_its_forces_vanish():
    pytest.importorskip("ase")
    dot = dots_of(StructureSettings(centre="atom", largest=0.85))[0]
    molecule = Molecule.of_dot(dot, "one")
    found = relaxed(molecule, Springs(molecule), force=1e-3, steps=200)
    strain = find_bonds(found.molecule).strain
    assert found.force <= 1e-3
    np.testing.assert_allclose(strain, 0.02, atol=2e-3)
