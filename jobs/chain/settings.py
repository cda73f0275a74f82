"""The configuration file of a pipeline."""

from typing import Any

import pydantic

from opalux.base.config import load
from opalux.base.settings import Settings, SettingsPath
from opalux.jobs.chain.stages.table import STAGES
from opalux.jobs.cluster.site import Resources, Site


class PipelineSettings(Settings):
    """A chain of stages; the model that reads a file, `FROM_FILE`, has a field for each of them."""

    site: SettingsPath
    """File of site settings; relative to this file."""
    out: SettingsPath
    """Folder for all results; relative to this file."""

    @property
    def stages(self) -> dict[str, Resources]:
        """The settings of the stages that run, by name, in the order of the table."""
        found: dict[str, Resources] = {}
        for stage in STAGES:
            own = getattr(self, stage.name)
            if own is not None and (not stage.always or found.keys() >= set(stage.needs)):
                found[stage.name] = own
        return found

    @pydantic.model_validator(mode="after")
    def _has_stages(self) -> "PipelineSettings":
        found = self.stages
        if not found:
            first = ", ".join(stage.name for stage in STAGES if not stage.needs)
            raise ValueError(f"found no stage, expected one or more of {first}")
        for stage in STAGES:
            for need in stage.needs:
                if stage.name in found and need not in found:
                    raise ValueError(
                        f"{stage.name}: found no {need} stage, whose results it works on; add "
                        f"{need}, or leave {stage.name} out"
                    )
        return self

    def read_site(self) -> Site:
        """Return the site's settings."""
        return load(Site, self.site)[0]


def _fields() -> dict[str, Any]:
    return {
        stage.name: (stage.settings, stage.settings())
        if stage.always
        else (stage.settings | None, None)
        for stage in STAGES
    }


FROM_FILE: type[PipelineSettings] = pydantic.create_model(
    "PipelineSettings", __base__=PipelineSettings, **_fields()
)
"""The settings with a field for each stage of the table."""
