"""The gap of a dot: symmetry blocks of its Hamiltonian, each solved near the gap only.

A dot has the point group of its centre. An elementary abelian subgroup {1, g, h, gh, ...} of this
group acts on the orbitals by signed permutations. The Hamiltonian therefore splits into one block
for each character, of about a quarter of its size. Each block is factorised at an energy inside
the gap. The signs of the pivots count the states below (Sylvester's law of inertia); this proves
that the two eigenvalues on the two sides are the highest occupied and the lowest empty state.
"""

import dataclasses
import itertools
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import (
    block_diag,
    coo_array,
    csc_array,
    csr_array,
    diags_array,
    eye_array,
    kron,
)
from scipy.sparse.linalg import LinearOperator, eigsh, splu

from opalux.base.errors import OpaluxError
from opalux.learning.siqd.dots.structures import BONDS, Dot
from opalux.learning.siqd.dots.tight_binding import hamiltonian, rotate_orbitals

MID_GAP = 0.6
"""Energy between the band edges of the bulk, and so inside the wider gap of a dot [eV]."""
DENSE_BELOW = 400
"""Blocks of fewer orbitals are diagonalised completely."""


class LevelsError(OpaluxError, ArithmeticError):
    """The levels of a dot cannot be counted, so that its gap is not known."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Levels:
    """The levels next to the gap [eV], above the valence-band maximum of the bulk.

    Attributes
    ----------
    homo : highest occupied level
    lumo : lowest empty level
    """

    homo: float
    lumo: float

    @property
    def gap(self) -> float:
        """Difference of the two levels [eV]."""
        return self.lumo - self.homo


def symmetry_subgroup(dot: Dot) -> list[NDArray[np.int64]]:
    """Return generators (3, 3) of an elementary abelian symmetry group of the dot.

    Only operations that keep the z axis are tried: they permute the ten orbitals of an atom, up
    to signs; the others mix x2-y2 with 3z2-r2.
    """
    generators: list[NDArray[np.int64]] = []
    group = [np.eye(3, dtype=np.int64)]
    for order, signs in itertools.product(
        [(0, 1, 2), (1, 0, 2)], itertools.product((1, -1), repeat=3)
    ):
        g = np.diag(signs)[:, order]
        is_new = not any((g == h).all() for h in group)
        commutes = all((g @ h == h @ g).all() for h in group)
        is_involution = (g @ g == group[0]).all()
        if is_new and commutes and is_involution and _images(g, dot.silicon) is not None:
            generators.append(g)
            group += [g @ h for h in group]
    return generators


def _images(rotation: NDArray[np.int64], positions: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return the index of the image of each position, or None when one is not in the set."""
    index = {tuple(r): i for i, r in enumerate(positions.tolist())}
    images = [index.get(tuple(r), -1) for r in (positions @ rotation.T).tolist()]
    return None if -1 in images else np.array(images)


def _action(rotation: NDArray[np.int64], dot: Dot) -> csr_array:
    """Return the operation as a signed permutation (n, n) of the orbitals of the dot."""
    atom, bond = np.nonzero(dot.dangling)
    # Bonds are even, and atoms are all even or all odd, so all mid points are different.
    bond_centres = 2 * dot.silicon[atom] + dot.sublattice[atom, None] * BONDS[bond]
    permutations = []
    for positions in (dot.silicon, bond_centres):
        images = _images(rotation, positions)
        assert images is not None, "a symmetry of the silicon core keeps its dangling bonds"
        size = len(images)
        permutations.append(coo_array((np.ones(size), (images, np.arange(size)))))
    silicon, hydrogen = permutations
    return csr_array(block_diag([kron(silicon, rotate_orbitals(rotation)), hydrogen]))


def symmetry_blocks(matrix: csr_array, dot: Dot) -> list[csc_array]:
    """Return the diagonal blocks of the Hamiltonian in symmetry-adapted orbitals.

    There is one block for each character chi. It turns the orbital i into the combination
    Σ_g chi(g) g|i>. One orbital of each orbit of the group is enough; combinations that vanish
    are dropped.
    """
    actions = [_action(g, dot) for g in symmetry_subgroup(dot)]
    identity = csc_array(eye_array(matrix.shape[0]))
    orbits = identity
    for action in actions:
        orbits = orbits + abs(action) @ orbits
    orbits.sort_indices()
    representatives = np.unique(orbits.indices[orbits.indptr[:-1]])
    blocks = []
    for characters in itertools.product((1.0, -1.0), repeat=len(actions)):
        basis = identity[:, representatives]
        for character, action in zip(characters, actions, strict=True):
            basis = basis + character * (action @ basis)
        norms = np.sqrt(basis.power(2).sum(axis=0))
        used = norms > 0.5
        basis = csc_array(basis[:, used] @ diags_array(1.0 / norms[used]))
        blocks.append(csc_array(basis.T @ matrix @ basis))
    return blocks


def _edges_dense(block: csc_array) -> tuple[int, float, float]:
    """Return how many levels lie below mid gap, and the two next to it, from all levels."""
    levels = np.linalg.eigvalsh(block.toarray())
    below = int(np.searchsorted(levels, MID_GAP))
    # A block of a tiny dot may have levels on one side only.
    bounded = np.concatenate([[-np.inf], levels, [np.inf]])
    return below, bounded[below], bounded[below + 1]


def _edges_sparse(block: csc_array) -> tuple[int, float, float]:
    """Return how many levels lie below mid gap, and the two next to it, by shift-invert Lanczos."""
    size = block.shape[0]
    factors = splu(
        csc_array(block - MID_GAP * eye_array(size)),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    if not np.array_equal(factors.perm_r, factors.perm_c):
        raise LevelsError("the factorisation exchanged rows; its pivots do not count the levels")
    below = int((factors.U.diagonal() < 0.0).sum())
    inverse = LinearOperator((size, size), factors.solve, dtype=float)
    start = np.random.default_rng(0).standard_normal(size)

    # One side at a time: both at once do not converge when levels are degenerate.
    def nearest(side: str) -> float:
        return eigsh(
            block,
            k=1,
            sigma=MID_GAP,
            which=side,
            OPinv=inverse,
            v0=start,
            return_eigenvectors=False,
        )[0]

    return below, nearest("SA"), nearest("LA")


def levels(dot: Dot) -> Levels:
    """Return the highest occupied and the lowest empty level of a dot.

    Raises
    ------
    LevelsError
        When the number of levels below mid gap differs from the number of electron pairs.
    """
    blocks = symmetry_blocks(hamiltonian(dot), dot)
    return count_levels(blocks, (4 * dot.n_si + dot.n_h) // 2, dot.formula)


def count_levels(blocks: Iterable[csc_array], pairs: int, name: str) -> Levels:
    """Return the levels next to the gap of a Hamiltonian that is given in blocks.

    Parameters
    ----------
    blocks : of the Hamiltonian [eV]
    pairs : number of electron pairs, and so of occupied levels
    name : of the structure, for error messages

    Raises
    ------
    LevelsError
        When the number of levels below mid gap differs from the number of electron pairs.
    """
    below, homo, lumo = 0, -np.inf, np.inf
    for block in blocks:
        solve = _edges_dense if block.shape[0] < DENSE_BELOW else _edges_sparse
        count, highest, lowest = solve(block)
        below += count
        homo, lumo = max(homo, highest), min(lumo, lowest)
    if below != pairs:
        raise LevelsError(
            f"{name}: found {below} levels below {MID_GAP} eV, expected {pairs}, "
            "the number of electron pairs; this energy is not inside the gap"
        )
    return Levels(homo=float(homo), lumo=float(lumo))
