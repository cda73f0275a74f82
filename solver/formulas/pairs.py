"""The opacity of a face: both of its half cells at the temperature of the face.

Where matter is cold ahead of a heat front its opacity can be 10⁹ times that behind it (σ ∝ T⁻³).
A face that takes the mean of its two cells' opacities then lets nothing through, on any mesh that
anybody can pay. At one temperature for both half cells,

    T_f⁴ = (T_k⁴ + T_l⁴)/2,   s = σ(ρ_k, T_f) + σ(ρ_l, T_f),

fronts run at their own speed already where a cell behind them is two mean free paths thick.

`pair_sum` writes s as one formula of ρ_k, T_f and ρ_l, with what depends on T alone factored out:
ρ T gives (ρ_k + ρ_l) T_f, which costs hardly more than the opacity of one cell.
"""

import functools

from opalux.solver.formulas.compiler import compiled
from opalux.solver.formulas.formula import Formula
from opalux.solver.formulas.powers import product, separated
from opalux.solver.formulas.programs import ADD, DIV, MUL, NEG, SUB, Program
from opalux.solver.formulas.syntax import Node, literal, operation

RHO_K, T_FACE, RHO_L = VARIABLES = ("rho", "T", "rho_l")


def pair_tree(opacity: Formula) -> Node:
    """Return the tree of σ(ρ_k, T_f) + σ(ρ_l, T_f), of `VARIABLES`."""
    parts = separated(opacity.tree)
    if parts and parts[1]:
        return product(_both(parts[0]), parts[1])
    return _sum(opacity.tree) if "T" in opacity.uses else _both(opacity.tree)


def pair_sum(opacity: Formula) -> Program:
    """Return the program of σ(ρ_k, T_f) + σ(ρ_l, T_f); its variables are `VARIABLES`.

    Parameters
    ----------
    opacity : formula of (rho, T)
    """
    return compiled(pair_tree(opacity), VARIABLES)


def _sum(node: Node) -> Node:
    """Return the tree of the sum, with factors that do not know ρ taken out."""
    if not _knows_density(node):
        return operation(MUL, literal(2), node)
    if node.op in (ADD, SUB):
        return operation(node.op, *(_sum(argument) for argument in node.arguments))
    if node.op == NEG:
        return operation(NEG, _sum(node.arguments[0]))
    if node.op == MUL and not _knows_density(node.arguments[0]):
        return operation(MUL, node.arguments[0], _sum(node.arguments[1]))
    if node.op in (MUL, DIV) and not _knows_density(node.arguments[1]):
        return operation(node.op, _sum(node.arguments[0]), node.arguments[1])
    return _both(node)


def _both(node: Node) -> Node:
    return operation(ADD, node, moved(node))


@functools.lru_cache(maxsize=4096)
def _knows_density(node: Node) -> bool:
    return node.value == RHO_K or any(_knows_density(argument) for argument in node.arguments)


def moved(node: Node) -> Node:
    """Return the tree with ρ_l in the place of ρ_k."""
    if node.value == RHO_K:
        return Node(None, value=RHO_L)
    return operation(node.op, *map(moved, node.arguments)) if node.op is not None else node
