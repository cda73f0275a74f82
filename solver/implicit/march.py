"""The time loop of implicit steps: lengths by their error, records interpolated inside steps."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from opalux.solver.domains.domain import Domain
from opalux.solver.edges import edge_tables
from opalux.solver.implicit.back_end import back_end
from opalux.solver.implicit.newton import Diverged, Newton
from opalux.solver.implicit.runge_kutta import RungeKutta
from opalux.solver.implicit.sight import Sight
from opalux.solver.implicit.steps import next_step, on_notch, towards
from opalux.solver.problem import Problem
from opalux.solver.schemes.emission import volume_source
from opalux.solver.time_loop import Chunk, SolverFailure, TimeLoop

SETTLED = 0.05  # share of a step's error that Newton's method may leave
SHORTEST = 1e-6  # share of the explicit step below which a run is given up
CHECK_STEPS = 8  # steps between two checks of the state
HARD = 20  # attempts without a solution that are worth a word, if they are a quarter of all


class ImplicitMarch(TimeLoop):
    """The time loop of implicit steps; see `TimeLoop`.

    Attributes
    ----------
    steps, rejected : steps taken, and attempts that were too long
    """

    def __init__(self, problem: Problem, domain: Domain, density: np.ndarray | None = None) -> None:
        super().__init__(problem, domain, density)
        time, grid = problem.time, problem.cells
        self.solver = back_end(problem, domain, self.rules)
        self._newton = Newton(
            problem, domain, self.rho, self.rules, self.solver, SETTLED * time.allowed_error
        )
        order = time.accuracy if time.method == "implicit" else 1
        self._method = RungeKutta(
            self._newton, order, domain.state, self.rho, volume_source(problem), domain.block
        )
        self._sight = Sight(problem, domain, self.readings)
        self._light = min(grid.dx, grid.dy) / problem.constants.c
        first = time.step or time.cfl * self._light
        self._t = self._looked = 0.0
        shortest = 2 * SHORTEST * self._light
        self._first = self._next = on_notch(max(first, shortest)) if time.adaptive else first
        self.steps = self.rejected = self._unsolved = self._since_check = 0
        self._last, self._middle = "", self._sight.look()

    @property
    def t(self) -> float:
        """Time of the state [sh]."""
        return self._t

    @property
    def fields(self) -> np.ndarray:
        """E, Fx, Fy, T (4, ny, nx); F as the mean of two faces. See `TimeLoop.fields`."""
        state = self.domain.state
        inner = state[:, 1:-1, 1:-1].copy()
        inner[1] = 0.5 * (state[1, 1:-1, :-2] + state[1, 1:-1, 1:-1])
        inner[2] = 0.5 * (state[2, :-2, 1:-1] + state[2, 1:-1, 1:-1])
        return inner

    @property
    def scratch(self) -> Any:
        """The arrays of the method and of the solver."""
        return [self._newton.scratch, self._method.scratch]

    @property
    def taken(self) -> int:
        """Steps taken so far."""
        return self.steps

    @property
    def note(self) -> str:
        """Time, length of the next step, iterations a step."""
        effort, steps = self._newton.effort, max(1, self.steps)
        return (
            f"t = {self._t:.4g} sh, step {self.steps} of {self._next:.3g} sh, "
            f"{effort.newton / steps:.3g} Newton and {effort.linear / steps:.3g} linear iterations "
            "each"
        )

    @property
    def report(self) -> dict[str, Any]:
        """Steps, iterations, and what solved the linear systems."""
        effort = self._newton.effort
        return {
            "implicit": {
                "steps": self.steps,
                "rejected": self.rejected,
                "last_rejection": self._last,
                "newton_iterations": effort.newton,
                "linear_iterations": effort.linear,
                "linear_solver": self.solver.name,
            }
        }

    @property
    def kept(self) -> dict[str, np.ndarray]:
        """The state, and the rates that the error of the next step needs."""
        E_rate, T_rate = self._method.slopes
        return super().kept | {"E_rate": E_rate, "T_rate": T_rate}

    @property
    def clock(self) -> dict[str, float]:
        """Time and length of the next step, and the counters."""
        effort = self._newton.effort
        return {
            "t": self._t,
            "next_step": self._next,
            "rates_known": float(self._method.known),
            "steps": self.steps,
            "rejected": self.rejected,
            "newton_iterations": effort.newton,
            "linear_iterations": effort.linear,
        }

    def set_clock(self, kept: Mapping[str, float]) -> None:
        """Put the numbers of `clock` back."""
        self._t, self._next = kept["t"], kept["next_step"]
        self._method.known = bool(kept["rates_known"])
        self.steps, self.rejected = int(kept["steps"]), int(kept["rejected"])
        self._newton.effort.newton = int(kept["newton_iterations"])
        self._newton.effort.linear = int(kept["linear_iterations"])

    def restore(self, step: int) -> None:
        """Continue before record ``step``; see `TimeLoop.restore`."""
        self.step, self._looked = step, self._t

    def run(self, pauses: Iterable[int] = ()) -> Iterator[Chunk]:
        """Advance to the final time, a chunk a step; see `TimeLoop.run`."""
        stops = {*(float(self.times[p]) for p in pauses if p < self.n_steps), self.t_final}
        self._look_at_start()
        seen = self._sight.look()
        while self._t < self.t_final:
            target = min(stop for stop in stops if stop > self._t)
            t = self._t
            h, middle = self._take(t, target)
            self._t = target if h == target - t else t + h
            end = self._t == self.t_final
            later = self._sight.look()
            first = self.step
            self.step = (
                self.n_steps if end else int(np.searchsorted(self.times, self._t, side="left"))
            )
            times = self.times[first : self.step]
            share = np.clip((times - t) / h, 0.0, 1.0)
            chunk = self._sight.between(self._method, first, times, share, [seen, middle, later])
            seen = later
            self._since_check += 1
            if self._t == target or self._since_check >= CHECK_STEPS:
                self.check()
            yield chunk

    def _look_at_start(self) -> None:
        ends = np.array([self._t, self.t_final])
        self._watch.look_at_start(self.problem.edges, self.domain.state, ends)
        self._agree("")

    def _take(self, t: float, target: float) -> tuple[float, Any]:
        """Take a step from t towards ``target``; return its length and what its stage has seen."""
        time, method = self.problem.time, self._method
        while True:
            h = towards(target - t, self._next)
            self._refuse_tiny(h)
            hardest = self._attempt(t, h)
            if not hardest:
                self._next = on_notch(h / 2) if time.adaptive else h / 2
                continue
            share = self._error(h) / time.allowed_error if time.adaptive else 0.0
            if share <= 1:
                break
            self._reject(f"at t = {t:.6g} sh: the error was {share:.3g} times what is allowed")
            shorter = next_step(h, share, method.order if method.known else 1, hardest)
            self._next = shorter if method.known else max(shorter, on_notch(self._light))
        method.accept(h)
        self.steps += 1
        if not time.adaptive:
            self._next = self._first
        elif h >= self._next:
            self._next = next_step(h, share, method.order, hardest)
        else:  # cut to meet a time, which says nothing against longer steps
            self._next = max(self._next, next_step(h, share, method.order, hardest))
        return h, self._middle

    def _attempt(self, t: float, h: float) -> int:
        """Take a step; return the iterations of its hardest stage, 0 where it found no solution."""
        try:
            hardest = self._method.first_stage(t, h)
            self._middle = self._sight.look()
            return max(hardest, self._method.second_stage(t, h))
        except Diverged as found:
            self._reject(f"at t = {t:.6g} sh, step {h:.3g} sh: {found}")
            self._unsolved += 1
            tried = self.steps + self.rejected
            if self._unsolved >= HARD and 4 * self._unsolved >= tried:
                self._watch.doubts.setdefault(
                    "time.solver",
                    f"time.solver: found no solution in {self._unsolved} of {tried} attempts at a "
                    f"step with {self.solver.name} ({found}): the run is slow, and may be less "
                    "exact than its tolerance; take another solver or preconditioner "
                    "(time.solver, time.petsc), or a shorter time.step",
                )
            return 0

    def _reject(self, why: str) -> None:
        self._last, self.rejected = why, self.rejected + 1
        self._method.reject()

    def _refuse_tiny(self, h: float) -> None:
        if h < SHORTEST * self._light:
            raise SolverFailure(
                f"time.method: found no step that succeeds, down to {h:.3g} sh ({self._last}); "
                "check material, source and edges, or raise time.tolerance"
            )

    def _error(self, h: float) -> float:
        """Return the error of the step just taken, as a share of Σ|E| or of ΣT."""
        if not self._method.known and h <= self._light:
            return (
                0.0  # what enters a cold medium first is all that is there: no share of it is small
            )
        off_E, size_E, off_T, size_T = self.domain.total(self._method.error(h))
        return float(max(off_E / size_E, off_T / size_T))

    def check(self) -> None:
        """Look at the state and the medium in it; see `TimeLoop.check`."""
        state, since = self.domain.state, np.array([self._looked, self._t])
        tables = edge_tables(self.problem.edges, self.domain.block, self.rules, since)
        self._watch.look_at_edges(state, tables, self.rules, since)
        fault = self._watch.fault(state, since, f"after {self.steps} steps (t = {self._t:.6g} sh)")
        self._looked, self._since_check = self._t, 0
        self._agree(fault)
