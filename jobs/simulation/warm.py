"""Compile the kernels that most runs need, so that the first run need not wait for them.

``python -m opalux.jobs.simulation.warm`` does so for all schemes and kinds of numbers, and for the
gradient of signals, one process a core. What is compiled already costs a few seconds.
"""

import concurrent.futures
import multiprocessing
import sys
from typing import Any

import numpy as np

from opalux.solver.gradient import SignalGradient
from opalux.solver.march import simulate
from opalux.solver.problem import Problem

LONGEST_FIRST: tuple[dict[str, Any], ...] = (
    {"order": 2},
    {"scheme": "staggered"},
    {"scheme": "staggered", "dtype": "float32"},
    {"dtype": "float32"},
    {},
    {"scheme": "published"},
)


def compile_kernels(scheme: dict[str, Any]) -> None:
    """Take a few steps of a tiny problem with one scheme."""
    edges = {"left": {"kind": "source"}}
    problem = Problem.model_validate(
        {"grid": {"nx": 4}, "edges": edges, "time": {"final": 0.001}} | scheme
    )
    simulate(problem)
    if problem.scheme == "staggered" and problem.dtype == "float64":
        gradient = SignalGradient(problem)
        gradient.pull(gradient.simulate(np.ones((4, 4))))


def main() -> int:
    """Compile for all schemes at a time, on the cores that there are."""
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(mp_context=spawn) as pool:
        for _ in pool.map(compile_kernels, LONGEST_FIRST):
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
