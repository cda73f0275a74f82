"""JSON Schemas of the configurations, made of the models, for editors that check while one types.

``python -m opalux.jobs.starting.schema`` (``make schemas``) writes them to configs/schema.
"""

import json
from typing import Any

import pydantic.json_schema
from pydantic_core import core_schema

from opalux.base.command_line import settings_of
from opalux.base.files import write_text
from opalux.base.keys import meanings, summary
from opalux.base.settings import PYTHON_ONLY, Settings
from opalux.base.shipped import CONFIGS
from opalux.jobs.starting.models import FILES

FOLDER = CONFIGS / "schema"


class _Described(pydantic.json_schema.GenerateJsonSchema):
    """Gives each key its meaning; what has no place in a file fits nothing."""

    def model_schema(self, schema: core_schema.ModelSchema) -> dict[str, Any]:
        """Return the schema of a group of keys."""
        model = schema["cls"]
        if model.model_config.get("title") == PYTHON_ONLY:
            return {"not": {}}
        made = super().model_schema(schema)
        if issubclass(model, Settings):
            known = meanings(model)
            made["description"] = summary(model)
            entries = made.get("properties", {})
            for name in model.not_keys:
                entries.pop(name, None)
            for name, entry in entries.items():
                entry.pop("title", None)
                if name in known:
                    entry["description"] = known[name]
        return made


def schema_of(job: str) -> str:
    """Return the JSON Schema of a job's configuration, as text."""
    model = settings_of(FILES[job])
    made = model.model_json_schema(schema_generator=_Described)
    made = {
        "$schema": pydantic.json_schema.GenerateJsonSchema.schema_dialect,
        "title": f"configuration of opalux {job}",
        **{name: value for name, value in made.items() if name != "title"},
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def write_schemas() -> None:
    """Write the schemas of all configurations."""
    FOLDER.mkdir(exist_ok=True)
    for job in FILES:
        write_text(FOLDER / f"{job}.json", schema_of(job))


if __name__ == "__main__":
    write_schemas()
