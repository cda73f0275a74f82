"""One simulation, beside the rest of the pipeline."""

import dataclasses
from pathlib import Path

from opalux.jobs.chain.row import Row, read_json, started
from opalux.jobs.chain.stage import ConfiguredStage, Stage, Surroundings, Work, script

FOLDER = "solve"


def _work(own: ConfiguredStage, around: Surroundings) -> Work:
    from opalux.jobs.simulation.settings import read_settings

    read_settings(own.config, list(own.set))
    out = around.out / FOLDER
    job = script("solve", own, own.config, "--out", out, overrides=own.set)
    return Work(
        script=dataclasses.replace(job, variables=(("LAUNCHER", around.site.launcher),)),
        done=(out / "run.json").is_file,
    )


def _row(folder: Path) -> Row:
    record = read_json(folder / "run.json")
    if record:
        note = ", ".join(
            f"{record[key]:.4g} {unit}"
            for key, unit in (("ranks", "ranks"), ("wall_seconds", "s"))
            if key in record
        )
        progress = f"{record['steps']} steps" if "steps" in record else ""
        return Row(name="solution", state="done", progress=progress, note=note)
    note = "checkpoint written" if (folder / "checkpoint.h5").is_file() else ""
    state = "stopped" if started(folder) else "not started"
    return Row(name="solution", state=state, note=note)


SOLVE = Stage(
    name="solve",
    settings=ConfiguredStage,
    folder=FOLDER,
    work=_work,
    row=_row,
    files=("solution.h5", "checkpoint.h5"),
    keys=("grid", "time", "edges"),
)
