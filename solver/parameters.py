"""What signals have derivatives by: parameters of the medium, the volume source, the edges.

The kernels of the adjoint know programs alone (`schemes.staggered_derivatives`): here the opacities
and the heat capacity get their derivatives by the parameters that are asked for, from tree to tree.
"""

from collections.abc import Iterable

import numpy as np

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.solver.formulas.derivative import ZERO, derivative
from opalux.solver.formulas.formula import Formula
from opalux.solver.formulas.joint import Rows, joint_rows
from opalux.solver.formulas.pairs import VARIABLES, moved, pair_tree
from opalux.solver.formulas.programs import MUL, SUB
from opalux.solver.formulas.syntax import Node, operation, parse
from opalux.solver.problem import Material
from opalux.solver.schemes.staggered_derivatives import BY_TEMPERATURE
from opalux.solver.schemes.strips import LINE, PIECE, aligned

MEDIUM = ("density", "absorption", "scattering", "heat_capacity")
"""The density ρ [g/cm³], and factors, 1 as the problem stands, on σ_a, on σ_s = σ_c − σ_a (σ_c is
the sum of both), and on C_v; each in every cell."""

SOURCE = "source"
"""A factor on the volume source in every cell, 1 as the problem stands."""

PARAMETERS = (*MEDIUM, SOURCE, *EDGES)
"""An edge stands for what it prescribes at each time in each cell: E outside, or the flux."""

Programs = tuple[Rows, bool, tuple[Rows, Rows, Rows]]


def checked(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of parameters, each of them known and once.

    Raises
    ------
    InputError
        When a name is unknown, or there is none.
    """
    found = tuple(dict.fromkeys([names] if isinstance(names, str) else names))
    unknown = [name for name in found if name not in PARAMETERS]
    if unknown or not found:
        raise InputError(
            f"gradient: found {unknown[0]!r} to derive by, expected some of {', '.join(PARAMETERS)}"
            if unknown
            else f"gradient: found nothing to derive by, expected some of {', '.join(PARAMETERS)}"
        )
    return found


def medium_programs(material: Material, names: Iterable[str], longest: int) -> Programs:
    """Return the programs of s = σ_k + σ_l, σ_a and C = ρ C_v, with their derivatives.

    Parameters
    ----------
    material : the medium
    names : of `MEDIUM`, in the order of the derivatives
    longest : faces on an edge at most

    Returns
    -------
    s; whether that needs T; σ_a and C at once, σ_a, and C, which has no registers where it does not
    depend on T
    """
    opacity, pair = _Opacities(material), []
    capacity = operation(MUL, _tree("rho"), _tree(material.heat_capacity))
    absorption, matter = [], []
    for name in names:
        pair += opacity.of_faces(name)
        absorption.append(
            {"density": derivative(opacity.absorbed, "rho"), "absorption": opacity.absorbed}.get(
                name, ZERO
            )
        )
        matter.append(
            {"density": derivative(capacity, "rho"), "heat_capacity": capacity}.get(name, ZERO)
        )

    of_absorption = [opacity.absorbed, derivative(opacity.absorbed, "T"), *absorption]
    of_capacity = [capacity, derivative(capacity, "T"), *matter]

    def rows(trees: list[Node]) -> Rows:
        return _aligned_rows(trees, ("rho", "T"), PIECE)

    both = pair_tree(Formula(material.sigma_c, ("rho", "T")))
    none = np.empty((0, 4), np.int64), np.empty(0, np.int64), np.empty((0, PIECE))
    return (
        _aligned_rows([both, derivative(both, "T"), *pair], VARIABLES, max(PIECE, longest)),
        any(_knows_temperature(tree) for tree in (both, *pair)),
        (
            rows(of_absorption + of_capacity),
            rows(of_absorption),
            none if of_capacity[BY_TEMPERATURE] == ZERO else rows(of_capacity),
        ),
    )


class _Opacities:
    """The trees of the opacities."""

    def __init__(self, material: Material) -> None:
        self.absorbed, total = _tree(material.sigma_a), _tree(material.sigma_c)
        self._pair = pair_tree(Formula(material.sigma_c, ("rho", "T")))
        if material.sigma_s is not None:
            self._scattered = _tree(material.sigma_s)
        elif total == self.absorbed:
            self._scattered = ZERO
        else:
            self._scattered = operation(SUB, total, self.absorbed)

    def of_faces(self, name: str) -> list[Node]:
        """Return ∂s/∂p_k and ∂s/∂p_l."""
        if name == "density":
            return [derivative(self._pair, variable) for variable in ("rho", "rho_l")]
        own = {"absorption": self.absorbed, "scattering": self._scattered}.get(name, ZERO)
        return [own, moved(own)]


def _aligned_rows(trees: list[Node], variables: tuple[str, ...], width: int) -> Rows:
    """Return what `joint_rows` does; each register begins with a line of the cache."""
    code, results, registers = joint_rows(trees, variables, -(-width // LINE) * LINE)
    placed = aligned(*registers.shape)
    placed[...] = registers
    return code, results, placed


def _tree(text: str) -> Node:
    return parse(text, ("rho", "T"))


def _knows_temperature(node: Node) -> bool:
    return node.value == "T" or any(map(_knows_temperature, node.arguments))
