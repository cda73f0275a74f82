"""Implicit steps beside explicit ones: the Marshak wave to its end, and the crooked pipe."""

import math
import time
from collections.abc import Iterator

import numpy as np

from opalux.jobs.benchmarks.marshak_square import TOLERANCE, marshak
from opalux.solver.domains.domain import SerialDomain
from opalux.solver.march import March, time_loop
from opalux.solver.problem import Problem
from opalux.solver.time_loop import TimeLoop
from opalux.solver.verification.convergence import centres
from opalux.solver.verification.crooked_pipe import CrookedPipe
from opalux.solver.verification.marshak import LENGTH, TIME, MarshakWave

SAMPLED = 200  # explicit steps that are timed
CFL = 0.95 * math.sqrt(1.5)  # of explicit steps: their limit with k = 1/3 on square cells
C = 299.0  # [cm/sh]


def cpu_of(loop: TimeLoop) -> float:
    """Return the CPU time [s] of a loop from its second chunk on: the first one may compile."""
    chunks = loop.run()
    next(chunks)
    start = time.process_time()
    for _ in chunks:
        pass
    return time.process_time() - start


def implicit(problem: Problem) -> tuple[TimeLoop, float]:
    """Return the loop of a problem at its end, and its CPU time [s]."""
    loop = time_loop(problem, SerialDomain(problem))
    return loop, cpu_of(loop)


def explicit_step(n: int) -> float:
    """Return the CPU time of an explicit step [s], by the best of three."""
    made = marshak(n, time={"final": 2 * SAMPLED * CFL * LENGTH / n / C, "cfl": CFL})
    times = []
    for _ in range(3):
        march = March(made, SerialDomain(made))
        chunks = march.run(pauses=[march.n_steps // 2])
        while march.step < march.n_steps // 2:
            next(chunks)
        start = time.process_time()
        for _ in chunks:
            pass
        times.append((time.process_time() - start) / (march.n_steps - march.n_steps // 2))
    return min(times)


def implicit_lines(sizes: tuple[int, ...] = (64, 128, 256)) -> Iterator[str]:
    """Time both on one core, and say how far the implicit front and heat are from exact ones."""
    implicit(marshak(8, time={"final": 1e-3, "method": "implicit"}))  # compiles
    for n in sizes:
        asked = {"final": TIME, "method": "implicit", "tolerance": TOLERANCE}
        loop, seconds = implicit(marshak(n, time=asked))
        T, exact, x = loop.fields[3, 0], MarshakWave().exact(n), centres(n, LENGTH)
        front, true_front = (np.interp(-0.5, -found, x) for found in (T, exact))
        step = explicit_step(n)
        steps = TIME * C * n / LENGTH / CFL
        spent = loop.report["implicit"]
        yield (
            f"Marshak wave, {n}²: implicit {seconds:.3g} s ({spent['steps']} steps, "
            f"{spent['newton_iterations']} Newton, {spent['linear_iterations']} linear iterations, "
            f"{loop.nbytes / 8 / n**2:.3g} float64 a cell; front {front / true_front - 1:+.2%}, "
            f"mean T {T.mean() / exact.mean() - 1:+.2%}); explicit {steps * step:.4g} s "
            f"({steps:.0f} steps of {1e3 * step:.3g} ms): {steps * step / seconds:.3g} times faster"
        )
    asked = {"final": 1000.0, "method": "implicit", "tolerance": TOLERANCE}
    loop, seconds = implicit(CrookedPipe().problem(140, scheme="staggered", time=asked))
    yield (
        f"crooked pipe, 140 x 40 cells to 1000 sh: {seconds:.3g} s, "
        f"{loop.report['implicit']['steps']} steps"
    )
