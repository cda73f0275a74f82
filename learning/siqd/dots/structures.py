"""Hydrogen-terminated silicon dots cut from the diamond lattice by families of planes.

Coordinates are integers in units of a/8, relative to the chosen centre, so that every cut,
comparison and symmetry test is exact. Only `Dot.silicon_nm` converts them to nm.
"""

import dataclasses
import functools
import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from opalux.base.errors import InputError
from opalux.learning.siqd.dots.planes import FAMILIES, Offsets, facet_areas, support

LATTICE_CONSTANT = 0.5431  # a [nm]
UNIT = LATTICE_CONSTANT / 8.0  # one integer step [nm]
BOND_SI_H = 0.148  # [nm]
MARGIN = 0.2  # planes may lie so far outside the mean surface atom [nm]

# The symmetric points of the diamond lattice [a/8]: Wyckoff sites 8a, 8b (Td), 16c, 16d (D3d).
CENTRES: dict[str, tuple[int, int, int]] = {
    "atom": (0, 0, 0),
    "tetrahedral": (4, 4, 4),
    "bond": (1, 1, 1),
    "hexagonal": (5, 5, 5),
}

# Bonds [a/8] of an atom of the first sublattice; those of the second are opposite.
BONDS: NDArray[np.int64] = np.array([[2, 2, 2], [2, -2, -2], [-2, 2, -2], [-2, -2, 2]])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dot:
    """A silicon core with a hydrogen atom at every dangling bond.

    Attributes
    ----------
    silicon : positions of silicon (n_si, 3), relative to the centre [a/8]
    dangling : whether each bond ends in hydrogen (n_si, 4), in the order of ``BONDS``
    sublattice : +1 where the bonds are ``BONDS``, -1 where they are opposite (n_si,)
    offsets : planes that touch the core, by family [a/8, times the Miller indices]
    centre : key of ``CENTRES``
    """

    silicon: NDArray[np.int64]
    dangling: NDArray[np.bool_]
    sublattice: NDArray[np.int64]
    offsets: Offsets
    centre: str

    @property
    def n_si(self) -> int:
        """Number of silicon atoms."""
        return len(self.silicon)

    @property
    def n_h(self) -> int:
        """Number of hydrogen atoms."""
        return int(self.dangling.sum())

    @property
    def formula(self) -> str:
        """Chemical formula, for instance ``Si29H36``."""
        return f"Si{self.n_si}H{self.n_h}"

    @property
    def silicon_nm(self) -> NDArray[np.float64]:
        """Positions of silicon (n_si, 3) [nm]."""
        return self.silicon.astype(np.float64) * UNIT

    @property
    def hydrogen_nm(self) -> NDArray[np.float64]:
        """Positions of hydrogen (n_h, 3), along the cut bonds [nm]."""
        atom, bond = np.nonzero(self.dangling)
        direction = self.sublattice[atom, None] * BONDS[bond] / np.sqrt(12.0)
        return self.silicon_nm[atom] + BOND_SI_H * direction

    @functools.cached_property
    def diameter(self) -> float:
        """Twice the mean distance of the surface silicon atoms from the centre [nm]."""
        surface = self.silicon_nm[self.dangling.any(axis=1)]
        return float(2.0 * np.linalg.norm(surface, axis=1).mean())

    @functools.cached_property
    def facet_fractions(self) -> dict[str, float]:
        """Share of each family in the area of the enclosing polyhedron; they sum to 1."""
        areas = facet_areas(self.offsets)
        total = sum(areas.values())
        return {family: areas.get(family, 0.0) / total for family in FAMILIES}


class Lattice:
    """The diamond lattice in a ball about a centre, with its bonds.

    Parameters
    ----------
    centre : key of ``CENTRES``
    radius : of the ball [nm]
    """

    def __init__(self, centre: str, radius: float) -> None:
        if centre not in CENTRES:
            raise InputError(
                f"found centre {centre!r}; expected one of {', '.join(CENTRES)}; choose one of them"
            )
        self.centre = centre
        reach = int(np.ceil(radius / UNIT)) + 8
        cell = np.array([[0, 0, 0], [0, 4, 4], [4, 0, 4], [4, 4, 0]])
        steps = np.arange(-reach // 8 - 1, reach // 8 + 2) * 8
        corners = np.array(list(itertools.product(steps, repeat=3)))
        first = (corners[:, None, :] + cell).reshape(-1, 3)
        positions = np.vstack([first, first + 2])
        sublattice = np.repeat([1, -1], len(first))
        positions = positions - np.array(CENTRES[centre])
        inside = (positions**2).sum(axis=1) <= (radius / UNIT) ** 2
        self.positions: NDArray[np.int64] = positions[inside]
        self.sublattice: NDArray[np.int64] = sublattice[inside]
        self.supports = {family: support(family, self.positions) for family in FAMILIES}
        self.neighbours = self._bonded()

    def _bonded(self) -> NDArray[np.int64]:
        """Return the index of the atom at the end of each bond (n, 4); n: outside the ball."""
        index = {tuple(r): i for i, r in enumerate(self.positions.tolist())}
        ends = self.positions[:, None, :] + self.sublattice[:, None, None] * BONDS
        outside = len(index)
        flat = [index.get(tuple(r), outside) for r in ends.reshape(-1, 3).tolist()]
        return np.array(flat).reshape(-1, 4)

    def trim(self, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Drop atoms with more than two dangling bonds until there are none: (n,) → (n,)."""
        kept = np.append(inside, False)  # the last entry: all atoms outside the ball
        while True:
            loose = kept[:-1] & (kept[self.neighbours].sum(axis=1) < 2)
            if not loose.any():
                return kept[:-1]
            kept[:-1] &= ~loose

    def dot(self, kept: NDArray[np.bool_], families: tuple[str, ...]) -> Dot:
        """Return the dot of the kept atoms; planes of the families touch its outermost atoms."""
        silicon = self.positions[kept]
        return Dot(
            silicon=silicon,
            dangling=~np.append(kept, False)[self.neighbours[kept]],
            sublattice=self.sublattice[kept],
            offsets={family: int(self.supports[family][kept].max()) for family in families},
            centre=self.centre,
        )

    def connected(self, kept: NDArray[np.bool_]) -> bool:
        """Tell whether the kept atoms form one molecule."""
        atom, bond = np.nonzero(np.append(kept, False)[self.neighbours] & kept[:, None])
        graph = coo_array(
            (np.ones(len(atom)), (atom, self.neighbours[atom, bond])), shape=(len(kept),) * 2
        )
        _, labels = connected_components(graph, directed=False)
        return len(np.unique(labels[kept])) == 1


def enumerate_dots(centre: str, largest: float, most_families: int = 3) -> list[Dot]:
    """Return all distinct dots that full families of planes enclose, by increasing diameter.

    Two cuts that leave the same atoms are one dot. It is described by the smallest number of
    families that make it and, among these, by the polyhedron of the smallest area.

    Parameters
    ----------
    centre : key of ``CENTRES``; a dot about "bond" is centrosymmetric
    largest : largest diameter [nm]
    most_families : how many families may enclose one dot

    Raises
    ------
    InputError
        When there is no such centre.
    """
    # A full family reaches at most sqrt(3) times its distance (at the corners of a cube).
    lattice = Lattice(centre, radius=np.sqrt(3.0) * (0.5 * largest + MARGIN))
    found: dict[bytes, Dot] = {}
    for count in range(1, most_families + 1):
        described = set(found)
        for families in itertools.combinations(FAMILIES, count):
            for kept in _cuts(lattice, families, largest):
                key = np.packbits(kept).tobytes()
                if key in described:
                    continue
                dot = lattice.dot(kept, families)
                if key in found and _area(found[key]) <= _area(dot):
                    continue
                found[key] = dot
    dots = [dot for dot in found.values() if dot.diameter <= largest]
    return sorted(dots, key=lambda dot: (dot.diameter, dot.n_si, sorted(dot.offsets.items())))


def _area(dot: Dot) -> float:
    return sum(facet_areas(dot.offsets).values())


def _cuts(
    lattice: Lattice, families: tuple[str, ...], largest: float
) -> Iterator[NDArray[np.bool_]]:
    """Yield the trimmed, connected cores of all combinations of distinct offsets."""
    reach = 0.5 * largest + MARGIN
    seen: set[bytes] = set()

    def cut(inside: NDArray[np.bool_], deeper: tuple[str, ...], inradius: float) -> Iterator:
        if not deeper:
            key = np.packbits(inside).tobytes()
            if inradius <= reach and key not in seen:
                seen.add(key)
                yield inside
            return
        family = deeper[0]
        supports = lattice.supports[family]
        length = np.linalg.norm(FAMILIES[family])
        for offset in np.unique(supports[inside]):
            distance = offset / length * UNIT
            yield from cut(inside & (supports <= offset), deeper[1:], min(inradius, distance))

    for inside in cut(np.ones(len(lattice.positions), dtype=bool), families, np.inf):
        kept = lattice.trim(inside)
        if kept.any() and lattice.connected(kept):
            yield kept
