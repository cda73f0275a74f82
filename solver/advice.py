"""What a mesh can resolve: told once, before a run, and only where something is to be told.

Damping and phase of a source's wave are those of `waves`; thick cells are counted at the start.
"""

import dataclasses
import math
from typing import Any

import numpy as np

from opalux.base.axes import EDGES, along
from opalux.solver.domains.domain import Domain
from opalux.solver.edges import Prescribed, Pulse
from opalux.solver.formulas.formula import Formula
from opalux.solver.grid import bands
from opalux.solver.problem import Problem
from opalux.solver.scheme_catalogue import SCHEMES
from opalux.solver.start import time_steps
from opalux.solver.time_loop import TimeLoop
from opalux.solver.waves import angle, frequency_of

KEPT = 0.9  # share of a wave that is worth a word when less is kept
LATE = 0.05  # periods that a wave may be off
FEWEST = 8  # cells a wavelength below which no scheme has it right
THICK = 1.0  # optical depth of half of the cells, from which on it is told
SEEN = math.log(100)  # what has fallen to 1 % is not followed any further
SAMPLED = 2**17  # times, at most, at which formulas and tables are looked at
COUNTED = 10**5  # cells, about, of which the median is taken
FASTEST = 1e100  # [1/sh]; what is estimated beyond it is rounding
MANY = 50_000  # explicit steps, which cost what a few hundred implicit ones do
PERIOD = 10_000  # explicit steps that cost what implicit ones of a period of a source do


@dataclasses.dataclass(frozen=True)
class Wave:
    """The fastest source's wave on this mesh.

    Attributes
    ----------
    edge : that it comes from
    frequency : [1/sh]
    estimated : from the samples of a formula or a table, not given
    cells : a wavelength
    path : how far it is followed: through the domain, or until the medium leaves 1 % of it [cm]
    kept : share of its amplitude that the scheme leaves over the path; None: not resolved
    late : periods by which it is late there; negative: early; None: not resolved
    """

    edge: str
    frequency: float
    estimated: bool
    cells: float
    path: float
    kept: float | None = None
    late: float | None = None


@dataclasses.dataclass(frozen=True)
class Advice:
    """What a mesh resolves.

    Attributes
    ----------
    depths : least, median and largest optical depth h σ_c of a cell at the start
    wave : of the fastest source; None where nothing oscillates
    lines : what is to be told, in words
    """

    depths: tuple[float, float, float]
    wave: Wave | None
    lines: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as run.json keeps it."""
        names = ("min", "median", "max")
        return {
            "cell_optical_depth": dict(zip(names, self.depths, strict=True)),
            "fastest_source": dataclasses.asdict(self.wave) if self.wave else None,
            "advice": list(self.lines),
        }


def advise(march: TimeLoop) -> Advice:
    """Return what the mesh of a run resolves; all processes call it at once, at t = 0."""
    problem = march.problem
    depths = _optical_depths(problem, march.domain, march.rho)
    explicit = problem.time.method == "explicit"  # implicit steps are as long as their error lets
    wave = fastest_wave(problem, depths[1]) if explicit else None
    lines = _said_of_wave(problem, wave, depths[1]) if wave else []
    if explicit:
        lines += _said_of_steps(problem, march.n_steps, wave)
    if depths[1] > THICK:
        lines.append(
            f"half of the cells are more than {depths[1]:.2g} mean free paths thick at the start "
            f"({depths[0]:.2g} to {depths[2]:.2g}): diffusion is right there, but fronts and "
            "layers of a mean free path at edges and jumps are as wide as a cell; finer cells "
            "resolve them"
        )
    return Advice(depths, wave, tuple(lines))


def fastest_wave(problem: Problem, depth: float = 0.0) -> Wave | None:
    """Return the wave of the fastest source, in a medium of the optical ``depth`` a cell."""
    grid, speed = problem.cells, problem.wave_speed * problem.constants.c
    found = None
    for edge in EDGES:
        low, high = getattr(grid, "y" if along(edge) == "x" else "x")
        h = grid.dy if along(edge) == "x" else grid.dx
        path = high - low
        if depth > 0:
            path = min(path, SEEN * problem.wave_speed * max(grid.dx, grid.dy) / depth)
        for frequency, estimated in _frequencies(problem, edge):
            if found is not None and frequency <= found.frequency:
                continue
            found = Wave(edge, frequency, estimated, speed / frequency / h, path)
            if found.cells < FEWEST:
                continue
            omega = 2 * math.pi * frequency
            theta = angle(problem, omega, h)
            found = dataclasses.replace(
                found,
                kept=math.exp(-path / h * max(0.0, theta.imag)),
                late=path / h * (theta.real - omega * h / speed) / (2 * math.pi),
            )
    return found


def _frequencies(problem: Problem, edge: str) -> list[tuple[float, bool]]:
    """Return the frequencies [1/sh] of what enters at an edge, and whether they are estimated."""
    kind = getattr(problem.edges, edge)
    steps = len(time_steps(problem)[1])
    t = np.linspace(0, problem.time.final, min(max(steps, 4096), SAMPLED))
    found = []
    if isinstance(kind, Prescribed):
        grid = problem.cells
        place = {"x": sum(grid.x) / 2, "y": sum(grid.y) / 2}
        for text in (kind.E, kind.Fy if along(edge) == "x" else kind.Fx):
            if text != "free":
                values = Formula(text, ("t", "x", "y"))(t=t, **place)
                found.append((frequency_of(t, np.broadcast_to(values, t.shape)), True))
    pulses: tuple[Pulse, ...] = getattr(kind, "sources", ())
    for pulse in pulses:
        if pulse.signal is not None or pulse.table is not None:
            found.append((frequency_of(t, pulse.values(t)), True))
        elif pulse.amplitude:
            found.append((abs(pulse.frequency), False))
    # What changes by a millionth of a period does not oscillate.
    slowest = 1e-6 / problem.time.final
    return [pair for pair in found if slowest < pair[0] < FASTEST]


def _optical_depths(
    problem: Problem, domain: Domain, rho: np.ndarray
) -> tuple[float, float, float]:
    """Return the least, the median and the largest h σ_c of a cell; of large grids a sample's."""
    block, T = domain.block, domain.state[3, 1:-1, 1:-1]
    grid = block.grid
    sigma_c = Formula(problem.material.sigma_c, ("rho", "T"))
    stride = max(1, math.isqrt(grid.nx * grid.ny // COUNTED))
    columns = (np.arange(block.nx) + block.i0) % stride == 0
    low, high, sample = math.inf, -math.inf, []
    for rows in bands(block.ny, block.nx):
        band = sigma_c(rho=rho[1:-1, 1:-1][rows], T=T[rows])
        sigma = np.broadcast_to(band, (rows.stop - rows.start, block.nx))
        low, high = min(low, float(sigma.min())), max(high, float(sigma.max()))
        chosen = (np.arange(rows.start, rows.stop) + block.j0) % stride == 0
        sample.append(sigma[chosen][:, columns].ravel())
    parts = domain.gather((low, high, np.concatenate(sample)))
    depths = None
    if parts is not None:
        lows, highs, samples = zip(*parts, strict=True)
        middle = float(np.median(np.concatenate(samples)))
        h = max(grid.dx, grid.dy)
        depths = h * min(lows), h * middle, h * max(highs)
    told: tuple[float, float, float] = domain.broadcast(depths)
    return told


def _said_of_wave(problem: Problem, wave: Wave, depth: float) -> list[str]:
    """Return what is to be told of the fastest source."""
    name = f"the source at '{wave.edge}' ({'about ' * wave.estimated}{wave.frequency:.3g}/sh)"
    if wave.kept is None or wave.late is None:
        return [
            f"{name} has {wave.cells:.2g} cells a wavelength, too few for any scheme: take cells "
            f"{FEWEST / wave.cells:.2g} times smaller or more"
        ]
    if problem.scheme == "staggered":
        if abs(wave.late) <= LATE:
            return []
        finer = math.sqrt(abs(wave.late) / LATE)  # the error falls with the square of h
        how = "late" if wave.late > 0 else "early"
        return [
            f"{name}: over {wave.path:.2g} cm its wave is not damped but {abs(wave.late):.2g} "
            f"periods {how}; cells {finer:.2g} times smaller bring that to {LATE}"
        ]
    if wave.kept >= KEPT:
        return []
    other = fastest_wave(Problem.model_validate(_with_staggered(problem)), depth)
    off = f" and is {abs(other.late):.2g} periods off" if other and other.late is not None else ""
    return [
        f"{name}: over {wave.path:.2g} cm {problem.scheme}, order {problem.order}, keeps "
        f"{100 * wave.kept:.2g} % of its wave at {wave.cells:.2g} cells a wavelength; for signals "
        f"take 'scheme: staggered', which damps nothing{off}"
    ]


def _said_of_steps(problem: Problem, steps: int, wave: Wave | None) -> list[str]:
    """Return what is to be told where implicit steps would cost less."""
    periods = problem.time.final * wave.frequency if wave else 0.0
    changes = "t" in Formula(problem.source, ("x", "y", "t")).uses  # nobody knows how fast
    if steps < MANY + PERIOD * periods or changes:
        return []
    time = {"final": problem.time.final, "method": "implicit"}
    try:
        Problem.model_validate(_with_staggered(problem) | {"time": time})
    except ValueError:  # such as numbers in float32
        return []
    return [
        f"{steps:,} explicit steps, none longer than light needs for a cell: 'scheme: staggered' "
        f"with 'time: {{final: {problem.time.final:g}, method: implicit}}' takes steps as long as "
        "their error allows, a few hundred as a rule (docs/implicit.md)"
    ]


def _with_staggered(problem: Problem) -> dict[str, Any]:
    fields = {name: getattr(problem, name) for name in Problem.model_fields}
    limit = SCHEMES["staggered"].largest_cfl(problem.cells, problem.wave_speed)
    time = problem.time.model_copy(update={"cfl": min(problem.time.cfl, limit)})
    return fields | {"scheme": "staggered", "order": 2, "positivity": "keep", "time": time}
