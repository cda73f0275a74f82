"""The time of a step, beside the memory bandwidth, the original program and PyClaw."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numba
import numpy as np

from opalux.base.shipped import CHECKOUT, PACKAGE
from opalux.solver.domains.domain import SerialDomain
from opalux.solver.march import March
from opalux.solver.problem import Problem

BYTES_PER_CELL_STEP = 72
"""The fewest bytes a step must move: E, Fx, Fy, T in and out (64) and ρ in (8), float64."""

ORIGINAL_NS = (36_000, 43_000)
"""The original program, ns per cell and step, as it parses its formulas per cell."""
HOISTED_NS = 4_300
"""The same with its parser hoisted out of the loop."""

SOURCE = {"left": {"kind": "source"}}


@numba.njit(error_model="numpy")
def _triad(a, b, c):  # type: ignore[no-untyped-def]
    for i in range(a.size):
        a[i] = b[i] + 2.0 * c[i]


def _best(work: Callable[[], object], repeats: int = 5) -> float:
    """Return the shortest CPU time of ``work`` [s], warmed."""
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def bandwidth() -> float:
    """Return the memory bandwidth of one core [bytes/s] (triad; the store's read counts)."""
    a, b, c = (np.ones(20_000_000) for _ in range(3))
    return 4 * a.nbytes / _best(lambda: _triad(a, b, c))


def step_time(n: int, scheme: str = "consistent", order: int = 1) -> float:
    """Return the CPU time per cell and step [s] of the published case on ``n`` x ``n`` cells."""
    steps = max(2, min(383, 3_000_000 // n**2))
    extra = {"order": order} if order != 1 else {}
    problem = Problem.model_validate(
        {
            "scheme": scheme,
            "grid": {"nx": n},
            "time": {"final": steps * 0.5 / n / 299},
            "material": {"density": "1 + 4*x*y"},
            "edges": SOURCE,
        }
        | extra
    )
    times = []
    for _ in range(4):
        march = March(problem, SerialDomain(problem))
        start = time.process_time()
        for _ in march.run():
            pass
        times.append((time.process_time() - start) / march.n_steps / n**2)
    return min(times[1:])


def solver_lines() -> Iterator[str]:
    """Time the schemes against the memory bandwidth and the original program."""
    speed = bandwidth()
    bound = BYTES_PER_CELL_STEP / speed
    yield f"memory bandwidth of one core {speed / 1e9:.1f} GB/s: at least {bound * 1e9:.2f} ns"
    yield "scheme      cells        ns/cell/step   bound/time   original/time (parser hoisted)"
    for scheme, n in (
        ("consistent", 64),
        ("consistent", 512),
        ("consistent", 4096),
        ("published", 64),
    ):
        taken = step_time(n, scheme)
        ns = taken * 1e9
        yield (
            f"{scheme:<11} {n:>4} x {n:<4}  {ns:>12.1f} {bound / taken:>12.2f}   "
            f"{ORIGINAL_NS[0] / ns:,.0f} ({HOISTED_NS / ns:,.0f})"
        )


def pyclaw_lines() -> Iterator[str]:
    """Time our step against PyClaw's acoustics, a simpler system in compiled Fortran."""
    python = (CHECKOUT or Path.cwd()) / ".venv-bench" / "bin" / "python"
    if not python.exists():
        yield "PyClaw is not installed: run 'make bench-env' (needs gfortran)"
        return
    for n in (64, 512):
        line = [str(python), str(PACKAGE / "jobs" / "benchmarks" / "pyclaw.py"), str(n)]
        done = subprocess.run(line, check=True, capture_output=True, text=True)
        theirs, ours = float(done.stdout.split()[-1]), step_time(n)
        yield (
            f"{n} x {n} cells: PyClaw's first-order acoustics {theirs * 1e9:.1f} ns/cell/step, "
            f"our whole step {ours * 1e9:.1f} ns: {theirs / ours:.1f} times faster"
        )
