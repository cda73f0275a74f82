"""Formulas on rows of cells and of faces: the registers of their programs, and σ of faces."""

import math

import numpy as np

from opalux.base.kernels import njit
from opalux.solver.formulas.formula import Formula
from opalux.solver.formulas.pairs import VARIABLES, pair_sum
from opalux.solver.formulas.programs import run

Registers = tuple[np.ndarray, int, np.ndarray]


def registers_of(formula: Formula | None, width: int, dtype: str = "float64") -> Registers:
    """Return (code, result, registers) for rows of ``width`` cells; no registers for no formula."""
    if formula is None:
        return np.empty((0, 4), dtype=np.int64), 0, np.empty((0, width), dtype)
    return formula.program.rows(len(formula.variables), width, dtype)


def pair_registers(
    sigma_c: Formula, width: int, dtype: str
) -> tuple[np.ndarray, int, np.ndarray, bool]:
    """Return the registers of a face's opacity, and whether it depends on T."""
    program = pair_sum(sigma_c)
    return *program.rows(len(VARIABLES), width, dtype), "T" in sigma_c.uses


@njit(error_model="numpy", borrows=True)
def face_temperature(out, T_k, T_l, half):
    """Fill ``out`` (>= n,) with T_f, T_f⁴ = (T_k⁴ + T_l⁴)/2. No literals: see `coupling`."""
    for i in range(T_k.shape[0]):
        low, high = T_k[i] * T_k[i], T_l[i] * T_l[i]
        out[i] = math.sqrt(math.sqrt(half * (low * low + high * high)))


@njit(error_model="numpy", borrows=True)
def face_opacity(pair, rho_k, rho_l, T_k, T_l, half):
    """Fill the register ``pair[1]`` of ``pair`` with σ_c(ρ_k, T_f) + σ_c(ρ_l, T_f) of n faces."""
    code, _, registers, knows_T = pair
    n = rho_k.shape[0]
    for i in range(n):
        registers[0, i], registers[2, i] = rho_k[i], rho_l[i]
    if knows_T:
        face_temperature(registers[1], T_k, T_l, half)
    run(code, registers, n)
