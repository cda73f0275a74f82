"""The steps of the staggered scheme in torch operations, for many densities at once.

The equations are those of `opalux.solver.schemes.staggered`, and every operation on a number is
done as its kernels do it. Tensors are (B, y, x) without ghost cells; Fx (B, ny, nx + 1) and Fy
(B, ny + 1, nx) lie on the faces, all of them.
"""

import dataclasses
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from opalux.solver.formulas.formula import Formula
from opalux.solver.formulas.pairs import VARIABLES, pair_tree
from opalux.solver.problem import Problem
from opalux.solver.schemes.coupling import SETTLED
from opalux.solver.schemes.staggered_edges import CENTRED, INNER, START, edge_kinds
from opalux.solver.start import time_steps
from opalux.torch.coupling import Matter, exchange
from opalux.torch.edges import FIRST, SECOND, edge_flux, outside, seen
from opalux.torch.formulas import TorchFormula

UP, DOWN, LEFT, RIGHT = range(4)
SIDES = ((DOWN, UP), (LEFT, RIGHT))
"""The low and the high edge along y, along x."""

Given = tuple[Tensor, ...]
"""What each edge prescribes at one time, (B or 1, 4, cells)."""


class State(NamedTuple):
    """E, T (B, ny, nx); Fx (B, ny, nx + 1); Fy (B, ny + 1, nx), half a step late but at t = 0."""

    E: Tensor
    Fx: Tensor
    Fy: Tensor
    T: Tensor


class Medium(NamedTuple):
    """ρ in the cells, with a layer of ghosts along y, and along x."""

    rho: Tensor
    along_y: Tensor
    along_x: Tensor


@dataclasses.dataclass(frozen=True)
class Staggered:
    """The scheme for one kind of problem.

    Attributes
    ----------
    dt, c, w : time step [sh]; speed of light [cm/sh]; √k
    h : height and width of a cell [cm]
    pair : σ_c(ρ_k, T_f) + σ_c(ρ_l, T_f) of a face [1/cm]; see `opalux.solver.formulas.pairs`
    matter : the exchange with matter
    kinds, betas : what the edges do with the flux on them; see `staggered_edges`
    rules : how the cells outside an edge are filled, (4 edges, 4 fields)
    wraps : whether x and y are periodic
    at_edge : whether signals are those on the edge itself
    """

    dt: float
    c: float
    w: float
    h: tuple[float, float]
    pair: TorchFormula
    matter: Matter
    kinds: tuple[int, ...]
    betas: tuple[float, ...]
    rules: list[list[int]]
    wraps: tuple[bool, bool]
    at_edge: bool

    def medium(self, rho: Tensor) -> Medium:
        """Return densities (B, ny, nx) with their ghosts."""
        return Medium(rho, self._wide(rho, 0), self._wide(rho, 1))

    def step(
        self, state: State, medium: Medium, t: float, given: Given, emitted: Tensor | None
    ) -> tuple[State, tuple[Tensor, ...]]:
        """Take one step; return the state after it and the signals (B, 4, cells) before it.

        Parameters
        ----------
        t : time before the step [sh]
        emitted : S (ny, nx) in the middle of the step, if there is a volume source
        """
        theta = START if t == 0.0 else CENTRED
        Fy, Fx = (self.faces(axis, state, medium, theta, given) for axis in (0, 1))
        nu_y, nu_x = (self.c * self.dt / h for h in self.h)
        brought = -(nu_x * Fx.diff(dim=-1) + nu_y * Fy.diff(dim=-2))
        if emitted is not None:
            brought = brought + self.dt * emitted
        # F at t_n is the mean of half a step before and half a step after it.
        now = (
            state
            if t == 0.0
            else state._replace(Fx=0.5 * state.Fx + 0.5 * Fx, Fy=0.5 * state.Fy + 0.5 * Fy)
        )
        signals = tuple(seen(side, *now, self.at_edge) for side in range(4))
        E, T = exchange(state.E, state.T, brought, medium.rho, self.matter)
        return State(E, Fx, Fy, T), signals

    def faces(self, axis: int, state: State, medium: Medium, theta: float, given: Given) -> Tensor:
        """Return the fluxes on the faces across y (axis 0) or x (axis 1) after a step.

        ``theta`` is that of the edges: CENTRED, or it is half a step (`staggered_edges`).
        """
        sides, dim, h = SIDES[axis], axis - 2, self.h[axis]
        F, rho = ((state.Fy, medium.along_y), (state.Fx, medium.along_x))[axis]
        E, T = self._filled(axis, state.E, state.T, given)
        n, c_dt = F.shape[dim], self.c * self.dt * (1.0 if theta == CENTRED else 0.5)
        q = self.w * self.w * c_dt / h
        rho_k, E_k, T_k = (array.narrow(dim, 0, n) for array in (rho, E, T))
        rho_l, E_l, T_l = (array.narrow(dim, 1, n) for array in (rho, E, T))
        low, high = T_k * T_k, T_l * T_l
        s = self.pair(rho_k, (0.5 * (low * low + high * high)).sqrt().sqrt(), rho_l)
        s = s.expand_as(F)
        z = 0.5 * c_dt * s
        linear = 0.5 * z + 1
        new = (F - linear * (q * (E_l - E_k))) / (linear + 0.5 * z * (z + 1))
        for side in sides:
            if self.kinds[side] == INNER:
                continue
            first, second = FIRST[side], SECOND[side]
            on_edge = edge_flux(
                side, self.kinds[side], self.betas[side], F.select(dim, first),
                F.select(dim, second), new.select(dim, second), state.E.select(dim, first),
                E.select(dim, first), given[side], 0.5 * s.select(dim, first), c_dt, h, self.w,
                theta,
            ).unsqueeze(dim)  # fmt: skip
            rest = new.narrow(dim, 1 if first == 0 else 0, n - 1)
            new = torch.cat((on_edge, rest) if first == 0 else (rest, on_edge), dim)
        return new

    def _filled(self, axis: int, E: Tensor, T: Tensor, given: Given) -> tuple[Tensor, Tensor]:
        """Return E and T with a layer of ghosts at both ends of an axis."""
        dim = axis - 2
        if self.wraps[1 - axis]:
            return _wrapped(E, dim), _wrapped(T, dim)
        ghosts = [
            outside(
                self.rules[side], E.select(dim, FIRST[side]), T.select(dim, FIRST[side]),
                given[side], self.matter.a,
            )
            for side in SIDES[axis]
        ]  # fmt: skip
        (E_low, T_low), (E_high, T_high) = ([f.unsqueeze(dim) for f in pair] for pair in ghosts)
        return torch.cat((E_low, E, E_high), dim), torch.cat((T_low, T, T_high), dim)

    def _wide(self, rho: Tensor, axis: int) -> Tensor:
        """Return ρ with a layer of ghosts: the other side, or the cell beside them."""
        dim = axis - 2
        if self.wraps[1 - axis]:
            return _wrapped(rho, dim)
        n = rho.shape[dim]
        return torch.cat((rho.narrow(dim, 0, 1), rho, rho.narrow(dim, n - 1, 1)), dim)


def _wrapped(array: Tensor, dim: int) -> Tensor:
    """Return an array with a layer of the other side at both ends."""
    n = array.shape[dim]
    return torch.cat((array.narrow(dim, n - 1, 1), array, array.narrow(dim, 0, 1)), dim)


def on_tensors(formula: Formula) -> TorchFormula:
    """Return a formula that takes tensors."""
    return TorchFormula(formula.tree, formula.variables)


def scheme_of(problem: Problem, rules: np.ndarray, dtype: torch.dtype) -> Staggered:
    """Return the scheme for a problem."""
    material, capacity, grid = problem.material, problem.heat_capacity, problem.cells
    dt = time_steps(problem)[0]
    sigma_a, sigma_c, heat = (
        Formula(text, ("rho", "T"))
        for text in (material.sigma_a, material.sigma_c, material.heat_capacity)
    )
    kinds, betas = edge_kinds(rules, problem.wave_speed)
    return Staggered(
        dt=dt,
        c=problem.constants.c,
        w=problem.wave_speed,
        h=(grid.dy, grid.dx),
        pair=TorchFormula(pair_tree(sigma_c), VARIABLES),
        matter=Matter(
            sigma_a=on_tensors(sigma_a),
            heat=on_tensors(heat) if capacity is None else None,
            C_v=1.0 if capacity is None else capacity,
            a=problem.constants.a,
            c_dt=problem.constants.c * dt,
            tolerance=SETTLED[str(dtype).removeprefix("torch.")],
        ),
        kinds=tuple(kinds.tolist()),
        betas=tuple(betas.tolist()),
        rules=rules.tolist(),
        wraps=problem.edges.periodic,
        at_edge=problem.signals.at == "edge",
    )
