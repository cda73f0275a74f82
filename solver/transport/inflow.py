"""The edges of a problem as transport sees them: what enters the domain in each direction."""

import numpy as np

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.solver.edges import Edges, SourceEdge, edge_rules, edge_tables
from opalux.solver.formulas.formula import Formula
from opalux.solver.grid import Grid
from opalux.solver.transport.streaming import FREE, GIVEN, PERIODIC, WALL

RULES = {"free": FREE, "wall": WALL, "periodic": PERIODIC, "source": GIVEN, "vacuum": GIVEN}
T = 3  # among the fields of the tables


def inflow_rules(edges: Edges) -> np.ndarray:
    """Return what enters through up, down, left, right (4,): rules of `streaming`.

    Raises
    ------
    InputError
        When an edge prescribes what only P1 has.
    """
    return np.array([_rule(name, getattr(edges, name)) for name in EDGES])


def _rule(name: str, edge: object) -> int:
    kind = edge.kind  # type: ignore[attr-defined]
    if kind not in RULES:
        raise InputError(
            f"edges.{name}: found kind '{kind}', which says nothing about the light in each "
            f"direction; transport knows {', '.join(RULES)}"
        )
    if isinstance(edge, SourceEdge):
        for field in ("Fx", "Fy"):
            text = getattr(edge, field)
            if text == "free" or Formula(text, ("t", "x", "y")).constant != 0:
                raise InputError(
                    f"edges.{name}.{field}: found '{text}', but the light that enters in "
                    "transport is isotropic; set it to 0"
                )
        if edge.T == "free":
            raise InputError(
                f"edges.{name}.T: found 'free', but transport needs the temperature of what "
                "radiates; give a number or a formula of t"
            )
    return RULES[kind]


def inflow(edges: Edges, grid: Grid, a: float, t: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the isotropic light that enters through up, down, left, right.

    Parameters
    ----------
    a : radiation constant [g/cm/sh²/keV⁴]
    t : (n,) times [sh]

    Returns
    -------
    four arrays (n, cells) : E of such light from all sides [g/cm/sh²]; 0 where the edge gives none

    Raises
    ------
    InputError
        When it is negative.
    """
    block = grid.whole
    tables = edge_tables(edges, block, edge_rules(edges, block), t)
    entering = []
    for name in EDGES:
        table = getattr(tables, name)
        strength = np.zeros((len(t), table.shape[2]))
        if _rule(name, edge := getattr(edges, name)) == GIVEN:
            strength += a * table[:, T] ** 4
        if isinstance(edge, SourceEdge):
            strength += table[:, 0]
        if not (strength >= 0).all():
            n = int(np.flatnonzero(~(strength >= 0).all(axis=1))[0])
            raise InputError(
                f"edges.{name}: found light of E = {strength[n].min():.6g} entering at "
                f"t = {t[n]:.6g} sh, expected at least 0; lower the amplitude or raise T"
            )
        entering.append(strength)
    return tuple(entering)
