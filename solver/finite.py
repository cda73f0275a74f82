"""Whether what edges and the volume source prescribe is finite at all times and places."""

import numpy as np

from opalux.base.axes import EDGES, along
from opalux.base.errors import InputError
from opalux.solver.edges import Edges, Pulse, edge_formulas, not_finite
from opalux.solver.formulas.formula import Formula
from opalux.solver.grid import Block, Grid, bands

MOST = 2_000_000
"""Values of one formula that are looked at; of more times, so many fewer."""


def check_edges(edges: Edges, grid: Grid, times: np.ndarray) -> None:
    """Refuse edges whose formulas are not finite somewhere.

    Parameters
    ----------
    edges : of the domain
    grid : its cells
    times : (n,) at which the edges are needed [sh]

    Raises
    ------
    InputError
        Names the edge, the field, the formula, and the time where it is not finite.
    """
    for name in EDGES:
        edge, axis = getattr(edges, name), along(name)
        for field, text in edge_formulas(edge).items():
            formula = Formula(text, ("t", axis))
            if formula.constant is None:
                places = getattr(grid.whole, axis)[1:-1] if axis in formula.uses else np.zeros(1)
                few = times[:: -(-len(times) * len(places) // MOST)]
                values = formula(**{"t": few[:, None], axis: places[None, :]})
                _require_finite(values, few, f"edges.{name}.{field}", text)
        for number, pulse in enumerate(edge.sources if edge.kind == "source" else ()):
            where = f"edges.{name}.sources.{number}"
            _require_finite(pulse.values(times)[:, None], times, where, _text(pulse))


def check_source(text: str, block: Block, times: np.ndarray) -> None:
    """Refuse a volume source that is not finite somewhere.

    Parameters
    ----------
    text : formula of x, y and t
    block : the cells that are looked at
    times : (n,) at which the source is needed [sh]; where it varies in place, the first alone

    Raises
    ------
    InputError
        Names the formula, and the time where it is not finite.
    """
    formula = Formula(text, ("x", "y", "t"))
    if not formula.uses & {"x", "y"}:
        _require_finite(formula(x=0.0, y=0.0, t=times[:, None]), times, "source", text)
        return
    x, y = block.x[1:-1], block.y[1:-1]
    for rows in bands(len(y), len(x)):
        values = formula(x=x[None, :], y=y[rows, None], t=times[0])
        _require_finite(values.reshape(1, -1), times, "source", text)


def _text(pulse: Pulse) -> str:
    if pulse.table is not None:
        return str(pulse.table)
    return pulse.signal or f"{pulse.amplitude:g}*sin(2*pi*{pulse.frequency:g}*t)"


def _require_finite(values: np.ndarray, times: np.ndarray, where: str, text: str) -> None:
    """Refuse values (n, places) at the times (n,) [sh] that are not finite."""
    if np.isfinite(values).all():
        return
    row, column = np.argwhere(~np.isfinite(values))[0]
    raise InputError(
        f"{where}: {not_finite(text, float(values[row, column]))} (at t = {times[row]:g} sh)"
    )
