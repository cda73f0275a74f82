"""The processes of one solver run: how many there are, and how they fail together."""

import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from opalux.base.agreement import on_all, on_first
from opalux.base.command_line import run
from opalux.base.errors import InputError, OpaluxError
from opalux.base.exit_codes import FAILURE

Result = TypeVar("Result")

# Variables in which launchers give the number of processes.
_LAUNCHERS = {
    "OMPI_COMM_WORLD_SIZE": "Open MPI's mpirun",
    "PMI_SIZE": "mpiexec",
    "SLURM_STEP_NUM_TASKS": "srun",  # of the step; SLURM_NTASKS is what an allocation could hold
}


def launched_size(environment: Any = os.environ) -> tuple[int, str]:
    """Return how many processes the launcher says there are, and which launcher says so."""
    sizes = {name: int(environment.get(name, "1") or 1) for name in _LAUNCHERS}
    name = max(sizes, key=lambda key: sizes[key])
    return sizes[name], _LAUNCHERS[name]


class Ranks:
    """All processes of this run; a single one needs neither MPI nor PETSc.

    Attributes
    ----------
    comm : the communicator, None for a single process without MPI
    rank, size : number of this process and of all

    Raises
    ------
    InputError
        When the launcher started several processes but each finds itself alone: then it belongs
        to another MPI, and N equal runs would overwrite each other.
    """

    def __init__(self) -> None:
        expected, launcher = launched_size()
        self.comm: Any = None
        self.rank, self.size = 0, 1
        if expected > 1:
            from opalux.solver.domains.petsc import world

            self.comm = world()
            self.rank, self.size = self.comm.Get_rank(), self.comm.Get_size()
            if self.size == 1:
                raise InputError(
                    f"{launcher} says {expected} processes, but each finds itself alone: start "
                    "with 'mpirun -n N' (or 'srun --mpi=pmix') of the MPI that mpi4py was built "
                    "with, or with one process"
                )

    def on_root(self, function: Callable[[], Result]) -> Result:
        """Return rank 0's ``function()`` on all processes; its input errors too."""
        if self.comm is None:
            return function()
        return on_first(self.rank, self.comm.bcast, function)

    def together(self, function: Callable[[], Result]) -> Result:
        """Run ``function`` on all processes; an input error on one is raised on all."""
        if self.comm is None:
            return function()
        return on_all(self.comm.gather, self.comm.bcast, function)

    def run(self, work: Callable[[], int]) -> int:
        """Do ``work`` on all processes; one that fails ends all of them.

        Input errors are raised on all processes (`on_root`, `together`): rank 0 prints them. Any
        other exception on any process is printed there and aborts the whole run.
        """
        if self.comm is None:
            return run(work)
        try:
            return work()
        except OpaluxError as error:
            if self.rank == 0:
                print(f"error: {error}", file=sys.stderr, flush=True)
            return error.exit_code
        except BaseException as error:
            print(f"rank {self.rank} of {self.size} failed:", file=sys.stderr)
            traceback.print_exception(error)
            sys.stderr.flush()
            self.comm.Abort(FAILURE)
            raise
