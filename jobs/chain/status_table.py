"""The table that ``opalux status`` prints."""

import sys
from pathlib import Path

import rich.box
import rich.console
import rich.table

from opalux.base.errors import InputError
from opalux.jobs.chain.status import describe, rows
from opalux.jobs.cluster import queue as slurm_queue

LOG_WIDTH = 140
"""Characters in a line where the output is not a terminal."""


def print_status(folder: Path) -> None:
    """Print how far everything in ``folder`` is.

    Raises
    ------
    InputError
        When there is no such folder, or no results in it.
    """
    try:
        jobs = slurm_queue.jobs() if slurm_queue.there() else []
    except InputError:
        print("warning: squeue does not answer; this is from files alone", file=sys.stderr)
        jobs = []
    table = rich.table.Table(title=str(folder), title_justify="left", box=rich.box.SIMPLE_HEAD)
    for heading in ("", "state", "progress", "", "jobs"):
        table.add_column(heading, overflow="fold")
    for row, of_row in rows(folder, jobs):
        table.add_row(row.name, row.state, row.progress, row.note, "\n".join(describe(of_row)))
    width = None if sys.stdout.isatty() else LOG_WIDTH
    rich.console.Console(width=width, markup=False, highlight=False).print(table)
