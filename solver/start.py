"""The start of a run: its time steps, and the density and the state on a domain, all checked."""

import numpy as np

from opalux.base.agreement import on_all
from opalux.base.errors import InputError
from opalux.solver.checks import MaterialCheck, check_density
from opalux.solver.domains.domain import Domain
from opalux.solver.finite import check_edges, check_source
from opalux.solver.formulas.formula import Formula
from opalux.solver.grid import Block, bands
from opalux.solver.media import ArrayDensity, ValuesDensity, cut_block
from opalux.solver.problem import Problem
from opalux.solver.schemes.ghosts import wrap


def time_steps(problem: Problem) -> tuple[float, np.ndarray, float]:
    """Return Δt, the time before each step (n,) and the final time [sh].

    Implicit runs choose their steps as they go: theirs are those from record to record.
    """
    time = problem.time
    if time.method != "explicit":
        records = time.recorded
        return time.final / len(records), records, time.final
    return problem.method.time_steps(problem.cells, time.cfl, time.final, problem.constants.c)


def block_density(problem: Problem, block: Block, density: np.ndarray | None = None) -> np.ndarray:
    """Return ρ on a block with its ghosts, (ny + 2, nx + 2) [g/cm³].

    ``density`` (ny, nx) of the whole grid, row 0 = bottom, replaces the problem's own.
    The scheme says what the density is in the ghosts outside the domain.

    Raises
    ------
    InputError
        When a density is not positive and finite, or does not fit the grid.
    """
    if density is None:
        rho = problem.material.density.on(block)
        is_array = isinstance(problem.material.density, ArrayDensity | ValuesDensity)
    else:
        rho = cut_block(density, block, "density")
        is_array = True
    check_density(rho[1:-1, 1:-1])
    at = block.touches
    fill = problem.method.fills_ghost_density
    if not fill and not is_array:
        return rho
    for name, ghost, inside in (("up", -1, -2), ("down", 0, 1)):
        if at[name]:
            rho[ghost] = rho[inside] if fill else 0.0
    for name, ghost, inside in (("left", 0, 1), ("right", -1, -2)):
        if at[name]:
            rho[:, ghost] = rho[:, inside] if fill else 0.0
    return rho


def domain_density(problem: Problem, domain: Domain, density: np.ndarray | None) -> np.ndarray:
    """Return ρ like `block_density`; where the grid is periodic, ghosts hold the other side.

    All processes raise when the density of one of them is not valid.
    """
    rho = on_all(
        domain.gather, domain.broadcast, lambda: block_density(problem, domain.block, density)
    )
    if not any(problem.edges.periodic):
        return rho
    state = domain.state
    state[0] = rho
    domain.exchange()
    wrap(state, *domain.wraps)
    inner = np.zeros_like(rho, dtype=bool)
    inner[1:-1, :] = problem.edges.periodic[0]
    inner[:, 1:-1] |= problem.edges.periodic[1]
    return np.where(inner, state[0], rho)


def fill_state(problem: Problem, domain: Domain) -> None:
    """Fill the domain's state, ghosts included, from the initial formulas."""
    block, initial, grid = domain.block, problem.initial, problem.cells
    texts = (initial.E, initial.Fx, initial.Fy, initial.T)
    half = 0.5 if problem.variant.on_faces else 0.0
    shifts = ((0.0, 0.0), (half * grid.dx, 0.0), (0.0, half * grid.dy), (0.0, 0.0))
    for field, text, (along_x, along_y) in zip(domain.state, texts, shifts, strict=True):
        formula = Formula(text, ("x", "y", "t_0"))
        if formula.constant is not None:
            field[...] = formula.constant
            continue
        for rows in bands(*field.shape):
            field[rows] = formula(
                x=block.x[None, :] + along_x,
                y=block.y[rows, None] + along_y,
                t_0=problem.time.start,
            )


def check_start(problem: Problem, domain: Domain, rho: np.ndarray) -> None:
    """Refuse edges, sources, an initial state, and a medium of density ``rho``, that are not valid.

    Raises
    ------
    InputError
        When an edge, the source or a field is not finite, E or T is not positive, an opacity is
        negative, or the heat capacity is not positive.
    """
    times = time_steps(problem)[1]
    check_edges(problem.edges, problem.cells, times)
    check_source(problem.source, domain.block, times)
    E, Fx, Fy, T = domain.state[:, 1:-1, 1:-1]
    for name, field in (("E", E), ("T", T)):
        if not all(
            (np.isfinite(field[rows]) & (field[rows] > 0)).all() for rows in bands(*field.shape)
        ):
            raise InputError(
                f"initial.{name}: found values down to {np.min(field)}, expected finite and > 0"
            )
    if not all(
        np.isfinite(field[rows]).all() for field in (Fx, Fy) for rows in bands(*field.shape)
    ):
        raise InputError("initial.Fx, initial.Fy: found values that are not finite")
    inner, material = rho[1:-1, 1:-1], MaterialCheck(problem.material)
    for rows in bands(*T.shape):
        fault, _ = material.look(inner[rows], T[rows])
        if fault:
            raise InputError(f"{fault.found} at the start; expected {fault.expected}")
