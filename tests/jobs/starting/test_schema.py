"""The JSON Schemas are those of the models, and agree with the models on what they accept."""

import json

import fastjsonschema
import pytest

from opalux.base.yaml_text import parse_yaml
from opalux.jobs.starting.models import FILES
from opalux.jobs.starting.schema import FOLDER, schema_of
from tests.conftest import ROOT


@pytest.mark.parametrize("job", FILES)
def test_the_schema_is_that_of_the_model(job):
    stored = (FOLDER / f"{job}.json").read_text(encoding="utf-8")
    assert stored == schema_of(job), "run 'make schemas'"


@pytest.mark.parametrize("job", FILES)
def test_every_shipped_configuration_fits_its_schema(job):
    fits = fastjsonschema.compile(json.loads(schema_of(job)), use_default=False)
    files = [*(ROOT / "configs" / job).glob("*.yaml"), ROOT / "configs" / "init" / f"{job}.yaml"]
    for path in files:
        fits(parse_yaml(path.read_text(encoding="utf-8"), str(path)))


@pytest.mark.parametrize(
    "text",
    [
        "grid: {nz: 3}",
        "grid: {nx: eight}",
        "edges: {left: {kind: sauce}}",
        "material: {density: {kind: values}}",
        "time: {final: -1}",
    ],
)
def test_a_schema_refuses_what_the_model_refuses(text):
    fits = fastjsonschema.compile(json.loads(schema_of("solve")), use_default=False)
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        fits(parse_yaml(text, "text"))


@pytest.mark.parametrize("density", ["1.5", "1 + x*y", "map.npy", "{kind: array, file: a.csv}"])
def test_a_schema_takes_a_density_in_short_and_in_full(density):
    fits = fastjsonschema.compile(json.loads(schema_of("solve")), use_default=False)
    fits(parse_yaml(f"material: {{density: {density}}}", "text"))


def test_keys_carry_their_meaning_for_editors():
    made = json.loads(schema_of("solve"))
    assert made["$defs"]["Time"]["properties"]["final"]["description"] == "Final time t_f [sh]."
