"""What a configuration of ``opalux solve`` says: a problem and what to do with its solution."""

import json
from pathlib import Path
from typing import Literal, Self

import pydantic

from opalux.base.config import apply_overrides, check, dump, load, read_text
from opalux.base.settings import Settings
from opalux.jobs.simulation.exact import Exact
from opalux.solver.files.snapshots import snapshot_steps
from opalux.solver.legacy.cfg import read_cfg
from opalux.solver.legacy.export import Export, check_export
from opalux.solver.problem import Problem
from opalux.solver.start import time_steps


class Output(Settings):
    """What is written besides solution.h5."""

    pictures: bool = True
    """Draw fields.png and signals.png."""
    checkpoint_steps: int = pydantic.Field(0, ge=0)
    """Write a checkpoint every so many steps (0: only when a signal asks for one)."""
    signals_every: int = pydantic.Field(1, ge=1, le=10**9)
    """Keep the edge signals before every so many steps (1: before each)."""
    snapshots: int = pydantic.Field(0, ge=0, le=10_000)
    """Snapshots of E, F, T, evenly spaced from t = 0 to the end, for snapshots.h5 and .xdmf."""
    animation: Literal["gif", "mp4"] | None = None
    """Draw the snapshots as animation.gif, or as animation.mp4 where ffmpeg is installed."""


class SolveSettings(Problem):
    """A problem and what to do with its solution."""

    output: Output = Output()
    exact: Exact | None = None
    export: Export | None = None

    @pydantic.model_validator(mode="after")
    def _export_possible(self) -> Self:
        if self.export is not None:
            check_export(self, self.export)
        return self

    @pydantic.model_validator(mode="after")
    def _output_possible(self) -> Self:
        output = self.output
        if output.snapshots:
            snapshot_steps(len(time_steps(self)[1]), output.snapshots)
        if output.animation and not output.snapshots:
            raise ValueError(
                "output.animation: found no snapshots to draw; set output.snapshots, e.g. to 51"
            )
        if output.animation == "mp4":
            from opalux.jobs.simulation.animation import ffmpeg_is_there

            if not ffmpeg_is_there():
                raise ValueError("output.animation: found no ffmpeg for mp4; install it or use gif")
        if output.signals_every > 1 and self.export is not None:
            raise ValueError(
                f"output.signals_every: found {output.signals_every} with an export, whose formats "
                "hold every step; set it to 1"
            )
        return self


def read_settings(path: Path, overrides: list[str], petsc: str = "") -> tuple[SolveSettings, str]:
    """Read YAML or a published .cfg; return the settings and their resolved text.

    A .cfg was written for the original program, so its scheme is ``published`` unless told
    otherwise. Options of ``petsc`` come after those of ``time.petsc``, so that they win.
    """
    if petsc:
        before = read_settings(path, overrides)[0].time.petsc
        overrides = [*overrides, f"time.petsc={json.dumps(f'{before} {petsc}'.strip())}"]
    if path.suffix.lower() != ".cfg":
        return load(SolveSettings, path, overrides)
    data = {"scheme": "published", **read_cfg(read_text(path), str(path), path.parent)}
    apply_overrides(data, overrides)
    config = check(SolveSettings, data, source=str(path), folder=path.parent)
    return config, dump(config)
