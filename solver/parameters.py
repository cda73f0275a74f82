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
from opalux.solver.formulas.powers import separated
from opalux.solver.formulas.programs import MUL, SUB
from opalux.solver.formulas.syntax import Node, operation, parse
from opalux.solver.problem import Material
from opalux.solver.schemes.opacities import of_density
from opalux.solver.schemes.staggered_derivatives import BY_TEMPERATURE
from opalux.solver.schemes.strips import LINE, PIECE, aligned

MEDIUM = ("density", "absorption", "scattering", "heat_capacity")
"""The density ρ [g/cm³], and factors, 1 as the problem stands, on σ_a, on σ_s = σ_c − σ_a (σ_c is
the sum of both), and on C_v; each in every cell."""

SOURCE = "source"
"""A factor on the volume source in every cell, 1 as the problem stands."""

PARAMETERS = (*MEDIUM, SOURCE, *EDGES)
"""An edge stands for what it prescribes at each time in each cell: E outside, or the flux."""

FacePowers = tuple[int, np.ndarray, np.ndarray]
CellPowers = tuple[int, np.ndarray, np.ndarray, np.ndarray, np.ndarray]
Programs = tuple[Rows, bool, tuple[Rows, Rows, Rows], tuple[FacePowers, CellPowers]]


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


def medium_programs(
    material: Material, names: Iterable[str], rho: np.ndarray, longest: int
) -> Programs:
    """Return the programs of s = σ_k + σ_l, σ_a and C = ρ C_v, with their derivatives.

    Parameters
    ----------
    material : the medium
    names : of `MEDIUM`, in the order of the derivatives
    rho : (ny + 2, nx + 2) density [g/cm³], ghosts included
    longest : faces on an edge at most

    Returns
    -------
    s; whether that needs T; σ_a and C at once, σ_a, and C, which has no registers where it does not
    depend on T; and the maps of opacities that are products K Tᵇ, see `_powers`
    """
    names = list(names)
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
        _powers(opacity, capacity, matter, names, rho),
    )


def _powers(
    opacity: "_Opacities", capacity: Node, matter: list[Node], names: list[str], rho: np.ndarray
) -> tuple[FacePowers, CellPowers]:
    """Return b, K and ∂K/∂p of σ_c = K Tᵇ; and the same of σ_a, with C and ∂C/∂p.

    Maps are (cells,) and (parameters, cells), all cells end to end. The kernels can do with them
    in the place of programs. They cannot where σ_c and its parts are no such products of one b, or
    C depends on T: there b is 0 and no map is read.
    """

    def maps(trees: list[Node]) -> np.ndarray:
        return np.array([of_density(tree, rho) for tree in trees]).reshape(len(trees), rho.size)

    flat = rho.reshape(-1)
    nothing = flat[None, :0]
    faces: FacePowers = (0, flat, nothing)
    cells: CellPowers = (0, flat, nothing, flat, nothing)
    total = separated(opacity.total)
    own = [opacity.of_cell(name) for name in names]
    parts = [separated(tree) for tree in own]
    if (
        total
        and total[1]
        and all(
            tree == ZERO or (part and part[1] == total[1])
            for tree, part in zip(own, parts, strict=True)
        )
    ):
        factors = [part[0] if part else ZERO for part in parts]
        faces = total[1], of_density(total[0], rho).reshape(-1), maps(factors)
    absorbed = separated(opacity.absorbed)
    if absorbed and absorbed[1] and not _knows_temperature(capacity):
        K, b = absorbed
        by = {"density": derivative(K, "rho"), "absorption": K}
        cells = (
            b, of_density(K, rho).reshape(-1), maps([by.get(name, ZERO) for name in names]),
            of_density(capacity, rho).reshape(-1), maps(matter),
        )  # fmt: skip
    return faces, cells


class _Opacities:
    """The trees of the opacities."""

    def __init__(self, material: Material) -> None:
        self.absorbed, self.total = _tree(material.sigma_a), _tree(material.sigma_c)
        self._pair = pair_tree(Formula(material.sigma_c, ("rho", "T")))
        if material.sigma_s is not None:
            self._scattered = _tree(material.sigma_s)
        elif self.total == self.absorbed:
            self._scattered = ZERO
        else:
            self._scattered = operation(SUB, self.total, self.absorbed)

    def of_faces(self, name: str) -> list[Node]:
        """Return ∂s/∂p_k and ∂s/∂p_l."""
        if name == "density":
            return [derivative(self._pair, variable) for variable in ("rho", "rho_l")]
        own = self.of_cell(name)
        return [own, moved(own)]

    def of_cell(self, name: str) -> Node:
        """Return ∂σ_c/∂p of a cell."""
        if name == "density":
            return derivative(self.total, "rho")
        return {"absorption": self.absorbed, "scattering": self._scattered}.get(name, ZERO)


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
