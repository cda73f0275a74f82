"""How good ``opalux invert`` is: maps that no family draws, or one does, with 1 % noise.

    python -m opalux.jobs.benchmarks.measured [MAP ...] [--edges E,E] [--quantities Q,Q]

prints R², χ², the coverage of the spread, also by depth, and CPU seconds of each; docs/measured.md
holds them. ``--table FILE`` writes what is measured instead, for ``opalux invert``; ``--noises N``
repeats each map with further draws of the noise and compares how far maps scatter with the spread.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opalux.base.axes import EDGES, depths, flux_magnitude
from opalux.jobs.measured.inversion import Inverted, invert
from opalux.solver.densities.catalogue import FAMILIES
from opalux.solver.densities.family import Stream
from opalux.solver.files.measurements import write_table
from opalux.solver.inversion.rows import Rows, joined
from opalux.solver.inversion.unknown import refined
from opalux.solver.march import simulate
from opalux.solver.problem import Problem

Array = NDArray[np.float64]

FINAL = 0.01  # [sh]
SEED = 3
SURROUNDINGS = {name: {"kind": "vacuum", "T": "5"} for name in EDGES}
MAPS = ("smooth", "layers", "bands", "ring", "blocks", "letter", "E")
MORE = ("letters", "cross", "stripes", "wavy", "rectangle")


def map_named(name: str, n: int) -> Array:
    """Return one of `MAPS` or `MORE` [g/cm³], or a family's own, as ``layers:3``.

    On n × n cells; the rectangle has n along y and half as many more along x.
    """
    if name == "rectangle":
        y, x = (np.mgrid[:n, : n * 3 // 2] + 0.5) / n
        rho = 1.2 + 2 * np.exp(-((x - 0.45) ** 2 + (y - 0.6) ** 2) / 0.03)
        return np.asarray(rho + 1.5 * ((np.abs(x - 1.05) < 0.18) & (np.abs(y - 0.4) < 0.15)))
    if ":" in name:
        kind, number = name.split(":")
        family = next(one for one in FAMILIES if one.model_fields["kind"].default == kind)
        return family.model_validate({}).draw(Stream(1, int(number)), (n, n), int(number))[0]
    y, x = (np.mgrid[:n, :n] + 0.5) / n
    if name == "smooth":
        rho = 1 + 2.2 * np.exp(-((x - 0.35) ** 2 + (y - 0.6) ** 2) / 0.02)
        rho += 1.5 * np.exp(-((x - 0.7) ** 2 + (y - 0.3) ** 2) / 0.03)
        return np.asarray(rho + 0.6 * np.sin(3 * np.pi * x) ** 2 * np.sin(2 * np.pi * y) ** 2)
    if name == "layers":
        return np.where((y + 0.15 * x) % 0.35 < 0.12, 3.2, 1.2)
    if name == "bands":
        return np.where((0.8 * x + 0.45 * y) % 0.31 < 0.1, 3.5, 1.0)
    if name == "stripes":
        return np.where((x / 0.25) % 1 < 0.45, 3.6, 1.2)
    if name == "wavy":
        return np.where((y + 0.08 * np.sin(3 * np.pi * x)) % 0.3 < 0.12, 3.4, 1.1)
    if name == "ring":
        r = np.hypot(x - 0.5, y - 0.5)
        return np.where((r < 0.34) & (r > 0.2), 4.0, 1.2)
    boxes = {
        "blocks": (2.0, [(0, 12, 0, 9, 5.0), (22, 32, 14, 32, 1.0), (8, 20, 22, 32, 4.0),
                         (14, 20, 9, 15, 3.5)]),
        "letter": (1.5, [(6, 26, 8, 12, 4.0), (6, 26, 20, 24, 4.0), (14, 18, 8, 24, 4.0)]),
        "E": (1.2, [(6, 26, 9, 13, 3.6), (22, 26, 9, 23, 3.6), (14, 18, 9, 20, 3.6),
                    (6, 10, 9, 23, 3.6)]),
        "letters": (1.2, [(7, 25, 4, 7, 3.5), (7, 10, 4, 13, 3.5), (22, 25, 17, 28, 3.5),
                          (7, 25, 21, 24, 3.5)]),
        "cross": (1.3, [(6, 26, 13, 19, 3.8), (13, 19, 5, 27, 3.8)]),
    }  # fmt: skip
    background, found = boxes[name]
    rho = np.full((n, n), background)
    for low, high, left, right, value in found:
        inside = (32 * y > low) & (32 * y < high) & (32 * x > left) & (32 * x < right)
        rho[inside] = value
    return rho


def measured(
    rho: Array,
    *,
    fine: int,
    places: int,
    n_times: int,
    noise: float = 0.01,
    seed: int = SEED,
    sources: Sequence[str] = EDGES,
    edges: Sequence[str] = EDGES,
    quantities: Sequence[str] = ("E", "F", "T"),
    final: float = FINAL,
    **physics: object,
) -> Rows:
    """Return what detectors side by side along the edges measure of a map, with noise.

    Parameters
    ----------
    rho : (ny, nx) [g/cm³], of square cells on a domain 1 cm high
    fine : cells along y that are simulated, a multiple of ny
    places, n_times : detectors along left and right, times; along up and down as close together
    noise : share of each channel's standard deviation
    seed : of the noise
    sources, edges, quantities : what is measured
    final : until then [sh]
    physics : keys of the problem that are other than usual
    """
    rng, parts = np.random.default_rng(seed), []
    times = np.linspace(0, 0.99 * final, n_times)
    finer, grid = fine // len(rho), _grid((fine, fine * rho.shape[1] // len(rho)))
    for source in sources:
        given = {
            "scheme": "staggered",
            "signals": {"at": "edge"},
            "grid": grid,
            "time": {"final": final, "cfl": 0.45},
            "edges": {**SURROUNDINGS, source: {"kind": "source"}},
        }
        problem = Problem.model_validate({**given, **physics})
        solution = simulate(problem, refined(rho, finer))
        for edge in edges:
            signal = solution.signals[edge]
            cells = signal.shape[-1]
            n_places = cells * places // fine
            at = np.empty((n_times, 4, cells))
            for field in range(4):
                for cell in range(cells):
                    at[:, field, cell] = np.interp(times, solution.times, signal[:, field, cell])
            values = {"E": at[:, 0], "F": flux_magnitude(at[:, 1:3], axis=1), "T": at[:, 3]}
            for quantity in quantities:
                value = values[quantity].reshape(n_times, n_places, -1).mean(-1)
                sigma = noise * value.std()
                n = value.size
                parts.append(
                    Rows(
                        source=np.full(n, source),
                        edge=np.full(n, edge),
                        quantity=np.full(n, quantity),
                        position=np.tile((np.arange(n_places) + 0.5) / places, n_times),
                        width=np.full(n, 1 / places),
                        time=np.repeat(times, n_places),
                        value=(value + sigma * rng.standard_normal(value.shape)).ravel(),
                        sigma=np.full(n, sigma),
                    )
                )
    return joined(parts)


def _grid(shape: tuple[int, int]) -> dict[str, Any]:
    """Return the settings of a grid (ny, nx) of square cells on a domain 1 cm high."""
    ny, nx = shape
    return {"nx": nx, "ny": ny, "x": (0.0, nx / ny), "y": (0.0, 1.0)}


def r_squared(truth: Array, found: Array) -> float:
    """Return 1 − Σ (found − truth)² / Σ (truth − mean)²."""
    return float(1 - ((found - truth) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())


def _depths(shape: tuple[int, int]) -> list[NDArray[np.bool_]]:
    """Return which cells are in each quarter of the way from the edge to the middle."""
    return [depths(shape) * 8 // min(shape) == quarter for quarter in range(4)]


def _scatter(name: str, truth: Array, found: list[Inverted]) -> str:
    """Say how far maps of several draws of the noise scatter, as a share of their spread."""
    scatter = np.std([one.density for one in found], axis=0, ddof=1)
    spread = np.mean([one.spread for one in found if one.spread is not None], axis=0)
    share = scatter / spread
    deep = ", ".join(f"{np.median(share[cells]):.2f}" for cells in _depths(truth.shape))
    scores = [r_squared(truth, one.density) for one in found]
    return (
        f"{name}: {len(found)} draws of the noise, R2 {min(scores):.3f} to {max(scores):.3f}; "
        f"scatter / spread, median {np.median(share):.2f} (by depth {deep})"
    )


def _line(name: str, truth: Array, found: Inverted, seconds: float) -> str:
    error = np.abs(found.density - truth)
    spread = np.full_like(truth, np.nan) if found.spread is None else found.spread
    within = [float((error <= k * spread).mean()) for k in (1, 2)]
    deep = ", ".join(f"{(error <= spread)[cells].mean():.2f}" for cells in _depths(truth.shape))
    return (
        f"{name}: R2 {r_squared(truth, found.density):.3f}  chi2 {found.chi2:.2f}  "
        f"within 1, 2 spreads {within[0]:.2f}, {within[1]:.2f} (by depth {deep})  "
        f"grid x{found.found.refinement}, error {found.found.grid_error.noise_units:.2f}  "
        f"gradients {len(found.found.history)}  CPU {seconds:.0f} s"
    )


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("maps", nargs="*", default=MAPS)
    parser.add_argument("--cells", type=int, default=32)
    parser.add_argument("--fine", type=int, default=4, help="data from a grid so much finer")
    parser.add_argument("--places", type=int, help="detectors along each edge; as a rule, cells")
    parser.add_argument("--times", type=int, default=32)
    parser.add_argument("--final", type=float, default=FINAL, help="until then [sh]")
    parser.add_argument("--sources", default=",".join(EDGES))
    parser.add_argument("--edges", default=",".join(EDGES))
    parser.add_argument("--quantities", default="E,F,T")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--noises", type=int, default=1, help="draws of the noise")
    parser.add_argument("--table", type=Path, help="only write what is measured")
    given = parser.parse_args(argv)
    for name in given.maps:
        truth, found = map_named(name, given.cells), list[Inverted]()
        settings: dict[str, Any] = {
            "problem": {
                "grid": _grid(truth.shape),
                "edges": SURROUNDINGS,
                "time": {"final": given.final},
            },
            **({"steps": given.steps} if given.steps else {}),
        }
        for seed in range(SEED, SEED + given.noises):
            rows = measured(
                truth,
                fine=given.fine * given.cells,
                places=given.places or given.cells,
                n_times=given.times,
                seed=seed,
                sources=given.sources.split(","),
                edges=given.edges.split(","),
                quantities=given.quantities.split(","),
                final=given.final,
            )
            table = given.table or Path(f"{name}.csv")
            write_table(table, rows)
            if given.table:
                break
            began = time.process_time()
            found.append(invert(settings, [table]))
            print(_line(name, truth, found[-1], time.process_time() - began), flush=True)
            table.unlink()
        if len(found) > 1:
            print(_scatter(name, truth, found), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
