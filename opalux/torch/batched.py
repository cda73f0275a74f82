"""The signals of many densities at once, on a CPU or a GPU, with their derivatives.

Signals in float64 are those of `opalux.simulate` to 1e-12 of the largest.

*Derivatives* are those of autograd through time. The steps are taken in segments of m, and again,
segment by segment, on the way back: n steps keep

    4 n/m arrays (B, ny, nx) from segment to segment, and about 30 m within one,

so that m = (n/7.5)^½ needs the least, about 22 √n arrays. The exchange with matter is solved to
rounding then, as its derivative is that of the root (`coupling`).
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.solver.domains.domain import SerialDomain
from opalux.solver.edges import edge_rules, edge_tables
from opalux.solver.march import SolverFailure
from opalux.solver.problem import Problem
from opalux.solver.schemes.emission import volume_source
from opalux.solver.schemes.staggered import EXACT
from opalux.solver.schemes.staggered_edges import ARRIVE, DRIVEN
from opalux.solver.start import fill_state, time_steps
from opalux.torch.edges import centred
from opalux.torch.staggered import Medium, Staggered, State, on_tensors, scheme_of

Signals = dict[str, Tensor]


class BatchedSolver:
    """The signals of a problem, or of problems that differ in what their edges prescribe.

    Parameters
    ----------
    problem : with ``scheme: staggered``; its density is not used. One for all densities, or one for
        each
    device : ``cpu``, ``cuda``, ``cuda:1``, …
    dtype : float64 or float32; None: that of the problem

    Attributes
    ----------
    times : (n,) time of each row of the signals [sh]

    Raises
    ------
    InputError
        When a problem has another scheme, or the problems differ in more than their edges.
    """

    def __init__(
        self,
        problem: Problem | Sequence[Problem],
        device: str | torch.device = "cpu",
        dtype: torch.dtype | None = None,
    ) -> None:
        self.problems = (problem,) if isinstance(problem, Problem) else tuple(problem)
        first = self.problem = self.problems[0]
        self._domain = SerialDomain(first)
        self._rules = edge_rules(first.edges, self._domain.block)
        _check(self.problems, self._rules, self._domain)
        self.device = torch.device(device)
        self.dtype = dtype or getattr(torch, first.dtype)
        _, self.times, self.t_final = time_steps(first)
        fill_state(first, self._domain)
        self._scheme = scheme_of(first, self._rules, self.dtype)
        source = volume_source(first)
        self._source = None if source is None else on_tensors(source)

    def simulate(self, rho: Tensor, segment: int | None = None) -> Signals:
        """Return the signals for some densities, as a differentiable function of them.

        Parameters
        ----------
        rho : (B, ny, nx) [g/cm³]
        segment : steps between two states that are kept for derivatives; None: those that need the
            least memory

        Returns
        -------
        per edge (B, n, 4, cells): E, Fx, Fy, T before each step, at ``problem.signals.at``

        Raises
        ------
        InputError
            When the densities do not fit the grid, or are not finite and > 0.
        SolverFailure
            When the state of a map is not finite at the end, or T < 0.
        """
        n = len(self.times)
        length = n
        if rho.requires_grad and torch.is_grad_enabled():
            length = segment or max(1, round(math.sqrt(n / 7.5)))
        chunks = list(self.march(rho, length))
        broken = (~sound(chunks[-1][-1])).nonzero().flatten().tolist()
        if broken:
            raise SolverFailure(
                f"map {broken[0]} of {len(rho)}: the solution is not finite, or T < 0; expected "
                "numbers, and T >= 0; lower time.cfl or check material, source and edges"
            )
        return {
            name: torch.cat([signals[side] for _, signals, _ in chunks], dim=1)
            for side, name in enumerate(EDGES)
        }

    def march(self, rho: Tensor, length: int) -> Iterator[tuple[int, tuple[Tensor, ...], State]]:
        """Take ``length`` steps at a time; yield the first one, the signals and the state after.

        The signals (B, steps, 4, cells) are in the order of `EDGES`.
        """
        rho = self._checked(rho)
        derivatives = rho.requires_grad and torch.is_grad_enabled()
        scheme = self._scheme
        if derivatives and self.dtype == torch.float64:
            exact = dataclasses.replace(scheme.matter, tolerance=EXACT)
            scheme = dataclasses.replace(scheme, matter=exact)
        medium, state = scheme.medium(rho), self._start(len(rho))
        for first in range(0, len(self.times), length):
            times = self.times[first : first + length]
            if derivatives:
                state, signals = checkpoint(
                    self._steps, scheme, state, medium, times,
                    use_reentrant=False, preserve_rng_state=False,
                )  # fmt: skip
            else:
                state, signals = self._steps(scheme, state, medium, times)
            yield first, signals, state

    def _steps(
        self, scheme: Staggered, state: State, medium: Medium, times: np.ndarray
    ) -> tuple[State, tuple[Tensor, ...]]:
        """Take some steps; return the state after them and the signals (B, steps, 4, cells)."""
        given, kept = self._given(times), []
        for n, t in enumerate(times.tolist()):
            now = tuple(table[:, n] for table in given)
            emitted = self._emitted(t + 0.5 * scheme.dt)
            state, signals = scheme.step(state, medium, t, now, emitted)
            kept.append(signals)
        return state, tuple(torch.stack(side, dim=1) for side in zip(*kept, strict=True))

    def fields(self, rho: Tensor, state: State) -> Tensor:
        """Return E, Fx, Fy, T (B, 4, ny, nx) in the cells at the end; F by half a step more."""
        scheme = self._scheme
        medium = scheme.medium(self._checked(rho))
        given = tuple(table[:, 0] for table in self._given(np.array([self.t_final]), late=0.0))
        Fy, Fx = (scheme.faces(axis, state, medium, ARRIVE, given) for axis in (0, 1))
        return self.cells(State(state.E, Fx, Fy, state.T))

    def cells(self, state: State) -> Tensor:
        """Return E, Fx, Fy, T (B, 4, ny, nx) in the cells, F half a step before E and T."""
        F = centred(state.Fx, -1), centred(state.Fy, -2)
        return torch.stack((state.E, *F, state.T), dim=1)

    def _emitted(self, t: float) -> Tensor | None:
        """Return the volume source S (ny, nx) at ``t``, None where there is none."""
        if self._source is None:
            return None
        block = self._domain.block
        x, y = (self._tensor(axis[1:-1]) for axis in (block.x, block.y))
        shape = (block.ny, block.nx)
        now = torch.full(shape, t, dtype=self.dtype, device=self.device)
        return self._source(x.expand(shape), y[:, None].expand(shape), now)

    def _start(self, batch: int) -> State:
        """Return the state at t = 0, on B maps."""
        E, Fx, Fy, T = self._tensor(self._domain.state)
        Fx, Fy = Fx[1:-1, :-1], Fy[:-1, 1:-1]
        along_x, along_y = self._domain.wraps
        if along_x:
            Fx = torch.cat((Fx[:, -1:], Fx[:, 1:]), 1)
        if along_y:
            Fy = torch.cat((Fy[-1:], Fy[1:]), 0)
        fields = (E[1:-1, 1:-1], Fx, Fy, T[1:-1, 1:-1])
        return State(*(field.expand(batch, *field.shape) for field in fields))

    def _given(self, times: np.ndarray, late: float = 0.5) -> tuple[Tensor, ...]:
        """Return what each edge prescribes at some times, (B or 1, steps, 4, cells).

        A flux that is prescribed is that of the time to which F is stepped, ``late`` steps on.
        """
        tables: list[list[np.ndarray]] = [[], [], [], []]
        kinds, shifted = self._scheme.kinds, times + late * self._scheme.dt
        for problem in self.problems:
            edges, block = problem.edges, self._domain.block
            now = later = edge_tables(edges, block, self._rules, times)
            if DRIVEN in kinds:
                later = edge_tables(edges, block, self._rules, shifted)
            for side, name in enumerate(EDGES):
                tables[side].append(getattr(later if kinds[side] == DRIVEN else now, name))
        return tuple(self._tensor(np.stack(table)) for table in tables)

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.as_tensor(array).to(self.device, self.dtype)

    def _checked(self, rho: Tensor) -> Tensor:
        """Return ρ in the solver's numbers, once it is one that can be simulated."""
        grid, batch = self.problem.cells, len(self.problems)
        fits = rho.ndim == 3 and tuple(rho.shape[1:]) == (grid.ny, grid.nx) and len(rho) > 0
        if not fits or batch not in (1, len(rho)):
            many = "B" if batch == 1 else str(batch)
            raise InputError(
                f"rho: found shape {tuple(rho.shape)}, expected ({many}, {grid.ny}, {grid.nx})"
            )
        good = torch.isfinite(rho) & (rho > 0)
        if not good.all():
            b, j, i = (~good).nonzero()[0].tolist()
            raise InputError(
                f"rho: found {rho[b, j, i].item():g} in map {b}, row {j} from the bottom, column "
                f"{i}; a density must be finite and > 0"
            )
        return rho.to(self.device, self.dtype)


def sound(state: State) -> Tensor:
    """Return for each map (B,) whether its state is finite with T >= 0."""
    finite = torch.stack([field.isfinite().flatten(1).all(1) for field in state]).all(0)
    return finite & (state.T >= 0).flatten(1).all(1)


def _check(problems: Sequence[Problem], rules: np.ndarray, domain: SerialDomain) -> None:
    """Refuse other schemes, and problems that cannot be one batch."""
    for number, problem in enumerate(problems):
        if problem.scheme != "staggered":
            raise InputError(
                f"scheme: found {problem.scheme}, expected staggered, which alone is written for "
                "torch; set 'scheme: staggered'"
            )
        alike = problem.model_copy(update={"edges": problems[0].edges}) == problems[0]
        if not alike or not np.array_equal(edge_rules(problem.edges, domain.block), rules):
            raise InputError(
                f"problems: found one (number {number}) that differs from the first in more than "
                "the values on its edges, expected one kind of problem; make a solver for each"
            )
