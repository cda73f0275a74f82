"""Full families of lattice planes, and the polyhedra that they enclose.

A full family {hkl} at one distance is a convex body with the symmetry of the cube. An atom lies
inside when its *support*, the maximum of n·r over the normals n of the family, is at most the
offset c. The support depends only on the sorted magnitudes of the coordinates.
"""

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, HalfspaceIntersection

from opalux.base.errors import InputError

FAMILIES: dict[str, tuple[int, int, int]] = {
    "111": (1, 1, 1),
    "110": (1, 1, 0),
    "100": (1, 0, 0),
    "113": (3, 1, 1),
}

Offsets = dict[str, int]
"""Offset c of the planes n·r = c of each family; n: Miller indices, r in a/8."""


def family_normals(family: str) -> NDArray[np.int64]:
    """Return all normals (m, 3) of a family: the signed permutations of its Miller indices."""
    signed = {
        tuple(s * i for s, i in zip(signs, indices, strict=True))
        for indices in itertools.permutations(FAMILIES[family])
        for signs in itertools.product((-1, 1), repeat=3)
    }
    return np.array(sorted(signed))


def support(family: str, positions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the largest n·r over the normals n of the family for each position: (n, 3) → (n,)."""
    return np.sort(np.abs(positions), axis=1)[:, ::-1] @ np.array(FAMILIES[family])


def facet_areas(offsets: Offsets) -> dict[str, float]:
    """Return the facet areas of the polyhedron n·r ≤ c.

    Parameters
    ----------
    offsets : offset c > 0 of each family

    Returns
    -------
    Total area of each family, in the squared unit of r; 0 for a family that the others cut away.

    Raises
    ------
    InputError
        When there is no family, or an offset is not positive.
    """
    if not offsets or any(c <= 0 for c in offsets.values()):
        raise InputError(
            f"found plane offsets {offsets}; expected at least one family, all offsets positive; "
            "give the distance of each family from the centre"
        )
    normals = {family: family_normals(family) for family in offsets}
    halfspaces = np.vstack(
        [
            np.column_stack([normals[family], np.full(len(normals[family]), -float(c))])
            for family, c in offsets.items()
        ]
    )
    hull = ConvexHull(HalfspaceIntersection(halfspaces, np.zeros(3)).intersections)
    corners = hull.points[hull.simplices]  # (m, 3, 3): the surface as triangles
    spans = corners[:, 1:] - corners[:, :1]
    triangles = 0.5 * np.linalg.norm(np.cross(spans[:, 0], spans[:, 1]), axis=1)
    outward = hull.equations[:, :3]
    areas = {}
    for family, vectors in normals.items():
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        areas[family] = float(triangles[(outward @ unit.T).max(axis=1) > 1.0 - 1e-8].sum())
    return areas
