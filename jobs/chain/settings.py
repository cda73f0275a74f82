"""The configuration file of a pipeline."""

from typing import Annotated, Literal

import pydantic

from opalux.base.config import load
from opalux.base.settings import Settings, SettingsPath
from opalux.jobs.cluster.site import Resources, Site

Override = Annotated[str, pydantic.StringConstraints(pattern=r"^[^=\s]+=")]


class Stage(Resources):
    """One job of the pipeline, and what it asks for beyond the site's settings."""

    set: tuple[Override, ...] = ()
    """Overrides a.b=value for its configuration."""


class ConfiguredStage(Stage):
    """A job with a configuration file."""

    config: SettingsPath
    """Relative to the pipeline's file."""


class SampleStage(ConfiguredStage):
    """The campaign."""

    by: Literal["array", "dask"] = "array"
    """A job array; or a job that brings workers, as the configuration's ``backend`` says."""
    tasks: int = pydantic.Field(8, ge=1, le=10000)
    """Elements of the array."""


class PipelineConfig(Settings):
    """A chain sample → check → train → evaluate, and jobs beside it; each stage may be left out."""

    site: SettingsPath
    """File of site settings; relative to this file."""
    out: SettingsPath
    """Folder for all results; relative to this file."""
    sample: SampleStage | None = None
    check: Resources = Resources()
    """Of the data set, after the campaign; with the overrides of ``sample``."""
    train: ConfiguredStage | None = None
    """On the campaign's data set; without one, on that of its configuration."""
    evaluate: Stage | None = None
    solve: ConfiguredStage | None = None
    siqd: ConfiguredStage | None = None

    @pydantic.model_validator(mode="after")
    def _has_stages(self) -> "PipelineConfig":
        if not (self.sample or self.train or self.solve or self.siqd):
            raise ValueError("found no stage, expected one or more of sample, train, solve, siqd")
        if self.evaluate and not self.train:
            raise ValueError("evaluate: found no train stage, whose network could be judged")
        return self

    def read_site(self) -> Site:
        """Return the site's settings."""
        return load(Site, self.site)[0]
