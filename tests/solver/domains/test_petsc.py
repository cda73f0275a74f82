"""Processes see each other's cells, and write one file together."""

import numpy as np
import pytest

from tests.conftest import ROOT

EXCHANGE = """
import sys
from pathlib import Path
import numpy as np
from opalux.solver.domains.petsc import PetscDomain, world
from opalux.solver.problem import Problem

NX, NY = 11, 13
PAIRS = {"left": "x", "right": "x", "up": "y", "down": "y"}
for order in (1, 2):
    for periodic in ("", "x", "y", "xy"):
        edges = {name: {"kind": "periodic"} for name, axis in PAIRS.items() if axis in periodic}
        problem = Problem(order=order, grid={"nx": NX, "ny": NY}, edges=edges)
        domain = PetscDomain(problem, world())
        block = domain.block
        j = np.arange(block.j0 - order, block.j0 + block.ny + order)[:, None]
        i = np.arange(block.i0 - order, block.i0 + block.nx + order)
        expected = 1000 * np.arange(4)[:, None, None] + 20.0 * (j % NY) + i % NX
        own_j = (j >= block.j0) & (j < block.j0 + block.ny)
        own_i = (i >= block.i0) & (i < block.i0 + block.nx)
        seen = own_j ^ own_i  # ghosts beside the block, without corners
        if "x" not in periodic:
            seen = seen & (i >= 0) & (i < NX)
        if "y" not in periodic:
            seen = seen & (j >= 0) & (j < NY)
        domain.wide[...] = np.where(own_j & own_i, expected, -1)
        domain.exchange()
        assert (domain.wide == np.where((own_j & own_i) | seen, expected, -1)).all()

path = Path(sys.argv[1])
if domain.rank == 0:
    path.write_bytes(bytes(8 + 8 * NX * NY * 2))
domain.any(False)
domain.write(path, 8, np.moveaxis(domain.state[1:3, 1:-1, 1:-1], 0, -1))
"""


@pytest.mark.mpi
def test_ghosts_hold_the_neighbours_cells_and_one_file_takes_all_blocks(tmp_path, mpirun):
    script = tmp_path / "exchange.py"
    script.write_text(EXCHANGE)
    out = tmp_path / "F"
    done = mpirun(3, script, out, PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stderr
    F = np.fromfile(out, offset=8).reshape(13, 11, 2)
    place = 20.0 * np.arange(13)[:, None] + np.arange(11)
    assert np.array_equal(F, np.stack([1000 + place, 2000 + place], axis=-1))


ASYMMETRIC_END = """
import gc
import sys
from opalux.solver.domains.petsc import PetscDomain, world
from opalux.solver.problem import Problem

domain = PetscDomain(Problem(grid={"nx": 16}), world())
domain.exchange()
if domain.rank == int(sys.argv[1]):
    del domain
    gc.collect()
else:
    domain.itself = domain  # for the garbage collector to find, some day
"""


@pytest.mark.mpi
@pytest.mark.parametrize("early", [0, 1])
def test_processes_end_though_their_garbage_is_collected_at_different_times(
    early, tmp_path, mpirun
):
    script = tmp_path / "end.py"
    script.write_text(ASYMMETRIC_END)
    done = mpirun(2, script, early, PYTHONPATH=str(ROOT), timeout=60)
    assert done.returncode == 0, done.stderr


BROKEN_PIPE = """
import os, threading
import opalux.solver.domains.petsc

def write():
    reader, writer = os.pipe()
    os.close(reader)
    try:
        os.write(writer, b"x")
    except BrokenPipeError:
        print("told as an exception")

thread = threading.Thread(target=write)
thread.start()
thread.join()
"""


@pytest.mark.mpi
def test_petsc_leaves_signals_to_python(mpirun):
    """A reader that left, of a log or of a socket, is an exception in any thread, and no crash."""
    done = mpirun(1, "-c", BROKEN_PIPE)
    assert done.returncode == 0, done.stderr
    assert "told as an exception" in done.stdout
