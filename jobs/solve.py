"""``opalux solve``: one simulation, on one process or many."""

import sys

from opalux.base import command_line
from opalux.jobs.simulation.petsc_flag import add_petsc, gathered
from opalux.jobs.starting.models import MODELS

DESCRIPTION = """\
Solve the 2D grey P1 radiative-transfer equations coupled to matter temperature.

CONFIG is a YAML file, or a .cfg file of the original program. Results go to DIR: solution.h5
(fields and edge signals), run.json, fields.png, signals.png, and on request snapshots.h5,
snapshots.xdmf (for ParaView) and an animation. Run it on several processes with
'mpirun -n N opalux solve CONFIG'; the results are the same to the last bit.

SIGTERM or SIGUSR1 writes a checkpoint and ends with exit code 75; the same line with --resume
continues from there, on any number of processes.
"""


def main(argv: list[str] | None = None) -> int:
    """Run the job; see `DESCRIPTION`."""
    parser = command_line.parser(
        "solve",
        DESCRIPTION,
        "YAML file or its name, or .cfg file of the original program",
        settings=MODELS["solve"],
    )
    add_petsc(parser)
    parsed = parser.parse_args(gathered(sys.argv[1:] if argv is None else argv))

    def work() -> int:
        from opalux.jobs.simulation.job import solve

        return solve(command_line.arguments(parsed), parsed.petsc)

    return command_line.run(work, parsed)


if __name__ == "__main__":
    sys.exit(main())
