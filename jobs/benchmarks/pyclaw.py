"""Time PyClaw's first-order acoustics, for `jobs.bench`; runs in PyClaw's own environment.

Prints CPU seconds per cell and step of a simpler system than ours (three linear equations, no
coupling, no opacity) in compiled Fortran.
"""

import sys
import time

import numpy as np
from clawpack import pyclaw, riemann


def main(n: int) -> None:
    """Time ``n`` x ``n`` cells."""
    solver = pyclaw.ClawSolver2D(riemann.acoustics_2D)
    solver.order = 1
    solver.dimensional_split = True
    solver.cfl_max = 1.0
    solver.dt_variable = False
    solver.dt_initial = 0.5 / n
    solver.bc_lower[:] = [pyclaw.BC.extrap] * 2
    solver.bc_upper[:] = [pyclaw.BC.extrap] * 2
    domain = pyclaw.Domain([0, 0], [1, 1], [n, n])
    state = pyclaw.State(domain, 3)
    state.problem_data.update(rho=1.0, bulk=1.0, zz=1.0, cc=1.0)
    x, y = domain.grid.p_centers
    state.q[0] = np.exp(-40 * ((x - 0.5) ** 2 + (y - 0.5) ** 2))
    state.q[1:] = 0
    solution = pyclaw.Solution(state, domain)
    steps = max(4, 6_000_000 // n**2)
    solver.dt = 0.5 / n
    solver.setup(solution)
    times = []
    for _ in range(4):
        start = time.process_time()
        solver.evolve_to_time(solution, solution.t + steps * solver.dt)
        times.append((time.process_time() - start) / steps / n**2)
    print(min(times))


if __name__ == "__main__":
    main(int(sys.argv[1]))
