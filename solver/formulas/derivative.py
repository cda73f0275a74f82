"""Derivatives of formulas, from tree to tree.

Where a formula has a kink (min, max, abs, ``? :``), the derivative is that of the branch that gives
the value; comparisons, sign and rint have none.
"""

import functools
import math
from collections.abc import Callable

from opalux.solver.formulas.programs import (
    ABS,
    ACOS,
    ADD,
    ASIN,
    ATAN,
    COS,
    COSH,
    DIV,
    EXP,
    GE,
    LE,
    LOG,
    LOG2,
    LOG10,
    MAX,
    MIN,
    MUL,
    NEG,
    POW,
    SELECT,
    SIGN,
    SIN,
    SINH,
    SQRT,
    SUB,
    TAN,
    TANH,
)  # fmt: skip
from opalux.solver.formulas.syntax import Node, literal, operation

ZERO, ONE = literal(0), literal(1)


@functools.lru_cache(maxsize=4096)
def derivative(node: Node, variable: str) -> Node:
    """Return the tree of ∂node/∂variable."""
    if node.op is None:
        return ONE if node.value == variable else ZERO
    inner = [derivative(argument, variable) for argument in node.arguments]
    if all(part == ZERO for part in inner):
        return ZERO
    x, op = node.arguments[0], node.op
    if op in _OF_ONE:
        return _times(_OF_ONE[op](x, node), inner[0])
    if op not in _OF_MORE:
        return ZERO  # a comparison, or a step
    return _OF_MORE[op](node, *inner)


def _plus(a: Node, b: Node) -> Node:
    if a == ZERO or b == ZERO:
        return b if a == ZERO else a
    return operation(ADD, a, b)


def _minus(a: Node, b: Node) -> Node:
    if b == ZERO:
        return a
    return operation(NEG, b) if a == ZERO else operation(SUB, a, b)


def _times(a: Node, b: Node) -> Node:
    if ZERO in (a, b):
        return ZERO
    if ONE in (a, b):
        return b if a == ONE else a
    return operation(MUL, a, b)


def _over(a: Node, b: Node) -> Node:
    return ZERO if a == ZERO else operation(DIV, a, b)


def _power(node: Node, dx: Node, dn: Node) -> Node:
    x, n = node.arguments
    of_base = _times(_times(n, operation(POW, x, _minus(n, ONE))), dx)
    of_exponent = ZERO if dn == ZERO else _times(_times(node, operation(LOG, x)), dn)
    return _plus(of_base, of_exponent)


_OF_MORE: dict[int, Callable[..., Node]] = {
    ADD: lambda node, da, db: _plus(da, db),
    SUB: lambda node, da, db: _minus(da, db),
    MUL: lambda node, da, db: _plus(_times(da, node.arguments[1]), _times(node.arguments[0], db)),
    DIV: lambda node, da, db: _over(_minus(da, _times(node, db)), node.arguments[1]),
    POW: _power,
    NEG: lambda node, da: operation(NEG, da),
    SELECT: lambda node, _, da, db: operation(SELECT, node.arguments[0], da, db),
    MIN: lambda node, da, db: operation(SELECT, operation(LE, *node.arguments), da, db),
    MAX: lambda node, da, db: operation(SELECT, operation(GE, *node.arguments), da, db),
}


def _square(x: Node) -> Node:
    return operation(MUL, x, x)


_OF_ONE: dict[int, Callable[[Node, Node], Node]] = {  # f′(x), given x and f(x)
    SIN: lambda x, f: operation(COS, x),
    COS: lambda x, f: operation(NEG, operation(SIN, x)),
    TAN: lambda x, f: operation(ADD, ONE, _square(f)),
    ASIN: lambda x, f: operation(
        DIV, ONE, operation(SQRT, operation(SUB, ONE, _square(x)))
    ),
    ACOS: lambda x, f: operation(
        DIV, literal(-1), operation(SQRT, operation(SUB, ONE, _square(x)))
    ),
    ATAN: lambda x, f: operation(DIV, ONE, operation(ADD, ONE, _square(x))),
    SINH: lambda x, f: operation(COSH, x),
    COSH: lambda x, f: operation(SINH, x),
    TANH: lambda x, f: operation(SUB, ONE, _square(f)),
    EXP: lambda x, f: f,
    LOG: lambda x, f: operation(DIV, ONE, x),
    LOG10: lambda x, f: operation(DIV, literal(1 / math.log(10)), x),
    LOG2: lambda x, f: operation(DIV, literal(1 / math.log(2)), x),
    SQRT: lambda x, f: operation(DIV, literal(0.5), f),
    ABS: lambda x, f: operation(SIGN, x),
}  # fmt: skip
