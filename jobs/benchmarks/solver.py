"""The time of a step, beside the memory bandwidth, the original program, PyClaw and deepwave."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np

from opalux.base.shipped import CHECKOUT, PACKAGE
from opalux.solver.domains.domain import SerialDomain
from opalux.solver.gradient import SignalGradient
from opalux.solver.march import March
from opalux.solver.problem import Problem

NUMBERS_PER_CELL_STEP = 9
"""The fewest numbers a step must move: E, Fx, Fy, T in and out (8) and ρ in (1)."""

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


def _problem(n: int, settings: dict[str, Any]) -> Problem:
    steps = max(16, min(383, 3_000_000 // n**2))
    return Problem.model_validate(
        {
            "grid": {"nx": n},
            "time": {"final": steps * 0.5 / n / 299},
            "material": {"density": "1 + 4*x*y"},
            "edges": SOURCE,
        }
        | settings
    )


def step_time(n: int, **settings: Any) -> float:
    """Return the CPU time per cell and step [s] of the published case on ``n`` x ``n`` cells."""
    problem = _problem(n, settings)
    times = []
    for _ in range(5):
        march = March(problem, SerialDomain(problem))
        start = time.process_time()
        for _ in march.run():
            pass
        times.append((time.process_time() - start) / march.n_steps / n**2)
    return min(times[1:])


def gradient_times(n: int) -> tuple[float, float]:
    """Return the CPU times per cell and step [s] of a run that keeps states, and of its pull."""
    problem = _problem(n, {"scheme": "staggered"})
    gradient = SignalGradient(problem)
    rho = np.full((n, n), 2.0)
    weights = gradient.simulate(rho)
    units = len(gradient.times) * n**2
    return (
        _best(lambda: gradient.simulate(rho), 3) / units,
        _best(lambda: gradient.pull(weights), 3) / units,
    )


CASES: tuple[tuple[str, dict[str, Any], tuple[int, ...]], ...] = (
    ("staggered", {"scheme": "staggered"}, (64, 512, 2048)),
    ("staggered, float32", {"scheme": "staggered", "dtype": "float32"}, (64, 512, 2048)),
    ("consistent", {}, (64, 512, 2048)),
    ("consistent, float32", {"dtype": "float32"}, (64, 512, 2048)),
    ("order 2, positivity off", {"order": 2, "positivity": "off"}, (64, 512)),
    ("order 2", {"order": 2}, (64, 512)),
    ("published", {"scheme": "published"}, (64, 512)),
)


def solver_lines() -> Iterator[str]:
    """Time the schemes and the gradient against the memory bandwidth and the original program."""
    speed = bandwidth()
    yield f"memory bandwidth of one core {speed / 1e9:.1f} GB/s"
    yield "scheme                  cells ns/cell/step of order 1 bound/time original/time (hoisted)"
    first = {n: step_time(n) for n in (64, 512, 2048)}
    for name, settings, sizes in CASES:
        width = np.dtype(settings.get("dtype", "float64")).itemsize
        for n in sizes:
            taken = step_time(n, **settings) if settings else first[n]
            ns, bound = taken * 1e9, NUMBERS_PER_CELL_STEP * width / speed
            yield (
                f"{name:<23} {n:>4}²  {ns:>12.1f} {taken / first[n]:>11.2f} {bound / taken:>11.2f}"
                f"   {ORIGINAL_NS[0] / ns:,.0f} ({HOISTED_NS / ns:,.0f})"
            )
    for n in (64, 256):
        forward, (keep, back) = step_time(n, scheme="staggered"), gradient_times(n)
        yield (
            f"gradient of the signals, {n}²: {keep * 1e9:.1f} ns forwards, {back * 1e9:.1f} ns "
            f"backwards: {(keep + back) / forward:.2f} times a run"
        )


def deepwave_lines() -> Iterator[str]:
    """Time our steps against deepwave's scalar wave, one field without matter in compiled C."""
    packages = (CHECKOUT or Path.cwd()) / ".venv-bench" / "deepwave"
    if not packages.is_dir():
        yield "deepwave is not installed: run 'make bench-env'"
        return
    script = str(PACKAGE / "jobs" / "benchmarks" / "deepwave_waves.py")
    for n in (64, 512):
        for dtype in ("float64", "float32"):
            theirs = []
            for what in ("forward", "gradient"):
                done = subprocess.run(
                    [sys.executable, script, str(n), dtype, what],
                    env=os.environ | {"PYTHONPATH": str(packages)},
                    check=True, capture_output=True, text=True,
                )  # fmt: skip
                theirs.append(float(done.stdout.split()[-1]))
            ours = [step_time(n, scheme="staggered", dtype=dtype)]
            if dtype == "float64":
                ours.append(sum(gradient_times(n)))
            yield (
                f"{n}², {dtype}: deepwave's scalar wave {theirs[0] * 1e9:.1f} ns/cell/step, with "
                f"gradient {theirs[1] * 1e9:.1f}; staggered "
                + ", with gradient ".join(f"{t * 1e9:.1f}" for t in ours)
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
        theirs, ours = float(done.stdout.split()[-1]), step_time(n, scheme="staggered")
        yield (
            f"{n} x {n} cells: PyClaw's first-order acoustics {theirs * 1e9:.1f} ns/cell/step, "
            f"our whole step (staggered) {ours * 1e9:.1f} ns: {theirs / ours:.1f} times faster"
        )
