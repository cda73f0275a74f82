"""Tight binding: the bulk bands and the gaps of known dots, whole and by symmetry blocks."""

import numpy as np
import pytest

from opalux.learning.siqd.dots.gap import levels, symmetry_blocks, symmetry_subgroup
from opalux.learning.siqd.dots.structures import BONDS, CENTRES, enumerate_dots
from opalux.learning.siqd.dots.tight_binding import (
    bulk_bands,
    hamiltonian,
    rotate_orbitals,
    silicon_block,
    wavelength,
)


def test_bulk_gap_is_indirect_near_085_x():
    k = np.linspace(0.0, 1.0, 201)
    bands = bulk_bands(np.column_stack([k, 0 * k, 0 * k]))
    valence, conduction = bands[:, 3], bands[:, 4]
    assert conduction.min() - valence.max() == pytest.approx(1.18, abs=0.01)
    assert k[conduction.argmin()] == pytest.approx(0.85, abs=0.02)
    assert valence.argmax() == 0
    assert valence[0] == pytest.approx(0.0, abs=0.02)


@pytest.fixture(scope="module")
def named():
    return {dot.formula: dot for dot in enumerate_dots("atom", 3.0)}


@pytest.mark.parametrize(
    ("formula", "gap"),
    [("Si29H36", 4.32), ("Si123H100", 3.00), ("Si281H172", 2.36), ("Si723H300", 1.94)],
)
def test_gaps_of_known_dots(named, formula, gap):
    assert levels(named[formula]).gap == pytest.approx(gap, abs=0.02)


@pytest.mark.parametrize("centre", CENTRES)
def test_symmetry_blocks_keep_the_spectrum(centre):
    for dot in enumerate_dots(centre, 1.1):
        matrix = hamiltonian(dot)
        assert len(symmetry_subgroup(dot)) == 2
        whole = np.linalg.eigvalsh(matrix.toarray())
        parts = [np.linalg.eigvalsh(block.toarray()) for block in symmetry_blocks(matrix, dot)]
        assert np.allclose(np.sort(np.concatenate(parts)), whole, atol=1e-10)


def test_sparse_and_dense_levels_agree(named, monkeypatch):
    dot = named["Si87H76"]
    dense = levels(dot)
    monkeypatch.setattr("opalux.learning.siqd.dots.gap.DENSE_BELOW", 0)
    sparse = levels(dot)
    assert sparse.homo == pytest.approx(dense.homo, abs=1e-9)
    assert sparse.lumo == pytest.approx(dense.lumo, abs=1e-9)


def test_a_level_count_that_is_not_the_electron_pairs_is_refused(named, monkeypatch):
    monkeypatch.setattr(
        "opalux.learning.siqd.dots.gap.MID_GAP", 4.0
    )  # above the lowest empty level
    with pytest.raises(ArithmeticError, match="the number of electron pairs"):
        levels(named["Si29H36"])


def test_hamiltonian_is_symmetric(named):
    matrix = hamiltonian(named["Si35H36"])
    assert abs(matrix - matrix.T).max() < 1e-12


def test_orbital_actions_are_orthogonal_and_compose():
    rng = np.random.default_rng(3)
    a, b = (np.linalg.qr(rng.standard_normal((3, 3)))[0] for _ in range(2))
    assert np.allclose(rotate_orbitals(a) @ rotate_orbitals(a).T, np.eye(10))
    assert np.allclose(rotate_orbitals(a @ b), rotate_orbitals(a) @ rotate_orbitals(b))


def test_blocks_rotate_with_their_bond():
    turn = np.linalg.qr(np.random.default_rng(4).standard_normal((3, 3)))[0]
    action = rotate_orbitals(turn)
    expected = action @ silicon_block(BONDS[0]) @ action.T
    assert np.allclose(silicon_block(turn @ BONDS[0]), expected)


def test_wavelength_of_a_gap():
    assert wavelength(2.0) == pytest.approx(619.92, abs=0.01)


def test_blocks_with_levels_on_one_side_only_do_not_mislead():
    """Si6H12: some of its blocks are very small; the rule for the largest dots must hold too."""
    dot = enumerate_dots("hexagonal", 0.5)[0]
    whole = np.linalg.eigvalsh(hamiltonian(dot).toarray())
    pairs = (4 * dot.n_si + dot.n_h) // 2
    found = levels(dot)
    assert (found.homo, found.lumo) == pytest.approx(tuple(whole[pairs - 1 : pairs + 1]))
