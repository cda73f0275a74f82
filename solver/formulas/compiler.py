"""From the tree of a formula to a register program; see `opalux.solver.formulas.programs`."""

import functools

import numpy as np

from opalux.solver.formulas.programs import COPY, DIV, MUL, POW, SELECT, Program
from opalux.solver.formulas.syntax import Node

LARGEST_POWER = 8


def small_power(node: Node) -> int:
    """Return the exponent of a power that is taken by multiplications, 0 for anything else."""
    exponent = node.arguments[1].number if node.op == POW else None
    if exponent is None or exponent % 1 or exponent == 1 or abs(exponent) > LARGEST_POWER:
        return 0
    return int(exponent)


@functools.lru_cache(maxsize=1024)
def compiled(tree: Node, variables: tuple[str, ...]) -> Program:
    """Return the register program of a tree that uses these ``variables``."""
    constants: list[float] = []
    code: list[tuple[int, int, int, int]] = []
    n_variables = len(variables)

    def count(node: Node) -> None:
        if node.number is not None and node.number not in constants:
            constants.append(node.number)
        if small_power(node) < 0 and 1.0 not in constants:
            constants.append(1.0)
        for argument in node.arguments:
            count(argument)

    count(tree)
    first = n_variables + len(constants)
    highest = first

    def emit(node: Node, free: int) -> int:
        """Compile ``node``; registers from ``free`` on may be overwritten."""
        nonlocal highest
        if isinstance(node.value, str):
            return variables.index(node.value)
        if node.number is not None:
            return n_variables + constants.index(node.number)
        assert node.op is not None
        if exponent := small_power(node):
            base = emit(node.arguments[0], free)
            made = base
            for bit in f"{abs(exponent):b}"[1:]:
                code.append((MUL, free + 1, made, made))
                made = free + 1
                if bit == "1":
                    code.append((MUL, made, made, base))
            if exponent > 0:
                code[-1] = (MUL, free, *code[-1][2:])
            else:
                code.append((DIV, free, n_variables + constants.index(1.0), made))
        elif node.op == SELECT:
            condition, yes, no = node.arguments
            code.append((COPY, free, emit(no, free), 0))
            mask = emit(condition, free + 1)
            code.append((SELECT, free, mask, emit(yes, free + 2)))
        else:
            a = emit(node.arguments[0], free)
            b = emit(node.arguments[1], free + 1) if len(node.arguments) > 1 else 0
            code.append((node.op, free, a, b))
        highest = max(highest, free + 3)
        return free

    result = emit(tree, first)
    return Program(
        np.array(code, dtype=np.int64).reshape(-1, 4),
        np.array(constants, dtype=np.float64),
        highest,
        result,
    )
