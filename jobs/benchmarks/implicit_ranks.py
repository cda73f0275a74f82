"""Implicit steps on one process and on two: CPU time, iterations and memory of each.

``python -m opalux.jobs.benchmarks.implicit_ranks CELLS STEPS`` is what each process runs.
"""

import itertools
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from opalux.jobs.benchmarks.marshak_square import TOLERANCE, marshak

FINAL = 1e-3  # [sh]: the steps that are taken are those of a heat wave on its way in
YIELDS = ("-mca", "mpi_yield_when_idle", "1")  # waiting should cost no CPU time
MISSING = "mpirun or PETSc is missing"


def measure(cells: int, steps: int) -> dict[str, Any] | None:
    """Take some steps on this process's share; return what all processes needed, on the first.

    ``resident`` counts what all of them hold at most, less what they held before they started.
    """
    from opalux.solver.domains.petsc import PetscDomain, world
    from opalux.solver.march import time_loop

    comm = world()
    for n in (16, cells):  # the first one compiles
        keys = {"method": "implicit", "tolerance": TOLERANCE, "records": 1, "solver": "petsc"}
        before = resident()
        problem = marshak(n, time={"final": FINAL, **keys})
        domain = PetscDomain(problem, comm)
        loop = time_loop(problem, domain)
        comm.Barrier()
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in itertools.islice(loop.run(), steps):
            pass
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    told = domain.gather((cpu, wall, loop.nbytes, resident() - before))
    if told is None:
        return None
    cpus, walls, held, grown = zip(*told, strict=True)
    return loop.report["implicit"] | {
        "cpu": max(cpus), "wall": max(walls), "held": sum(held), "resident": sum(grown),
    }  # fmt: skip


def resident() -> int:
    """Return the most bytes that this process has had in memory."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def on(ranks: int, cells: int, steps: int) -> dict[str, Any]:
    """Return what `measure` says of a run on so many processes."""
    line = ["mpirun", *YIELDS, "-n", str(ranks), sys.executable, "-m", __name__]
    done = subprocess.run(
        [*line, str(cells), str(steps)], check=True, capture_output=True, text=True
    )
    out = done.stdout  # around which mpirun writes what terminals want
    found: dict[str, Any] = json.loads(out[out.index("{") : out.rindex("}") + 1])
    return found


def implicit_ranks_lines(cells: int = 512, steps: int = 20, large: int = 1024) -> Iterator[str]:
    """Compare two processes with one, and take a few steps on a large grid."""
    try:
        one, two = (on(ranks, cells, steps) for ranks in (1, 2))
        yield said(1, cells, one)
        yield said(2, cells, two)
        yield (
            f"Marshak wave, {cells}²: 2 ranks {one['wall'] / two['wall']:.2f} times 1 rank by wall "
            f"time, {one['cpu'] / two['cpu']:.2f} times by a rank's CPU time, which counts what of "
            "waiting is spent in MPI"
        )
        yield said(2, large, on(2, large, 4))
    except (OSError, subprocess.CalledProcessError) as error:
        told = getattr(error, "stderr", None) or str(error)
        yield f"not measured: {MISSING} ({told.strip().splitlines()[-1]})"


def said(ranks: int, cells: int, run: dict[str, Any]) -> str:
    """Return a line on one run."""
    whole = 8 * cells**2
    return (
        f"Marshak wave, {cells}², {ranks} rank(s), {run['linear_solver']}: {run['steps']} steps, "
        f"{run['newton_iterations']} Newton, {run['linear_iterations']} linear iterations, "
        f"{run['cpu']:.3g} s CPU a rank ({run['wall']:.3g} s wall), {run['held'] / whole:.3g} "
        f"float64 a cell in arrays, {run['resident'] / whole:.3g} in memory"
    )


if __name__ == "__main__":
    if (told := measure(int(sys.argv[1]), int(sys.argv[2]))) is not None:
        print(json.dumps(told))
