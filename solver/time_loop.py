"""What all time loops share: medium and state, checks on the way, what files keep of them."""

import abc
import dataclasses
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from opalux.base.agreement import on_all
from opalux.base.axes import FIELDS
from opalux.base.errors import OpaluxError
from opalux.base.exit_codes import BAD_INPUT
from opalux.solver.domains.domain import Domain
from opalux.solver.edges import edge_rules
from opalux.solver.problem import Problem
from opalux.solver.readings import Noted, Readings
from opalux.solver.start import check_start, domain_density, fill_state, time_steps
from opalux.solver.watch import SolverWarning, Watch


class SolverFailure(OpaluxError, RuntimeError):
    """The state, or the medium in it, is no longer valid."""

    exit_code = BAD_INPUT  # other input would have avoided it


@dataclasses.dataclass(frozen=True)
class Chunk:
    """Some consecutive records just made by one process; of explicit steps, each has one.

    Attributes
    ----------
    first, stop : the records first <= n < stop; there may be none
    times : (stop - first,) time of each record [sh]; of explicit steps, that before the step
    signals : per edge (stop - first, 4, cells) E, Fx, Fy, T then; empty where the process's block
        does not lie on the edge
    noted : what the process has noted of the detectors; None where there are none
    """

    first: int
    stop: int
    times: np.ndarray
    signals: dict[str, np.ndarray]
    noted: Noted | None = None


class TimeLoop(abc.ABC):
    """The time loop of a problem on one process's share of the grid.

    Parameters
    ----------
    problem : what to solve
    domain : this process's share of the grid; its ``state`` is advanced in place
    density : (ny, nx) array that replaces the problem's density

    Attributes
    ----------
    step, n_steps : records made and to make; of explicit steps, these are the steps
    dt, times, t_final : time between records, time of each (n,), final time [sh]
    rho : (ny + 2, nx + 2) density [g/cm³]
    rules : (4 edges, 4 fields) how the edges are filled
    readings : reads the detectors; None where there are none
    """

    def __init__(self, problem: Problem, domain: Domain, density: np.ndarray | None = None) -> None:
        self.problem, self.domain = problem, domain
        self.dt, self.times, self.t_final = time_steps(problem)
        self.n_steps = len(self.times)
        self.step = 0
        self.rules = edge_rules(problem.edges, domain.block)
        self.rho = domain_density(problem, domain, density).astype(problem.dtype)
        fill_state(problem, domain)
        on_all(domain.gather, domain.broadcast, lambda: check_start(problem, domain, self.rho))
        self._watch = Watch(problem, domain.block, self.rho)
        self._told: set[str] = set()
        self.readings = Readings(problem, domain.block) if problem.detectors else None

    @property
    @abc.abstractmethod
    def t(self) -> float:
        """Time of the state [sh]."""

    @property
    @abc.abstractmethod
    def fields(self) -> np.ndarray:
        """E, Fx, Fy, T (4, ny, nx) in this process's cells at ``t``; all processes ask at once."""

    @property
    @abc.abstractmethod
    def scratch(self) -> Any:
        """Arrays that are held from step to step, besides state and density; nested at will."""

    @abc.abstractmethod
    def run(self, pauses: Iterable[int] = ()) -> Iterator[Chunk]:
        """Advance to the final time, a chunk of records at a time.

        Parameters
        ----------
        pauses : records before which a chunk is to end, so that the state can be read there

        Raises
        ------
        SolverFailure
            When the state, or the medium in it, is no longer valid.
        """

    @abc.abstractmethod
    def restore(self, step: int) -> None:
        """Continue before record ``step``; the caller has put back ``kept`` and `clock`."""

    @abc.abstractmethod
    def check(self) -> None:
        """Look at the state and the medium in it, and tell once what is doubtful.

        Raises
        ------
        SolverFailure
            On all processes, when the state is not finite, T < 0, an opacity is negative, the heat
            capacity is not positive, or the volume source takes out energy that is not there.
        """

    @property
    def taken(self) -> int:
        """Steps in time taken so far; of explicit ones, each makes a record."""
        return self.step

    @property
    def note(self) -> str:
        """How far the loop is, in words."""
        return f"t = {self.t:.4g} sh"

    @property
    def report(self) -> dict[str, Any]:
        """What run.json tells of the loop, besides what it tells of all."""
        return {}

    @property
    def clock(self) -> dict[str, float]:
        """The numbers that a checkpoint keeps besides ``kept``, by name."""
        return {}

    def set_clock(self, kept: Mapping[str, float]) -> None:
        """Put the numbers of `clock` back."""
        assert not kept

    @property
    def kept(self) -> dict[str, np.ndarray]:
        """What a checkpoint keeps of this process's cells: views (ny, nx) of the state.

        Where fluxes lie on faces, those on the left and lower sides of the cells are there, too:
        the first of them belong to no cell's right or upper side.
        """
        state = self.domain.state
        kept = {name: field[1:-1, 1:-1] for name, field in zip(FIELDS, state, strict=True)}
        if self.problem.variant.on_faces:
            kept |= {"Fx_left": state[1, 1:-1, :-2], "Fy_below": state[2, :-2, 1:-1]}
        return kept

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays that this process holds from step to step."""
        held = {
            id(array): array.nbytes for array in _arrays([self.domain.wide, self.rho, self.scratch])
        }
        return sum(held.values())

    def _agree(self, fault: str) -> None:
        """Tell what any process found doubtful; raise what any process found wrong."""
        domain, found = self.domain, self._watch.doubts
        doubts = {key: text for key, text in found.items() if key not in self._told}
        if not domain.any(bool(fault or doubts)):
            return
        parts = domain.gather((fault, doubts)) or []
        first = next((fault for fault, _ in parts if fault), "")
        merged = {key: text for _, doubts in reversed(parts) for key, text in doubts.items()}
        fault, doubts = domain.broadcast((first, merged))
        self._told |= doubts.keys()
        if domain.rank == 0:
            for text in doubts.values():
                warnings.warn(text, SolverWarning, stacklevel=2)
        if fault:
            raise SolverFailure(fault)


def _arrays(thing: Any) -> Iterator[np.ndarray]:
    """Yield the arrays in nested tuples and lists."""
    if isinstance(thing, np.ndarray):
        yield thing
    elif isinstance(thing, tuple | list):
        for part in thing:
            yield from _arrays(part)
