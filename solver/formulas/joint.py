"""Several formulas of the same variables as one register program, which reads these once."""

from collections.abc import Sequence

import numpy as np

from opalux.solver.formulas.compiler import compiled
from opalux.solver.formulas.syntax import Node

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def joint_rows(trees: Sequence[Node], variables: tuple[str, ...], width: int) -> Rows:
    """Return what `programs.run` needs to evaluate all ``trees`` for rows of ``width`` cells.

    Returns
    -------
    code : (n, 4) the programs one after the other, each with registers of its own behind the
        variables
    results : (trees,) registers that hold the values at the end
    registers : (m, width)
    """
    n, codes, results = len(variables), [], []
    registers = np.zeros((n, width))
    for tree in trees:
        program = compiled(tree, variables)
        moved = np.arange(program.n_registers)
        moved[n:] += len(registers) - n
        code = program.code.copy()
        code[:, 1:] = moved[code[:, 1:]]
        codes.append(code)
        results.append(moved[program.result])
        own = np.zeros((program.n_registers - n, width))
        own[: len(program.constants)] = program.constants[:, None]
        registers = np.concatenate([registers, own])
    return np.concatenate(codes), np.array(results, dtype=np.int64), registers
