"""Simulating one sample of a campaign on many processes, for grids that are too large for one."""

import dataclasses
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from opalux.base.config import dump
from opalux.jobs.sampling.sample import DETECTORS, SignalChunk
from opalux.solver.files.solution import read_solution
from opalux.solver.media import ArrayDensity
from opalux.solver.problem import Problem


@dataclasses.dataclass(frozen=True)
class MpiSimulation:
    """Simulates by starting ``opalux solve`` under a launcher; the results have the same bits.

    Attributes
    ----------
    launcher : words of the command that starts the processes, such as mpirun, -n, 8
    """

    launcher: tuple[str, ...]

    def __call__(
        self, problems: Sequence[Problem], density: NDArray[np.float64]
    ) -> Iterator[list[SignalChunk]]:
        """Yield the signals of each problem in one chunk: per edge (n, 4, cells) E, F_x, F_y, T.

        Raises
        ------
        RuntimeError
            When a simulation fails; the message is its last line.
        """
        return ([(0, self._signals(problem, density))] for problem in problems)

    def _signals(
        self, problem: Problem, density: NDArray[np.float64]
    ) -> dict[str, NDArray[np.float64]]:
        with tempfile.TemporaryDirectory(prefix="opalux-") as name:
            folder = Path(name)
            np.save(folder / "density.npy", density)
            array = ArrayDensity(kind="array", file=folder / "density.npy")
            material = problem.material.model_copy(update={"density": array})
            config = folder / "solve.yaml"
            config.write_text(dump(problem.model_copy(update={"material": material})))
            out = folder / "run"
            words = [sys.executable, "-m", "opalux", "solve", str(config), "--out", str(out)]
            done = subprocess.run(
                [*self.launcher, *words, "--set", "output.pictures=false"],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                lines = done.stderr.strip().splitlines() or ["no message"]
                raise RuntimeError(f"{' '.join(self.launcher)} ended with {lines[-1]}")
            solution = read_solution(out / "solution.h5")
            if solution.detectors is None:
                return solution.signals
            return {**solution.signals, DETECTORS: solution.detectors.signals}
