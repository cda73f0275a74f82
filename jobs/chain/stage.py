"""What a stage of a pipeline is: a job of Slurm, what it needs, and what its files say."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Generic, TypeVar

import pydantic

from opalux.base.settings import SettingsPath
from opalux.jobs.chain.row import Row
from opalux.jobs.cluster.script import Script
from opalux.jobs.cluster.site import Resources, Site

Override = Annotated[str, pydantic.StringConstraints(pattern=r"^[^=\s]+=")]


class StageSettings(Resources):
    """One job of the pipeline: what it asks for beyond the site's settings."""

    set: tuple[Override, ...] = ()
    """Overrides a.b=value for its configuration."""


class ConfiguredStage(StageSettings):
    """A job with a configuration file."""

    config: SettingsPath
    """Relative to the pipeline's file."""


Own = TypeVar("Own", bound=Resources)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a stage may know of the pipeline that it is part of.

    Attributes
    ----------
    out : folder of all results, absolute
    site : settings of the cluster
    stages : settings of all stages of this pipeline, by name
    """

    out: Path
    site: Site
    stages: Mapping[str, Resources]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Work:
    """The job of a stage.

    Attributes
    ----------
    script : the batch script
    done : tells from files whether nothing is left to do
    missing : tells from files which elements of the job array are left to do; None: no array
    """

    script: Script
    done: Callable[[], bool]
    missing: Callable[[], list[int]] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stage(Generic[Own]):
    """A stage of the table `opalux.jobs.chain.stages.table`.

    Attributes
    ----------
    name : of the stage; its settings have this key in the pipeline's file
    settings : class of its settings
    folder : of its results, in the folder of the pipeline
    work : checks the configuration of the job and returns the job; InputError when it cannot run
    row : its line in the table of `opalux status`, read from the folder of its results
    needs : stages without which it cannot run
    follows : stages that it waits for when the pipeline has them
    always : it runs whenever the stages that it needs run; otherwise only when the file names it
    files : a folder that holds one of these files holds results of this kind, unless its
        config.yaml says otherwise
    keys : a folder whose config.yaml has all of these keys holds results of this kind
    """

    name: str
    settings: type[Own]
    folder: str
    work: Callable[[Own, Surroundings], Work]
    row: Callable[[Path], Row]
    needs: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    always: bool = False
    files: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


def script(
    name: str, resources: Resources, *words: object, overrides: tuple[str, ...] = ()
) -> Script:
    """Return the batch script slurm/``name``.sbatch with ``words`` as its arguments."""
    settings = [word for override in overrides for word in ("--set", override)]
    return Script(
        name=name,
        kind=name,
        resources=resources,
        arguments=(*map(str, words), *settings),
    )
