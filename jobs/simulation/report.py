"""What is made of a finished simulation: pictures, exports, run.json."""

import sys
from pathlib import Path
from typing import Any

from opalux.base.exit_codes import FAILURE, OK
from opalux.base.files import write_json
from opalux.base.provenance import provenance
from opalux.jobs.simulation.exact import errors_against
from opalux.jobs.simulation.settings import SolveSettings
from opalux.solver.advice import Advice
from opalux.solver.files.solution import read_solution
from opalux.solver.legacy.export import write_export
from opalux.solver.time_loop import TimeLoop


def write_report(
    settings: SolveSettings,
    out: Path,
    march: TimeLoop,
    wall: float,
    steps_of_run: tuple[int, int],
    held: int,
    peaks: list[int],
    advice: Advice,
) -> int:
    """Write pictures, exports and run.json from the finished files; called on rank 0 only.

    Parameters
    ----------
    held : bytes of the arrays of all processes
    peaks : for each process, the most bytes that it has had in memory, libraries included
    advice : on the mesh
    wall, steps_of_run : seconds of this run, the record that it started from, and its steps
    """
    grid = settings.cells
    first_step, steps = steps_of_run
    cells = grid.nx * grid.ny
    details: dict[str, Any] = {}
    path = out / "solution.h5"
    try:
        _draw(settings, out)
        if settings.exact is not None:
            details["errors"] = errors_against(settings, settings.exact, read_solution(path))
        if settings.export is not None:
            write_export(settings, settings.export, read_solution(path))
        write_json(
            out / "run.json",
            provenance(
                job="solve",
                seed=None,
                ranks=len(peaks),
                scheme=settings.scheme,
                signals_at=settings.signals.at,
                grid={"nx": grid.nx, "ny": grid.ny},
                steps=march.n_steps,
                resumed_from_step=first_step,
                dt=march.dt,
                t_final=march.t_final,
                wall_seconds=wall,
                cell_steps_per_second=steps * cells / wall if steps else None,
                memory={"bytes_per_cell": held / cells, "peak_resident_bytes": sum(peaks)},
                mesh=advice.to_json(),
                **march.report,
                **details,
            ),
        )
    except OSError as error:
        print(
            "error: solution.h5 is complete, but the files made from it cannot be written "
            f"({error}); make room and start again with --resume",
            file=sys.stderr,
        )
        return FAILURE
    speed = f"{1e9 * wall / (steps * cells):.4g} ns a cell and step, " if steps else ""
    print(
        f"{out}: scheme {settings.scheme}, {steps} steps of {cells} cells in {wall:.4g} s, {speed}"
        f"{held / cells:.4g} bytes a cell in arrays, {sum(peaks) / 2**20:.4g} MiB in memory",
        file=sys.stderr,
    )
    return OK


def _draw(settings: SolveSettings, out: Path) -> None:
    if settings.output.pictures:
        from opalux.jobs.simulation.pictures import SHOWN_CELLS, draw_fields, draw_signals

        shown = read_solution(out / "solution.h5", at_most=SHOWN_CELLS)
        draw_fields(shown, out / "fields.png")
        draw_signals(shown, out / "signals.png")
    if settings.output.animation:
        from opalux.jobs.simulation.animation import animate

        animate(out / "snapshots.h5", out / f"animation.{settings.output.animation}")
