"""The solution of a problem by transport: the time loop of discrete ordinates.

    (1/c) ∂t I + Ω·∇I + σ_c I = σ_a a T⁴ + (σ_c − σ_a) E + S/c,   ρ C_v ∂t T = c σ_a (E − a T⁴)

with E = ∫I dΩ/4π and F = ∫Ω I dΩ/4π. Its first two moments are the equations of P1, but for the
pressure ∫Ω⊗Ω I dΩ/4π, which P1 replaces by k E.
"""

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from opalux.base.axes import EDGES, along
from opalux.base.errors import InputError
from opalux.solver.domains.domain import SerialDomain
from opalux.solver.formulas.formula import Formula
from opalux.solver.march import March, SolverFailure
from opalux.solver.problem import Problem
from opalux.solver.schemes.coupling import SETTLED
from opalux.solver.schemes.coupling_stage import GAMMA
from opalux.solver.schemes.opacities import registers_of
from opalux.solver.solution import Solution
from opalux.solver.transport.collisions import step
from opalux.solver.transport.inflow import inflow, inflow_rules
from opalux.solver.transport.quadrature import LARGEST_ORDER, Quadrature, product_quadrature
from opalux.solver.transport.streaming import moments

CFL = 0.5  # of the fastest direction: the slopes of van Leer keep I positive up to here
CHUNK = 64  # steps between two checks
ARRAYS = 4  # of intensities that are held


class Reference:
    """Transport of one problem, S_N, all in this process.

    Parameters
    ----------
    problem : what to solve; k, the scheme of P1, its order, `time.cfl` and `dtype` change nothing
    order : N of S_N, even; N² directions

    Attributes
    ----------
    name : what it is called in tables
    n_steps, dt, t_final : steps, their length, and the final time [sh]

    Raises
    ------
    InputError
        When the problem is not one of transport, does not fit into memory, or has no valid start.
    """

    def __init__(self, problem: Problem, order: int) -> None:
        if order % 2 or not 2 <= order <= LARGEST_ORDER:
            raise InputError(f"S_N: found N = {order}, expected even, from 2 to {LARGEST_ORDER}")
        if problem.scheme == "published":
            raise InputError(
                "scheme: found 'published', whose ghost cells and opacities transport does not "
                "know; use 'scheme: consistent'"
            )
        self.problem, self.grid = problem, problem.cells
        self._rules = inflow_rules(problem.edges)
        self.name = f"transport, S{order}"
        grid, constants = self.grid, problem.constants
        fastest = constants.c * math.hypot(1 / grid.dx, 1 / grid.dy)
        self.t_final = problem.time.final
        self.n_steps = math.ceil(self.t_final * fastest / CFL)
        self.dt = self.t_final / self.n_steps
        check_memory(problem, order, self.n_steps)
        self._times = np.arange(self.n_steps) * self.dt
        self._quadrature = product_quadrature(order)
        # Density, state and material in the cells, checked, whatever scheme P1 is solved by.
        cells = problem.model_copy(update={"scheme": "consistent", "order": 1, "dtype": "float64"})
        start = March(cells, SerialDomain(cells))
        state = start.domain.state[:, 1:-1, 1:-1]
        self._rho = start.rho[1:-1, 1:-1].copy()
        self._T = state[3].copy()
        self._intensity = intensity_of(state, self._quadrature)
        # A table of everything that enters may be large: this only looks whether it is valid.
        inflow(problem.edges, grid, constants.a, np.append(self._times, self.t_final))
        self._check_scattering(0)

    def solve(self, advance: Callable[[int], None] = lambda _: None) -> Solution:
        """Return the solution, with the signals before each step; ``advance`` counts the steps.

        Raises
        ------
        SolverFailure
            When the state is no longer finite, or T or σ_c − σ_a negative.
        """
        problem, grid = self.problem, self.grid
        constants, material, block = problem.constants, problem.material, grid.whole
        capacity = problem.heat_capacity
        heat = Formula(material.heat_capacity, ("rho", "T")) if capacity is None else None
        formulas = (
            (*registers_of(Formula(material.sigma_a, ("rho", "T")), grid.nx), 0),
            registers_of(Formula(material.sigma_c, ("rho", "T")), grid.nx),
            registers_of(heat, grid.nx),
        )
        physics = (self.dt, constants.c, constants.a, capacity or 1.0, SETTLED["float64"])
        source = Formula(problem.source, ("x", "y", "t"))
        x, y = block.x[None, None, 1:-1], block.y[None, 1:-1, None]
        directions = (self._quadrature.x, self._quadrature.y, self._quadrature.weights)
        work = tuple(np.empty_like(self._intensity) for _ in range(ARRAYS - 1))
        signals = {
            name: np.empty((self.n_steps, 4, grid.nx if along(name) == "x" else grid.ny))
            for name in EDGES
        }
        emitted = np.zeros((2, grid.ny, grid.nx))
        for first in range(0, self.n_steps, CHUNK):
            times = self._times[first : first + CHUNK]
            now = inflow(problem.edges, grid, constants.a, times)
            later = inflow(problem.edges, grid, constants.a, times + GAMMA * self.dt)
            for n, t in enumerate(times):
                self._record(signals, first + n, directions)
                if source.constant != 0:
                    stages = np.array([t, t + GAMMA * self.dt])
                    emitted = source(x=x, y=y, t=stages[:, None, None])
                given = tuple(tuple(side[n] for side in sides) for sides in (now, later))
                step(
                    self._intensity, self._T, self._rho, directions, (grid.dx, grid.dy),
                    self._rules, given, emitted, physics, formulas, work,
                )  # fmt: skip
            self._check(first + len(times))
            advance(len(times))
        E_F = moments(self._intensity.reshape(*self._intensity.shape[:2], -1), directions)
        return Solution(
            times=self._times,
            signals=signals,
            fields=np.concatenate([E_F.reshape(3, grid.ny, grid.nx), self._T[None]]),
            t_final=self.t_final,
            rho=self._rho,
            grid=grid,
            scheme="transport",
        )

    def _record(
        self, signals: dict[str, np.ndarray], n: int, directions: tuple[np.ndarray, ...]
    ) -> None:
        sides: dict[str, tuple[Any, Any]] = {
            "up": (-1, np.s_[:]),
            "down": (0, np.s_[:]),
            "left": (np.s_[:], 0),
            "right": (np.s_[:], -1),
        }
        for name, (j, i) in sides.items():
            beside = np.ascontiguousarray(self._intensity[:, :, j, i])
            signals[name][n, :3] = moments(beside, directions)
            signals[name][n, 3] = self._T[j, i]

    def _check(self, steps: int) -> None:
        if not (np.isfinite(self._intensity).all() and (self._T >= 0).all()):
            raise SolverFailure(
                f"transport: found values that are not finite, or T < 0, after step {steps} of "
                f"{self.n_steps} (t = {steps * self.dt:.6g} sh); check opacities and edges"
            )
        self._check_scattering(steps)

    def _check_scattering(self, steps: int) -> None:
        material = self.problem.material
        absorbed, total = (
            Formula(text, ("rho", "T"))(rho=self._rho, T=self._T)
            for text in (material.sigma_a, material.sigma_c)
        )
        bad = total < absorbed * (1 - 1e-12)
        if bad.any():
            j, i = (int(k) for k in np.argwhere(bad)[0])
            raise InputError(
                f"material: found sigma_c = {total[j, i]:.6g} < sigma_a = {absorbed[j, i]:.6g} "
                f"where rho = {self._rho[j, i]:.6g} and T = {self._T[j, i]:.6g} at "
                f"t = {steps * self.dt:.6g} sh; sigma_c is the total opacity, and transport needs "
                "the scattering sigma_c - sigma_a to be at least 0"
            )


def intensity_of(state: np.ndarray, quadrature: Quadrature) -> np.ndarray:
    """Return I = E + 3 Ω·F (N²/4, 4, ny, nx) of a state (4, ny, nx): the light that P1 stands for.

    Raises
    ------
    InputError
        When it is negative in some direction.
    """
    E, Fx, Fy, _ = state
    if (3 * np.hypot(Fx, Fy) > E).any():
        raise InputError(
            "initial.Fx, initial.Fy: found |F| > E/3, expected less: transport starts from the "
            "light I = E + 3 Ω·F, which must not be negative in any direction"
        )
    x, y = quadrature.x[:, :, None, None], quadrature.y[:, :, None, None]
    return np.ascontiguousarray(E + 3 * (x * Fx + y * Fy))


def check_memory(problem: Problem, order: int, n_steps: int) -> None:
    """Refuse a problem whose intensities and signals do not fit into this machine's memory."""
    grid = problem.cells
    intensities = ARRAYS * order**2 * grid.nx * grid.ny
    signals = 4 * 2 * (grid.nx + grid.ny) * n_steps
    needed = 8 * (intensities + signals)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > memory:
        raise InputError(
            f"grid: found {grid.nx} x {grid.ny} cells, {order**2} directions and {n_steps} steps, "
            f"{needed / 2**30:.3g} GiB, but this machine has {memory / 2**30:.3g} GiB; coarsen the "
            "grid, lower time.final or take fewer directions"
        )
