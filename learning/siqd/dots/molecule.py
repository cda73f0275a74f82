"""Any structure of silicon and hydrogen, relaxed or not: its bonds, and its gap by tight binding.

The two-centre integrals fall with the square of the bond length (Harrison's rule), from the length
for which they were fitted. Range of validity: each silicon atom has four neighbours, each hydrogen
atom one, and bonds are up to 10 % longer or shorter than the ideal ones. Outside this range the
structure is refused, because the model says nothing about it: dangling bonds, rings that share an
atom, or other elements put levels into the gap that were never fitted.

References
----------
W. A. Harrison, Electronic Structure and the Properties of Solids (Freeman, 1980): the scaling.
"""

import dataclasses
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array
from scipy.spatial import KDTree

from opalux.base.errors import InputError
from opalux.learning.siqd.dots.gap import Levels, count_levels
from opalux.learning.siqd.dots.structures import BOND_SI_H, LATTICE_CONSTANT, Dot
from opalux.learning.siqd.dots.tight_binding import (
    HYDROGEN_ONSITE,
    N_ORBITALS,
    ONSITE,
    hydrogen_row,
    silicon_block,
)

BOND_SI_SI = np.sqrt(3.0) / 4.0 * LATTICE_CONSTANT  # [nm]
EXPONENT = 2.0
"""Of Harrison's rule."""
LARGEST_STRAIN = 0.10
"""Bonds may differ by this share from the ideal length."""
REACH = 1.25
"""Atoms within so many ideal lengths are bonded."""
ANGSTROM = 0.1  # [nm]
SHOWN = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Molecule:
    """Silicon and hydrogen atoms anywhere in space.

    Attributes
    ----------
    name : of the structure
    symbols : "Si" or "H" (n,)
    positions : (n, 3) [nm]
    """

    name: str
    symbols: tuple[str, ...]
    positions: NDArray[np.float64]

    @classmethod
    def of_dot(cls, dot: Dot, name: str) -> Self:
        """Return a dot that was cut from the lattice."""
        return cls(
            name=name,
            symbols=("Si",) * dot.n_si + ("H",) * dot.n_h,
            positions=np.vstack([dot.silicon_nm, dot.hydrogen_nm]),
        )

    @classmethod
    def of_atoms(cls, atoms: Any, name: str | None = None) -> Self:
        """Return the structure of an ``ase.Atoms``, whose positions are in Å."""
        return cls(
            name=name or atoms.get_chemical_formula(),
            symbols=tuple(atoms.get_chemical_symbols()),
            positions=ANGSTROM * np.asarray(atoms.get_positions(), dtype=np.float64),
        )

    @property
    def is_silicon(self) -> NDArray[np.bool_]:
        """Whether each atom is silicon (n,)."""
        return np.array([symbol == "Si" for symbol in self.symbols], dtype=bool)

    @property
    def formula(self) -> str:
        """Chemical formula, for instance ``Si29H36``."""
        silicon = int(self.is_silicon.sum())
        return f"Si{silicon}H{len(self.symbols) - silicon}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bonds:
    """The bonds of a structure.

    Attributes
    ----------
    a, b : atoms at the ends (m,); a is silicon, and b silicon or hydrogen
    vectors : from a to b (m, 3) [nm]
    strain : length over the ideal one, minus 1 (m,)
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    vectors: NDArray[np.float64]
    strain: NDArray[np.float64]


def find_bonds(molecule: Molecule) -> Bonds:
    """Return the bonds of a structure.

    Raises
    ------
    InputError
        When the structure is outside the range of validity; the message names the atoms.
    """
    _require_elements(molecule)
    silicon, positions = molecule.is_silicon, molecule.positions
    pairs = KDTree(positions).query_pairs(REACH * BOND_SI_SI, output_type="ndarray")
    # The silicon atom first.
    pairs = np.where(silicon[pairs[:, :1]], pairs, pairs[:, ::-1])
    pairs = pairs[silicon[pairs[:, 0]]].astype(np.int64)
    a, b = pairs.T
    vectors = positions[b] - positions[a]
    lengths = np.linalg.norm(vectors, axis=1)
    ideal = np.where(silicon[b], BOND_SI_SI, BOND_SI_H)
    bonded = lengths <= REACH * ideal
    a, b, vectors = a[bonded], b[bonded], vectors[bonded]
    strain = lengths[bonded] / ideal[bonded] - 1.0
    counts = np.bincount(np.concatenate([a, b]), minlength=len(positions))
    _refuse(
        molecule,
        np.flatnonzero(counts != np.where(silicon, 4, 1)),
        "found {} bonds at {}, expected four at silicon and one at hydrogen",
        counts,
    )
    far = np.abs(strain) > LARGEST_STRAIN
    _refuse(
        molecule,
        a[far],
        f"found bonds that differ by {{}} from the ideal length, at {{}}, expected at most "
        f"{LARGEST_STRAIN:.0%}",
        dict(zip(a[far].tolist(), [f"{100 * s:.0f} %" for s in strain[far]], strict=True)),
    )
    return Bonds(a=a, b=b, vectors=vectors, strain=strain)


def _require_elements(molecule: Molecule) -> None:
    other = sorted(set(molecule.symbols) - {"Si", "H"})
    if other or not molecule.is_silicon.any():
        raise InputError(
            f"{molecule.name}: found {', '.join(other) or 'no silicon'}; expected silicon and "
            "hydrogen only, which the tight-binding model is made for"
        )
    if not np.isfinite(molecule.positions).all():
        raise InputError(f"{molecule.name}: found a position that is not finite; correct it")


def _refuse(molecule: Molecule, atoms: NDArray[np.int64], text: str, values: Any) -> None:
    if not len(atoms):
        return
    shown = [int(atom) for atom in atoms[:SHOWN]]
    where = ", ".join(f"{molecule.symbols[atom]} {atom + 1}" for atom in shown)
    more = f" and {len(atoms) - SHOWN} more atoms" if len(atoms) > SHOWN else ""
    found = ", ".join(str(values[atom]) for atom in shown)
    raise InputError(
        f"{molecule.name}: {text.format(found, where + more)}; the gap of such a structure is "
        "outside the model"
    )


def molecule_hamiltonian(molecule: Molecule, bonds: Bonds) -> csc_array:
    """Return the Hamiltonian (m, m) [eV]; ten orbitals of each silicon atom, one of hydrogen."""
    silicon = molecule.is_silicon
    sizes = np.where(silicon, N_ORBITALS, 1)
    first = np.concatenate([[0], np.cumsum(sizes)])
    onsite = [ONSITE if is_silicon else [HYDROGEN_ONSITE] for is_silicon in silicon]
    diagonal = np.arange(first[-1])
    entries: list[tuple[Any, Any, Any]] = [(diagonal, diagonal, np.concatenate(onsite))]
    orbital = np.arange(N_ORBITALS)
    scales = (1.0 + bonds.strain) ** -EXPONENT
    for a, b, vector, scale in zip(bonds.a, bonds.b, bonds.vectors, scales, strict=True):
        rows = first[a] + orbital
        if silicon[b]:
            block = scale * silicon_block(vector)
            columns = first[b] + orbital
        else:
            block = scale * hydrogen_row(-vector)[:, None]
            columns = first[[b]]
        i, j = np.broadcast_arrays(rows[:, None], columns[None, :])
        entries += [(i.ravel(), j.ravel(), block.ravel()), (j.ravel(), i.ravel(), block.ravel())]
    i, j, values = (np.concatenate(part) for part in zip(*entries, strict=True))
    return csc_array(coo_array((values, (i, j)), shape=(first[-1], first[-1])))


def gap_of(molecule: Molecule) -> tuple[Levels, Bonds]:
    """Return the levels next to the gap of any structure, and its bonds.

    Raises
    ------
    InputError
        When the structure is outside the range of validity.
    LevelsError
        When there are levels in the gap.
    """
    bonds = find_bonds(molecule)
    silicon = int(molecule.is_silicon.sum())
    pairs = (4 * silicon + len(molecule.symbols) - silicon) // 2
    blocks = [molecule_hamiltonian(molecule, bonds)]
    return count_levels(blocks, pairs, molecule.name), bonds


def diameter_of(molecule: Molecule, bonds: Bonds) -> float:
    """Return twice the mean distance of the silicon atoms that bear hydrogen from their centre.

    The centre is that of these atoms [nm].
    """
    bears = np.unique(bonds.a[~molecule.is_silicon[bonds.b]])
    surface = molecule.positions[bears]
    if not len(surface):
        return float("nan")
    return float(2.0 * np.linalg.norm(surface - surface.mean(axis=0), axis=1).mean())
