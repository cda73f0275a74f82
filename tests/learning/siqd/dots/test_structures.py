"""Structures: known dots are found, facets have the areas of textbook solids."""

import numpy as np
import pytest

from opalux.base.errors import InputError
from opalux.learning.siqd.dots.planes import FAMILIES, facet_areas, family_normals, support
from opalux.learning.siqd.dots.structures import (
    BOND_SI_H,
    CENTRES,
    LATTICE_CONSTANT,
    enumerate_dots,
)


@pytest.fixture(scope="module")
def atom_centred():
    return enumerate_dots("atom", 1.5)


@pytest.mark.parametrize("formula", ["Si29H36", "Si35H36", "Si87H76", "Si123H100"])
def test_known_dots_are_found_about_an_atom(atom_centred, formula):
    assert formula in [dot.formula for dot in atom_centred]


def test_adamantane_like_dot_is_found_about_the_tetrahedral_site():
    assert enumerate_dots("tetrahedral", 0.6)[0].formula == "Si10H16"


def test_every_dot_is_listed_once(atom_centred):
    cores = [dot.silicon[np.lexsort(dot.silicon.T)].tobytes() for dot in atom_centred]
    assert len(set(cores)) == len(cores)


def test_more_families_only_add_dots():
    counts = [len(enumerate_dots("bond", 1.6, most_families=k)) for k in (1, 2, 3)]
    assert counts == sorted(counts)
    assert counts[0] < counts[2]


@pytest.mark.parametrize("centre", CENTRES)
def test_dots_are_fully_terminated(centre):
    for dot in enumerate_dots(centre, 1.3):
        bonds = dot.dangling.sum(axis=1)
        assert bonds.max() <= 2
        # Each of the 4 bonds of an atom ends in silicon or in hydrogen.
        assert np.isclose(4.0 - bonds.mean(), 4.0 - dot.n_h / dot.n_si)


def test_dots_about_the_bond_are_centrosymmetric():
    for dot in enumerate_dots("bond", 1.6):
        assert {tuple(r) for r in dot.silicon} == {tuple(-r) for r in dot.silicon}


def test_bond_lengths_are_those_of_silicon_and_hydrogen(atom_centred):
    dot = atom_centred[-1]
    distances = np.linalg.norm(dot.silicon_nm[:, None] - dot.silicon_nm, axis=2)
    assert np.isclose(
        distances[distances > 0].min(), LATTICE_CONSTANT * np.sqrt(3.0) / 4.0, rtol=1e-12
    )
    to_silicon = np.linalg.norm(dot.hydrogen_nm[:, None] - dot.silicon_nm, axis=2)
    assert np.allclose(to_silicon.min(axis=1), BOND_SI_H)


def test_fractions_sum_to_one(atom_centred):
    for dot in atom_centred:
        assert np.isclose(sum(dot.facet_fractions.values()), 1.0)


@pytest.mark.parametrize(
    ("offsets", "areas"),
    [
        ({"100": 1}, {"100": 24.0}),  # the cube of edge 2
        ({"111": 1}, {"111": 4.0 * np.sqrt(3.0)}),  # the octahedron with vertices at (1, 0, 0)
        ({"110": 2}, {"110": 24.0 * np.sqrt(2.0)}),  # the rhombic dodecahedron, x + y <= 2
        # The cuboctahedron of edge sqrt(2): 6 squares, 8 triangles.
        ({"100": 1, "111": 2}, {"100": 12.0, "111": 4.0 * np.sqrt(3.0)}),
        ({"100": 1, "111": 4}, {"100": 24.0, "111": 0.0}),  # a family that cuts nothing
    ],
)
def test_facet_areas_agree_with_closed_forms(offsets, areas):
    assert facet_areas(offsets) == pytest.approx(areas, abs=1e-9)


def test_volume_from_113_facets_agrees_with_divergence_theorem():
    # Volume = sum of height times area / 3; the trapezohedron 3x + y + z <= 5 reaches
    # (5/3, 0, 0), (5/4, 5/4, 0) and (1, 1, 1); a pyramid over each of its 24 kites.
    corners = np.array([[5 / 3, 0, 0], [5 / 4, 5 / 4, 0], [1, 1, 1], [5 / 4, 0, 5 / 4]])
    kite = sum(
        abs(np.linalg.det(np.array([corners[0], corners[i], corners[i + 1]]))) / 6.0 for i in (1, 2)
    )
    height = 5.0 / np.sqrt(11.0)
    assert np.isclose(facet_areas({"113": 5})["113"] * height / 3.0, 24 * kite)


def test_support_is_the_largest_projection():
    positions = np.random.default_rng(0).integers(-9, 10, (50, 3))
    for family in FAMILIES:
        expected = (positions @ family_normals(family).T).max(axis=1)
        assert np.array_equal(support(family, positions), expected)


def test_unknown_centre_is_refused():
    with pytest.raises(InputError, match="expected one of atom"):
        enumerate_dots("face", 1.0)


@pytest.mark.parametrize("offsets", [{}, {"100": 0}])
def test_open_or_empty_solids_are_refused(offsets):
    with pytest.raises(InputError, match="all offsets positive"):
        facet_areas(offsets)
