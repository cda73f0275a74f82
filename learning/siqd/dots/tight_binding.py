"""Nearest-neighbour sp3d5s* tight binding of silicon and hydrogen, without spin.

A silicon atom has ten orbitals, a hydrogen atom one. Energies are in eV, with zero at the
valence-band maximum of bulk silicon. Matrix elements of hydrogen depend only on the direction of
the bond.

References
----------
J.-M. Jancu, R. Scholz, F. Beltram, F. Bassani, Phys. Rev. B 57, 6493 (1998): silicon.
Y. Zheng, C. Rivas, R. Lake, K. Alam, T. B. Boykin, G. Klimeck,
    IEEE Trans. Electron Devices 52, 1097 (2005): hydrogen.
J. C. Slater, G. F. Koster, Phys. Rev. 94, 1498 (1954): the two-centre integrals.
"""

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from opalux.learning.siqd.dots.structures import BONDS, Dot
from opalux.learning.siqd.tables.units import PLANCK_C

ORBITALS = ("s", "x", "y", "z", "xy", "yz", "zx", "x2-y2", "3z2-r2", "s*")
N_ORBITALS = len(ORBITALS)

ONSITE = np.array([-2.0196, *[4.5448] * 3, *[14.1836] * 5, 19.6748])
# Two-centre integrals Si-Si [eV]; S is the excited s orbital, s*.
SILICON = {
    "ss": -1.9413,
    "SS": -3.3081,
    "sS": -1.6933,
    "sp": 2.7836,
    "Sp": 2.8428,
    "sd": -2.7998,
    "Sd": -0.7003,
    "pp_sigma": 4.1068,
    "pp_pi": -1.5934,
    "pd_sigma": -2.1073,
    "pd_pi": 1.9977,
    "dd_sigma": -1.2327,
    "dd_pi": 2.5145,
    "dd_delta": -2.4734,
}
HYDROGEN_ONSITE = 0.9998
# Two-centre integrals H-Si [eV]: the s orbital of hydrogen with each shell of silicon.
HYDROGEN = {"ss": -3.9997, "sS": -1.6977, "sp": 4.2518, "sd": -2.1055}

# Each d orbital as the traceless symmetric tensor Q of unit norm with d(r) ~ r.Q.r.
_D_TENSORS = np.zeros((5, 3, 3))
for _i, (_a, _b) in enumerate([(0, 1), (1, 2), (2, 0)]):
    _D_TENSORS[_i, _a, _b] = _D_TENSORS[_i, _b, _a] = np.sqrt(0.5)
_D_TENSORS[3] = np.diag([1.0, -1.0, 0.0]) / np.sqrt(2.0)
_D_TENSORS[4] = np.diag([-1.0, -1.0, 2.0]) / np.sqrt(6.0)


def rotate_orbitals(rotation: NDArray) -> NDArray[np.float64]:
    """Return the action (10, 10) of a rotation or reflection (3, 3) on the orbitals of an atom."""
    turned = np.einsum("ab,jbc,dc->jad", rotation, _D_TENSORS, rotation)
    action = np.eye(N_ORBITALS)
    action[1:4, 1:4] = rotation
    action[4:9, 4:9] = np.einsum("iab,jab->ij", _D_TENSORS, turned)
    return action


def _frame(direction: NDArray) -> NDArray[np.float64]:
    """Return a rotation (3, 3) that turns the z axis into the direction (3,)."""
    z = direction / np.linalg.norm(direction)
    x = np.cross(np.eye(3)[np.argmin(np.abs(z))], z)
    x /= np.linalg.norm(x)
    return np.column_stack([x, np.cross(z, x), z])


def silicon_block(direction: NDArray) -> NDArray[np.float64]:
    """Return the matrix elements <atom 1| H |atom 2> (10, 10) of two silicon atoms [eV].

    Along z the table of Slater and Koster is sparse: only orbitals of equal angular momentum
    about the bond couple. Any other bond has the same block, rotated.

    Parameters
    ----------
    direction : from atom 1 to atom 2 (3,)
    """
    v = SILICON
    s, x, y, z, _, yz, zx, _, zz, excited = range(N_ORBITALS)
    block = np.diag(
        [
            v["ss"],
            v["pp_pi"],
            v["pp_pi"],
            v["pp_sigma"],
            v["dd_delta"],
            v["dd_pi"],
            v["dd_pi"],
            v["dd_delta"],
            v["dd_sigma"],
            v["SS"],
        ]
    )
    even = [(s, excited, "sS"), (s, zz, "sd"), (excited, zz, "Sd")]
    odd = [(s, z, "sp"), (excited, z, "Sp"), (z, zz, "pd_sigma")]
    odd += [(x, zx, "pd_pi"), (y, yz, "pd_pi")]
    for i, j, name in even:
        block[i, j] = block[j, i] = v[name]
    for i, j, name in odd:  # the parities differ: exchanging the orbitals reverses the sign
        block[i, j], block[j, i] = v[name], -v[name]
    turn = rotate_orbitals(_frame(direction))
    return turn @ block @ turn.T


def hydrogen_row(direction: NDArray) -> NDArray[np.float64]:
    """Return the matrix elements <H| H |Si> (10,) [eV].

    Parameters
    ----------
    direction : from hydrogen to silicon (3,)
    """
    row = np.zeros(N_ORBITALS)
    row[[0, 3, 8, 9]] = [HYDROGEN[name] for name in ("ss", "sp", "sd", "sS")]
    return rotate_orbitals(_frame(direction)) @ row


def bulk_bands(wave_vectors: NDArray) -> NDArray[np.float64]:
    """Return the bands (n, 20) of bulk silicon [eV] at wave vectors (n, 3) [2π/a]."""
    blocks = np.array([silicon_block(bond) for bond in BONDS])
    steps = BONDS / 8.0  # [a]
    onsite = np.diag(ONSITE)
    bands = []
    for k in np.atleast_2d(wave_vectors):
        coupling = np.einsum("b,bij->ij", np.exp(2j * np.pi * steps @ k), blocks)
        cell = np.block([[onsite, coupling], [coupling.conj().T, onsite]])
        bands.append(np.linalg.eigvalsh(cell))
    return np.array(bands)


def hamiltonian(dot: Dot) -> csr_array:
    """Return the Hamiltonian (n, n) of a dot [eV].

    The orbitals of silicon come first, atom by atom, then one orbital for each hydrogen atom.
    """
    n_silicon_orbitals = dot.n_si * N_ORBITALS
    size = n_silicon_orbitals + dot.n_h
    atom_at = {tuple(r): i for i, r in enumerate(dot.silicon.tolist())}
    hydrogen_at = np.zeros(dot.dangling.shape, dtype=int)
    hydrogen_at[dot.dangling] = n_silicon_orbitals + np.arange(dot.n_h)
    onsite = np.concatenate([np.tile(ONSITE, dot.n_si), np.full(dot.n_h, HYDROGEN_ONSITE)])
    entries = [(np.arange(size), np.arange(size), onsite)]
    orbital = np.arange(N_ORBITALS)
    for (b, bond), sign in itertools.product(enumerate(BONDS), (1, -1)):
        here = dot.sublattice == sign
        atoms = np.flatnonzero(here & ~dot.dangling[:, b])
        ends = dot.silicon[atoms] + sign * bond
        partners = np.array([atom_at[tuple(r)] for r in ends.tolist()], dtype=int)
        shape = (len(atoms), N_ORBITALS, N_ORBITALS)
        rows = np.broadcast_to((atoms[:, None] * N_ORBITALS + orbital)[:, :, None], shape)
        columns = np.broadcast_to((partners[:, None] * N_ORBITALS + orbital)[:, None, :], shape)
        values = np.broadcast_to(silicon_block(sign * bond), shape)
        entries.append((rows.ravel(), columns.ravel(), values.ravel()))
        atoms = np.flatnonzero(here & dot.dangling[:, b])
        rows = np.repeat(hydrogen_at[atoms, b], N_ORBITALS)
        columns = (atoms[:, None] * N_ORBITALS + orbital).ravel()
        values = np.tile(hydrogen_row(-sign * bond), len(atoms))
        entries += [(rows, columns, values), (columns, rows, values)]
    all_rows, all_columns, all_values = (
        np.concatenate(part) for part in zip(*entries, strict=True)
    )
    return csr_array((all_values, (all_rows, all_columns)), shape=(size, size))


def wavelength(gap: float | NDArray) -> float | NDArray:
    """Return the wavelength [nm] of a photon whose energy is the gap [eV]."""
    return PLANCK_C / gap
