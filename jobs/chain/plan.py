"""What a pipeline is going to do: all of its configurations, read and checked."""

import dataclasses
from pathlib import Path

from opalux.base.config import load
from opalux.jobs.chain.settings import FROM_FILE, PipelineSettings
from opalux.jobs.chain.stage import ConfiguredStage, Surroundings, Work
from opalux.jobs.chain.stages.table import STAGES
from opalux.jobs.cluster.site import Site

NAME = "pipeline.yaml"
"""The resolved configuration, in the folder of the results; `opalux status` knows it by it."""

SCRIPTS, LOGS = "scripts", "logs"
"""Folders of the batch scripts and of what the jobs print."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlannedStage:
    """A stage of this pipeline.

    Attributes
    ----------
    name : of the stage
    work : its job
    after : names of the stages that it waits for
    path : where its batch script lies
    """

    name: str
    work: Work
    after: tuple[str, ...]
    path: Path


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A pipeline whose configurations have been read.

    Attributes
    ----------
    settings : with absolute paths
    site : of the cluster
    stages : each after those that it waits for
    """

    settings: PipelineSettings
    site: Site
    stages: list[PlannedStage]

    def script(self, stage: PlannedStage) -> str:
        """Return the text of the batch script of a stage."""
        return stage.work.script.render(self.site, self.settings.out / LOGS)


def read_pipeline(path: Path, overrides: list[str], out: Path | None = None) -> Pipeline:
    """Read and check all configurations.

    Parameters
    ----------
    path : the pipeline's file
    overrides : ``a.b=value`` settings that win over the file
    out : folder for all results; None: the one that the file names

    Raises
    ------
    InputError
        When the configuration of the pipeline, of the site or of any job is wrong.
    """
    settings, _ = load(FROM_FILE, path, overrides)
    # Jobs start anywhere: no path may depend on where this was called.
    found: dict[str, object] = {
        "out": (out or settings.out).resolve(),
        "site": settings.site.resolve(),
    }
    for name, own in settings.stages.items():
        if isinstance(own, ConfiguredStage):
            found[name] = own.model_copy(update={"config": own.config.resolve()})
    settings = settings.model_copy(update=found)
    site = settings.read_site()
    return Pipeline(settings=settings, site=site, stages=_plan(settings, site))


def _plan(settings: PipelineSettings, site: Site) -> list[PlannedStage]:
    own = settings.stages
    around = Surroundings(out=settings.out, site=site, stages=own)
    return [
        PlannedStage(
            name=stage.name,
            work=stage.work(own[stage.name], around),
            after=tuple(name for name in (*stage.needs, *stage.follows) if name in own),
            path=settings.out / SCRIPTS / f"{stage.name}.sbatch",
        )
        for stage in STAGES
        if stage.name in own
    ]
