"""Opacities that are a function of the density times a whole power of the temperature, K(ρ) Tᵇ.

Of such a product the kernels can do without a program; see `opalux.solver.schemes.opacities`. Its
tree is written in one order here, so that a program of it gives the same bits.
"""

import functools

from opalux.solver.formulas.programs import DIV, MUL, NEG, POW
from opalux.solver.formulas.syntax import Node, literal, operation

LARGEST = 4  # of the powers that the kernels take
ONE = literal(1)
T = Node(None, value="T")


@functools.lru_cache(maxsize=1024)
def separated(tree: Node) -> tuple[Node, int] | None:
    """Return the tree of K(ρ) and b of a formula K(ρ) Tᵇ, |b| <= LARGEST; None for any other."""
    found = _separated(tree)
    return found if found and abs(found[1]) <= LARGEST else None


def opacity_tree(tree: Node) -> Node:
    """Return the tree that the programs of an opacity are made of: K(ρ) Tᵇ in that order."""
    parts = separated(tree)
    return tree if parts is None else product(*parts)


def product(factor: Node, power: int) -> Node:
    """Return the tree of ``factor`` times T to a whole power."""
    if power == 0:
        return factor
    return _times(factor, T if power == 1 else operation(POW, T, literal(power)))


def _separated(node: Node) -> tuple[Node, int] | None:
    if node.op is None:
        return (ONE, 1) if node.value == "T" else (node, 0)
    parts = [_separated(argument) for argument in node.arguments]
    if any(part is None for part in parts):
        return None
    factors, powers = zip(*(part for part in parts if part), strict=True)
    if not any(powers):
        return node, 0
    if node.op == MUL:
        return _times(*factors), sum(powers)
    if node.op == DIV:
        return operation(DIV, *factors), powers[0] - powers[1]
    if node.op == NEG:
        return operation(NEG, *factors), powers[0]
    exponent = node.arguments[1].number if node.op == POW else None
    if exponent is None or exponent % 1 or not 0 < abs(exponent) <= LARGEST:
        return None
    base = factors[0]
    return (base if base == ONE else operation(POW, *factors)), powers[0] * int(exponent)


def _times(left: Node, right: Node) -> Node:
    if left == ONE:
        return right
    return left if right == ONE else operation(MUL, left, right)
