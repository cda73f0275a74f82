"""What is looked at while a run goes on: faults that end it, and doubts that are told once."""

import dataclasses

import numpy as np

from opalux.base.axes import EDGES
from opalux.base.kernels import njit
from opalux.solver.checks import Fault, MaterialCheck
from opalux.solver.edges import EQUILIBRIUM, FREE, GIVEN, Edges, EdgeTables, read_table
from opalux.solver.formulas.formula import Formula
from opalux.solver.grid import Block, bands
from opalux.solver.problem import Problem

INSIDE = {"up": np.s_[-2, 1:-1], "down": np.s_[1, 1:-1]} | {
    "left": np.s_[1:-1, 1],
    "right": np.s_[1:-1, -2],
}
"""The cells next to each edge in arrays (ny + 2, nx + 2)."""


class SolverWarning(UserWarning):
    """Input that can be simulated, but is hardly what was meant."""


class Watch:
    """Looks at one process's share of a run.

    Parameters
    ----------
    problem : what is solved
    block : the cells owned
    rho : (ny + 2, nx + 2) density [g/cm³]

    Attributes
    ----------
    doubts : what is to be told, by its subject
    """

    def __init__(self, problem: Problem, block: Block, rho: np.ndarray) -> None:
        self._a, self._block, self._rho = problem.constants.a, block, rho[1:-1, 1:-1]
        self._material = MaterialCheck(problem.material)
        source = Formula(problem.source, ("x", "y", "t"))
        positive = source.constant is not None and source.constant >= 0
        self._sink = None if positive else source  # where it may take out energy
        self.doubts: dict[str, str] = {}

    def fault(self, state: np.ndarray, times: np.ndarray, when: str) -> str:
        """Return what is wrong with a state and the medium in it, nothing when all is well.

        A negative E alone is no fault: P1 has waves with a negative wake. It is one where the
        volume source has taken out energy since the last look.

        Parameters
        ----------
        state : (4, ny + 2, nx + 2) E, Fx, Fy, T
        times : (n,) times of the steps since the last look [sh]
        when : words for the time of the state
        """
        fault = None
        good = bool(_is_solution(state))
        if self._material.varies or not good:
            fault = self._look_at_medium(state)
        if fault is None and not good:
            fault = _broken(state[:, 1:-1, 1:-1])
        if fault is None and self._sink is not None:
            fault = self._emptied(self._sink, state[0, 1:-1, 1:-1], times)
        if fault is None:
            return ""
        place = f"[{self._block.x[fault.i + 1]:.6g}, {self._block.y[fault.j + 1]:.6g}]"
        return f"{fault.found} at [x, y] = {place}, {when}; expected {fault.expected}"

    def _look_at_medium(self, state: np.ndarray) -> Fault | None:
        T = state[3, 1:-1, 1:-1]
        for rows in bands(*T.shape):
            fault, doubt = self._material.look(self._rho[rows], T[rows])
            if doubt:
                self.doubts.setdefault("sigma_c", doubt)
            if fault:
                return dataclasses.replace(fault, j=rows.start + fault.j)
        return None

    def _emptied(self, sink: Formula, E: np.ndarray, times: np.ndarray) -> Fault | None:
        """Find where the volume source took energy out of cells that have none left."""
        if E.min() >= 0:
            return None
        j, i = np.nonzero(E < 0)
        x, y = self._block.x[i + 1], self._block.y[j + 1]
        for t in times:
            values = sink(x=x, y=y, t=float(t))
            if (values < 0).any():
                n = int(np.argmax(values < 0))
                return Fault(
                    int(j[n]),
                    int(i[n]),
                    f"source: found '{sink.text}' = {values[n]:.6g}, which takes out energy where "
                    f"none is left (E = {E[j[n], i[n]]:.6g})",
                    "E >= 0 where source < 0; raise the source, or the initial E",
                )
        return None

    def look_at_start(self, edges: Edges, state: np.ndarray, times: np.ndarray) -> None:
        """Look for doubts in the medium at first, and in source tables for the times (n,) [sh]."""
        self._look_at_medium(state)
        for name in EDGES:
            for pulse in getattr(getattr(edges, name), "sources", ()):
                if pulse.table is None:
                    continue
                known, values = read_table(pulse.table)
                if times[0] < known[0]:
                    self.doubts[f"{pulse.table} begins"] = (
                        f"source table {pulse.table}: begins at t = {known[0]:.6g} sh, the run at "
                        f"{times[0]:.6g} sh; its first value, {values[0]:.6g}, is taken until "
                        "then; begin the table with 0, or earlier, if that is not meant"
                    )
                if times[-1] > known[-1]:
                    self.doubts[f"{pulse.table} ends"] = (
                        f"source table {pulse.table}: ends at t = {known[-1]:.6g} sh, before the "
                        f"run's last step at {times[-1]:.6g} sh; its last value, {values[-1]:.6g}, "
                        "is kept from there on; end the table with 0, or later, if that is not "
                        "meant"
                    )

    def look_at_edges(
        self, state: np.ndarray, tables: EdgeTables, rules: np.ndarray, times: np.ndarray
    ) -> None:
        """Look for a negative E or T that the edges prescribe at the ``times`` (n,) [sh]."""
        for edge, name in enumerate(EDGES):
            table = getattr(tables, name)
            given_T = table[:, 3] if rules[edge, 3] == GIVEN else None
            E = table[:, 0] if rules[edge, 0] == GIVEN else None
            if rules[edge, 0] == EQUILIBRIUM and (given_T is not None or rules[edge, 3] == FREE):
                T = state[3][INSIDE[name]] if given_T is None else given_T
                E = self._a * T**4 + table[:, 0]
            for field, values in (("E", E), ("T", given_T)):
                key = f"edges.{name}.{field}"
                if values is None or key in self.doubts or not values.min() < 0:
                    continue
                n = int(np.unravel_index(np.argmin(values), values.shape)[0])
                self.doubts[key] = (
                    f"{key}: found {values.min():.6g} at t = {times[n]:.6g} sh, expected >= 0, as "
                    "energies and temperatures are; lower the amplitude or raise what it is added "
                    "to"
                )


def _broken(inner: np.ndarray) -> Fault:
    """Return the first cell of (4, ny, nx) that is not finite or has T < 0."""
    j, i = (int(k) for k in np.argwhere(~(np.isfinite(inner).all(axis=0) & (inner[3] >= 0)))[0])
    return Fault(
        j,
        i,
        f"the solution is not finite, or T < 0 (E = {inner[0, j, i]:.6g}, "
        f"T = {inner[3, j, i]:.6g})",
        "numbers, and T >= 0; lower time.cfl or check material, source and edges",
    )


@njit(error_model="numpy")
def _is_solution(state):  # type: ignore[no-untyped-def]
    """Return whether the cells of ``state`` (4, ny + 2, nx + 2) are finite and T >= 0."""
    _, ny, nx = state.shape
    for j in range(1, ny - 1):
        good = True
        for i in range(1, nx - 1):
            T = state[3, j, i]
            total = abs(state[0, j, i]) + abs(state[1, j, i]) + abs(state[2, j, i])
            good &= (T >= 0.0) & (total + T < np.inf)  # false where one is NaN
        if not good:
            return False
    return True
