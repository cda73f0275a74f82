"""Register programs: what formulas are compiled to, and the kernel that runs them.

Each register is a row of cells and each instruction works on whole rows, so that evaluating an
opacity costs one pass of vector instructions per operator, and gives the same bits wherever it is
evaluated. A program is data: the kernels need not be compiled again for a new formula.
"""

import dataclasses
import math

import numpy as np

from opalux.base.kernels import njit

(
    COPY, ADD, SUB, MUL, DIV, POW, NEG, SIN, COS, TAN, ASIN, ACOS, ATAN, SINH, COSH, TANH, EXP, LOG,
    LOG10, LOG2, SQRT, ABS, SIGN, RINT, MIN, MAX, LT, LE, GT, GE, EQ, NE, AND, OR, SELECT,
) = range(35)  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False)
class Program:
    """A formula as register instructions.

    Attributes
    ----------
    code : (n, 4) int64, rows (instruction, target register, operand a, operand b)
    constants : (k,) float64, the registers behind the variables
    n_registers : rows a caller has to provide: variables, constants, temporaries
    result : register that holds the value at the end
    """

    code: np.ndarray
    constants: np.ndarray
    n_registers: int
    result: int

    def rows(
        self, n_variables: int, width: int, dtype: str = "float64"
    ) -> tuple[np.ndarray, int, np.ndarray]:
        """Return what `run` needs for rows of ``width`` cells: code, result, registers."""
        registers = np.zeros((self.n_registers, width), dtype=dtype)
        registers[n_variables : n_variables + len(self.constants)] = self.constants[:, None]
        return self.code, self.result, registers


@njit(error_model="numpy", inline="never", borrows=True)
def run(code, registers, n):
    """Run a register program on the first ``n`` cells of ``registers`` (n_registers, width)."""
    for k in range(code.shape[0]):
        op, z, x, y = code[k, 0], code[k, 1], code[k, 2], code[k, 3]
        if op == MUL:
            for i in range(n):
                registers[z, i] = registers[x, i] * registers[y, i]
        elif op == ADD:
            for i in range(n):
                registers[z, i] = registers[x, i] + registers[y, i]
        elif op == SUB:
            for i in range(n):
                registers[z, i] = registers[x, i] - registers[y, i]
        elif op == DIV:
            for i in range(n):
                registers[z, i] = registers[x, i] / registers[y, i]
        elif op == COPY:
            for i in range(n):
                registers[z, i] = registers[x, i]
        elif op == NEG:
            for i in range(n):
                registers[z, i] = -registers[x, i]
        elif op == SQRT:
            for i in range(n):
                registers[z, i] = math.sqrt(registers[x, i])
        elif op == SELECT:
            for i in range(n):
                other = registers[z, i]
                registers[z, i] = registers[y, i] if registers[x, i] != 0.0 else other
        else:
            for i in range(n):
                registers[z, i] = operate(op, registers[x, i], registers[y, i])


@njit(error_model="numpy")
def operate(op, x, y):
    """Do one instruction on one cell."""
    if op == ADD:
        return x + y
    if op == SUB:
        return x - y
    if op == MUL:
        return x * y
    if op == DIV:
        return x / y
    if op == NEG:
        return -x
    if op == SQRT:
        return math.sqrt(x)
    if op == POW:
        return x**y
    if op == SIN:
        return math.sin(x)
    if op == COS:
        return math.cos(x)
    if op == TAN:
        return math.tan(x)
    if op == ASIN:
        return math.asin(x)
    if op == ACOS:
        return math.acos(x)
    if op == ATAN:
        return math.atan(x)
    if op == SINH:
        return math.sinh(x)
    if op == COSH:
        return math.cosh(x)
    if op == TANH:
        return math.tanh(x)
    if op == EXP:
        return math.exp(x)
    if op == LOG:
        return math.log(x)
    if op == LOG10:
        return math.log10(x)
    if op == LOG2:
        return math.log2(x)
    if op == ABS:
        return abs(x)
    if op == SIGN:
        return np.sign(x)
    if op == RINT:
        return np.rint(x)
    if op == MIN:
        return np.minimum(x, y)
    if op == MAX:
        return np.maximum(x, y)
    if op == LT:
        return 1.0 if x < y else 0.0
    if op == LE:
        return 1.0 if x <= y else 0.0
    if op == GT:
        return 1.0 if x > y else 0.0
    if op == GE:
        return 1.0 if x >= y else 0.0
    if op == EQ:
        return 1.0 if x == y else 0.0
    if op == NE:
        return 1.0 if x != y else 0.0
    if op == AND:
        return 1.0 if x != 0.0 and y != 0.0 else 0.0
    if op == OR:
        return 1.0 if x != 0.0 or y != 0.0 else 0.0
    return np.nan
