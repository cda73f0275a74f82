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


class _Registers:
    """Registers for temporaries: taken as needed, given back when they have been read."""

    def __init__(self, first: int) -> None:
        self.first = self.count = first
        self._free: list[int] = []

    def take(self) -> int:
        if self._free:
            return self._free.pop()
        self.count += 1
        return self.count - 1

    def give_back(self, *registers: int) -> None:
        self._free += {register for register in registers if register >= self.first}


@functools.lru_cache(maxsize=1024)
def compiled(tree: Node, variables: tuple[str, ...]) -> Program:
    """Return the register program of a tree that uses these ``variables``.

    No instruction writes to a register that it reads (but SELECT, to its own cell): where arrays
    may overlap, the machine takes one number at a time.
    """
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
    registers = _Registers(n_variables + len(constants))

    def instruct(op: int, a: int, b: int, *done: int) -> int:
        """Add an instruction, after which the registers ``done`` are free; return its target."""
        target = registers.take()
        code.append((op, target, a, b))
        registers.give_back(*done)
        return target

    def power(base: int, exponent: int) -> int:
        made = base
        for bit in f"{abs(exponent):b}"[1:]:
            made = instruct(MUL, made, made, *({made} - {base}))
            if bit == "1":
                made = instruct(MUL, made, base, made)
        if exponent < 0:
            made = instruct(DIV, n_variables + constants.index(1.0), made, *({made} - {base}))
        registers.give_back(base)
        return made

    def emit(node: Node) -> int:
        """Compile ``node`` and return where its value is."""
        if isinstance(node.value, str):
            return variables.index(node.value)
        if node.number is not None:
            return n_variables + constants.index(node.number)
        assert node.op is not None
        if exponent := small_power(node):
            return power(emit(node.arguments[0]), exponent)
        if node.op == SELECT:
            condition, yes, no = map(emit, node.arguments)
            target = instruct(COPY, no, 0, no)
            code.append((SELECT, target, condition, yes))
            registers.give_back(condition, yes)
            return target
        operands = tuple(map(emit, node.arguments))
        return instruct(node.op, operands[0], operands[-1], *operands)

    result = emit(tree)
    return Program(
        np.array(code, dtype=np.int64).reshape(-1, 4),
        np.array(constants, dtype=np.float64),
        registers.count,
        result,
    )
