"""The consistent scheme at first order: the exchange with matter, then transport.

Finite volumes that keep the diffusion limit. For the face between cells k and l (from left to
right or from bottom to top), at distance h, with F the component along that direction, w = √k:

    s = σ_k + σ_l at T_f, see `formulas.pairs`
    m = (2w/h) / (4w/h + s)                                  m = M/2,  M = 2 / (2 + h σ_kl / w)
    Φ = m (F_k + F_l − w (E_l − E_k))                        energy that passes the face
    2 m F_k − Φ,   2 m F_l − Φ                               pull on F of cell k, and of cell l
    m s = 2w/h (1 − 2 m)                                     = M σ_kl, relaxation

and with m, m′ and Φ, Φ′ of the two faces of a cell along an axis,

    E⁺ = E − c Δt (ΔΦ_x/Δx + ΔΦ_y/Δy)
    F⁺ = (F − w c Δt/h (2 (m + m′) F − (Φ + Φ′))) r / (r + m s + m′ s′),  r = 2/(c Δt)

For h σ → 0 this is upwinding of ∂t E + c ∂x F = 0, ∂t F + k c ∂x E = −c σ F; for h σ → ∞ it is the
diffusion equation with D = k c / σ at a fixed mesh, without odd-even decoupling.

Sources: the AP scheme of the slides (R. Ngueguin, "Reconstruction de la densité d'un domaine par un
V-Net", 2020/21), with the relaxation taken per axis.
"""

import numpy as np

from opalux.solver.domains.domain import Domain
from opalux.solver.edges import EXCHANGED, MARK, MARSHAK
from opalux.solver.formulas.formula import Formula
from opalux.solver.problem import Problem
from opalux.solver.schemes.consistent_faces import E
from opalux.solver.schemes.consistent_step import LEFT, RIGHT, advance
from opalux.solver.schemes.coupling import ROWS, SETTLED
from opalux.solver.schemes.emission import volume_source
from opalux.solver.schemes.opacities import cell_opacity, pair_opacity, registers_of
from opalux.solver.schemes.strips import PIECE, strip_rows


class Stepper:
    """The consistent scheme at first order on one process's share of the grid.

    Parameters
    ----------
    problem, domain : what is solved, and the cells it is solved on
    rho : (ny + 2, nx + 2) density [g/cm³], ghosts included
    dt : time step [sh]
    rules : (4 edges, 4 fields) how the edges are filled
    """

    def __init__(
        self, problem: Problem, domain: Domain, rho: np.ndarray, dt: float, rules: np.ndarray
    ) -> None:
        material, constants, block = problem.material, problem.constants, domain.block
        grid = block.grid
        dtype = np.dtype(problem.dtype)
        capacity = problem.heat_capacity
        width = block.nx + 2
        height = strip_rows(block.ny + 1, width)
        cells = height * width
        self._rho, self._x, self._y = rho, block.x, block.y
        # Scalars of the cells' own type: a float64 would turn float32 arithmetic into its own.
        c, a, settled = constants.c, constants.a, SETTLED[problem.dtype]
        physics = (dt, c, a, capacity or 1.0, settled, 2 / (c * dt))
        self._physics = tuple(dtype.type(value) for value in physics)
        self._spacing = dtype.type(grid.dx), dtype.type(grid.dy)
        self._w = dtype.type(problem.wave_speed)
        varying = Formula(material.heat_capacity, ("rho", "T")) if capacity is None else None
        sigma_a, sigma_c = (Formula(f, ("rho", "T")) for f in (material.sigma_a, material.sigma_c))
        absorption, factor = cell_opacity(sigma_a, rho, PIECE)
        self._formulas = (
            absorption,
            factor.reshape(-1),
            registers_of(varying, PIECE, problem.dtype),
            registers_of(volume_source(problem), width, problem.dtype),
        )
        self._at_edge = problem.signals.at == "edge"
        self._pair = pair_opacity(sigma_c, rho, PIECE)
        row = np.ones(width, dtype)
        row[0] = rules[LEFT, 0] == EXCHANGED
        row[-1] = rules[RIGHT, 0] == EXCHANGED
        ghost_row = np.ones(width, dtype)
        ghost_row[[0, -1]] = 0
        self._work = (
            np.empty((ROWS, PIECE), dtype),
            np.empty(cells, dtype),
            np.empty((2, cells), dtype),
            np.empty((2, cells + width), dtype),
            np.tile(row, height),
            ghost_row,
            resistances(rules, problem.wave_speed).astype(dtype),
        )

    def fields(self, state: np.ndarray, t: float, rules: np.ndarray) -> np.ndarray:
        """Return the cells of ``state``: it is in their centres, and at ``t``."""
        return state[:, 1:-1, 1:-1]

    def advance(
        self,
        state: np.ndarray,
        times: np.ndarray,
        rules: np.ndarray,
        given: tuple[np.ndarray, ...],
        wraps: tuple[bool, bool],
        signals: tuple[np.ndarray, ...],
    ) -> None:
        """Take one step for each of ``times``; see `advance`."""
        advance(
            state, self._rho, self._spacing, self._w, self._physics, self._formulas, self._pair,
            self._x, self._y, times, rules, given, wraps, signals,
            self._at_edge, self._work,
        )  # fmt: skip


def resistances(rules: np.ndarray, w: float) -> np.ndarray:
    """Return w β + 1 of the four edges, 0 where an edge is no vacuum; see `open_face`."""
    return np.select([rules[:, E] == MARK, rules[:, E] == MARSHAK], [2.0, 2 * w + 1], 0.0)
