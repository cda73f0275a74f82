"""The time loop: from a problem on a domain to fields and edge signals."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from opalux.base.axes import EDGES, along
from opalux.base.errors import InputError
from opalux.solver.domains.domain import Domain, SerialDomain
from opalux.solver.edges import FREE, GIVEN, Edges, edge_rules, edge_tables
from opalux.solver.problem import Problem
from opalux.solver.scheme import Stepper
from opalux.solver.solution import Solution
from opalux.solver.start import fill_state
from opalux.solver.time_loop import Chunk, SolverFailure, TimeLoop

__all__ = ["Chunk", "March", "SolverFailure", "simulate", "time_loop"]

CHECK_STEPS = 64  # steps between two checks of the state, which cost a pass over it
CHUNK_CELLS = (
    2_000_000  # cell-steps in a chunk: then signals are given out and the state may be checked
)


class March(TimeLoop):
    """The time loop of explicit steps; see `TimeLoop`.

    Attributes
    ----------
    step, n_steps : steps taken and to take
    stepper : the kernels of the scheme, set up for this medium
    """

    def __init__(self, problem: Problem, domain: Domain, density: np.ndarray | None = None) -> None:
        if problem.time.method != "explicit":
            raise InputError(
                f"time.method: found '{problem.time.method}' where only explicit steps can be "
                "taken, as in campaigns and inversion; leave it out"
            )
        super().__init__(problem, domain, density)
        self._checked = 0
        self.stepper = self._make_stepper()

    def restart(self, edges: Edges) -> None:
        """Go back to t = 0 with other edges, on the same medium.

        The medium is not set up and checked again, which for short runs on small grids is most of
        the cost besides the steps. The bits are those of a new `March`.

        Raises
        ------
        ValueError
            When other edges are periodic than before: the ghost cells of ρ depend on them.
        """
        if edges.periodic != self.problem.edges.periodic:
            raise ValueError(
                f"restart: found edges periodic along (x, y) {edges.periodic}, expected "
                f"{self.problem.edges.periodic} as before; make a new March"
            )
        self.problem = self.problem.model_copy(update={"edges": edges})
        self.rules = edge_rules(edges, self.domain.block)
        self.step = self._checked = 0
        fill_state(self.problem, self.domain)
        if self.problem.variant.keeps_edges:
            self.stepper = self._make_stepper()

    def _make_stepper(self) -> Stepper:
        return self.problem.variant.make(self.problem, self.domain, self.rho, self.dt, self.rules)

    @property
    def fields(self) -> np.ndarray:
        """E, Fx, Fy, T (4, ny, nx) in this process's cells at ``t``; all processes ask at once."""
        return self.stepper.fields(self.domain.state, self.t, self.rules)

    @property
    def t(self) -> float:
        """Time of the state [sh]."""
        return float(self.times[self.step]) if self.step < self.n_steps else self.t_final

    @property
    def scratch(self) -> Any:
        """The stepper's arrays."""
        return list(vars(self.stepper).values())

    def restore(self, step: int) -> None:
        """Continue before step ``step``; the caller has already put that state into the domain.

        Ghost cells are not part of a checkpoint. They are filled again in every step. The exception
        is the ghost temperature, which a published source sees one step late.
        """
        self.step = self._checked = step
        if step == 0:
            return
        block, state = self.domain.block, self.domain.state
        tables = edge_tables(self.problem.edges, block, self.rules, self.times[step - 1 : step])
        places = {
            "up": (np.s_[-1, 1:-1], np.s_[-2, 1:-1]),
            "down": (np.s_[0, 1:-1], np.s_[1, 1:-1]),
            "left": (np.s_[1:-1, 0], np.s_[1:-1, 1]),
            "right": (np.s_[1:-1, -1], np.s_[1:-1, -2]),
        }
        T = state[3]
        for rule, (name, (ghost, inside)) in zip(self.rules[:, 3], places.items(), strict=True):
            if rule == FREE:
                T[ghost] = T[inside]
            elif rule == GIVEN:
                T[ghost] = getattr(tables, name)[0, 3]

    def run(self, pauses: Iterable[int] = ()) -> Iterator[Chunk]:
        """Advance to the final time, a chunk of steps at a time; see `TimeLoop.run`."""
        block, domain = self.domain.block, self.domain
        cells = block.grid.nx * block.grid.ny // domain.size  # the same on all processes
        length = max(1, min(512, CHUNK_CELLS // cells))
        sizes = {name: block.nx if along(name) == "x" else block.ny for name in EDGES}
        ends = np.array(sorted({*pauses, self.n_steps}))
        self._watch.look_at_start(self.problem.edges, domain.state, self.times)
        self._agree("")
        while self.step < self.n_steps:
            end = int(ends[np.searchsorted(ends, self.step, side="right")])
            times = self.times[self.step : min(self.step + length, end)]
            tables = edge_tables(self.problem.edges, block, self.rules, times)
            self._watch.look_at_edges(domain.state, tables, self.rules, times)
            given = (tables.up, tables.down, tables.left, tables.right)
            signals = tuple(
                np.empty((len(times), 4, sizes[name] if block.touches[name] else 0))
                for name in EDGES
            )
            exchanges = domain.size > 1 and not self.problem.variant.exchanges
            rows = self.readings.empty(len(times)) if self.readings else None
            if rows is None and not exchanges:
                self.stepper.advance(domain.state, times, self.rules, given, domain.wraps, signals)
            else:
                for n in range(len(times)):
                    if self.readings and rows is not None:
                        self.readings.note(domain.state, rows[n])
                    if exchanges:
                        domain.exchange()
                    one = slice(n, n + 1)
                    self.stepper.advance(
                        domain.state,
                        times[one],
                        self.rules,
                        tuple(table[one] for table in given),
                        domain.wraps,
                        tuple(signal[one] for signal in signals),
                    )
            noted = None
            if self.readings and rows is not None:
                self.readings.note(domain.state, rows[-1])
                noted = self.readings.noted(rows, times)
            first, self.step = self.step, self.step + len(times)
            if self.step == end or self.step - self._checked >= CHECK_STEPS:
                self.check()
            yield Chunk(first, self.step, times, dict(zip(EDGES, signals, strict=True)), noted)

    def check(self) -> None:
        """Look at the state and the medium in it; see `TimeLoop.check`."""
        when = f"after step {self.step} of {self.n_steps} (t = {self.t:.6g} sh)"
        since = self.times[min(self._checked, self.step - 1) : self.step]
        fault = self._watch.fault(self.domain.state, since, when)
        self._checked = self.step
        self._agree(fault)


def time_loop(problem: Problem, domain: Domain, density: np.ndarray | None = None) -> TimeLoop:
    """Return the time loop that a problem asks for, at t = 0; see `TimeLoop`."""
    if problem.time.method == "explicit":
        return March(problem, domain, density)
    from opalux.solver.implicit.march import ImplicitMarch  # not every run needs what it imports
    from opalux.solver.implicit.steady import SteadyMarch

    loop = ImplicitMarch if problem.time.method == "implicit" else SteadyMarch
    return loop(problem, domain, density)


def simulate(problem: Problem, density: np.ndarray | None = None) -> Solution:
    """Solve a problem in this process; see `Solution` and `TimeLoop` for shapes and errors."""
    march = time_loop(problem, SerialDomain(problem), density)
    chunks = list(march.run())
    noted = [chunk.noted for chunk in chunks if chunk.noted]
    return Solution(
        times=march.times,
        signals={name: np.concatenate([c.signals[name] for c in chunks]) for name in EDGES},
        fields=march.fields.copy(),
        t_final=march.t_final,
        rho=march.rho[1:-1, 1:-1].copy(),
        grid=problem.cells,
        scheme=problem.scheme,
        at=problem.signals.at,
        detectors=march.readings.signals(noted) if march.readings else None,
    )
