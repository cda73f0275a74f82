"""Opacities in the kernels: as K(ρ) Tᵇ in the loops that need them, or from a register program.

K does not change during a run: it is evaluated once, for all cells of a block. The loops take the
power themselves, which saves filling the registers of a program and reading its result, a third of
a step. Other formulas, and those that do not depend on T, are run as programs. Both ways give the
same bits: the program is that of the same product.
"""

import math

import numpy as np

from opalux.base.kernels import njit
from opalux.solver.formulas.compiler import compiled
from opalux.solver.formulas.formula import Formula
from opalux.solver.formulas.pairs import VARIABLES, pair_sum
from opalux.solver.formulas.powers import opacity_tree, separated
from opalux.solver.formulas.programs import run
from opalux.solver.formulas.syntax import Node
from opalux.solver.schemes.strips import PIECE

Registers = tuple[np.ndarray, int, np.ndarray]
CELL = ("rho", "T")


def registers_of(formula: Formula | None, width: int, dtype: str = "float64") -> Registers:
    """Return (code, result, registers) for rows of ``width`` cells; no registers for no formula."""
    if formula is None:
        return np.empty((0, 4), dtype=np.int64), 0, np.empty((0, width), dtype)
    return formula.program.rows(len(formula.variables), width, dtype)


def cell_opacity(
    sigma: Formula, rho: np.ndarray, width: int
) -> tuple[tuple[np.ndarray, int, np.ndarray, int], np.ndarray]:
    """Return what the kernels need for the opacity of cells.

    Parameters
    ----------
    sigma : formula of (rho, T)
    rho : density of all cells, whose type is that of the kernels
    width : length of the registers' rows

    Returns
    -------
    (code, result, registers, b), with b = 0 where the program is to be run; and K, of the shape of
    ``rho``, where it is not.
    """
    program = compiled(opacity_tree(sigma.tree), CELL)
    factor, power = _factor(sigma, rho)
    return (*program.rows(len(CELL), width, rho.dtype.name), power), factor


def pair_opacity(
    sigma: Formula, rho: np.ndarray, width: int
) -> tuple[np.ndarray, int, np.ndarray, bool, int, np.ndarray]:
    """Return the same for σ_k + σ_l of a face: (code, result, registers, whether it knows T, b, K).

    K is that of the cells, end to end.
    """
    program = pair_sum(sigma)
    factor, power = _factor(sigma, rho)
    rows = program.rows(len(VARIABLES), width, rho.dtype.name)
    return *rows, "T" in sigma.uses, power, factor.reshape(-1)


def _factor(sigma: Formula, rho: np.ndarray) -> tuple[np.ndarray, int]:
    """Return K and b; ρ and 0 where the program is to be run."""
    parts = separated(sigma.tree)
    if parts is None or parts[1] == 0:
        return rho, 0
    tree, power = parts
    return of_density(tree, rho), power


def of_density(tree: Node, rho: np.ndarray) -> np.ndarray:
    """Evaluate a tree of ρ in the type of ``rho``: the program of the product does so, too."""
    if tree == Node(None, value="rho"):
        return rho
    flat, out = rho.reshape(-1), np.empty(rho.size, rho.dtype)
    code, result, registers = compiled(tree, ("rho",)).rows(1, PIECE, rho.dtype.name)
    for low in range(0, flat.size, PIECE):
        n = min(PIECE, flat.size - low)
        registers[0, :n] = flat[low : low + n]
        run(code, registers, n)
        out[low : low + n] = registers[result, :n]
    return out.reshape(rho.shape)


@njit(error_model="numpy", inline="always")
def whole_power(T, power, one):
    """Return T to a whole power from −4 to 4, as the programs take it; ``one`` is 1 of T's type.

    In a loop ``power`` does not change, so that the compiler takes the choice out of it.
    """
    square = T * T
    value = one
    if power == 1:
        value = T
    elif power == 2:
        value = square
    elif power == 3:
        value = square * T
    elif power == 4:
        value = square * square
    elif power == -1:
        value = one / T
    elif power == -2:
        value = one / square
    elif power == -3:
        value = one / (square * T)
    elif power == -4:
        value = one / (square * square)
    return value


@njit(error_model="numpy", inline="always")
def power_and_slope(T, power):
    """Return T to a whole power as `whole_power` does, and its derivative by T, in float64."""
    square = T * T
    value, slope = 1.0, 0.0
    if power == 1:
        value, slope = T, 1.0
    elif power == 2:
        value, slope = square, 2 * T
    elif power == 3:
        value, slope = square * T, 3 * square
    elif power == 4:
        value, slope = square * square, 4 * (square * T)
    elif power < 0:
        per = 1 / T
        value = per
        if power == -2:
            value = per * per
        elif power == -3:
            value = per * per * per
        elif power == -4:
            value = (per * per) * (per * per)
        slope = power * (value * per)
    return value, slope


@njit(error_model="numpy", borrows=True)
def evaluate(sigma, rho, T):
    """Run the program of a cell's opacity on n cells; the result is in its register."""
    code, registers = sigma[0], sigma[2]
    n = rho.shape[0]
    for i in range(n):
        registers[0, i], registers[1, i] = rho[i], T[i]
    run(code, registers, n)


@njit(error_model="numpy", borrows=True)
def face_temperature(out, T_k, T_l, half):
    """Fill ``out`` (>= n,) with T_f, T_f⁴ = (T_k⁴ + T_l⁴)/2. No literals: see `coupling`."""
    for i in range(T_k.shape[0]):
        low, high = T_k[i] * T_k[i], T_l[i] * T_l[i]
        out[i] = math.sqrt(math.sqrt(half * (low * low + high * high)))


@njit(error_model="numpy", borrows=True)
def face_opacity(pair, rho_k, rho_l, T_k, T_l, half):
    """Run the program of σ_c(ρ_k, T_f) + σ_c(ρ_l, T_f) on n faces; see `evaluate`."""
    code, _, registers, knows_T = pair[:4]
    n = rho_k.shape[0]
    for i in range(n):
        registers[0, i], registers[2, i] = rho_k[i], rho_l[i]
    if knows_T:
        face_temperature(registers[1], T_k, T_l, half)
    run(code, registers, n)
