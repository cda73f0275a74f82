"""The table of stages: what a stage brings is enough for pipeline and status."""

import pytest
import yaml

from opalux.base.config import load
from opalux.base.errors import InputError
from opalux.base.shipped import BATCH_SCRIPTS
from opalux.jobs.chain.settings import FROM_FILE
from opalux.jobs.chain.stages.table import STAGES

BY_NAME = {stage.name: stage for stage in STAGES}


@pytest.fixture
def read(tmp_path):
    """Return a reader of pipelines whose site has no settings."""

    def read(**stages):
        path = tmp_path / "pipeline.yaml"
        path.write_text(yaml.safe_dump({"site": "site.yaml", "out": "out", **stages}))
        return load(FROM_FILE, path)[0]

    return read


def test_each_stage_stands_behind_those_that_it_waits_for():
    names = list(BY_NAME)
    for stage in STAGES:
        for other in (*stage.needs, *stage.follows):
            assert names.index(other) < names.index(stage.name)


@pytest.mark.parametrize("name", BY_NAME)
def test_each_stage_has_a_batch_script_and_a_key_in_the_file(name):
    assert (BATCH_SCRIPTS / f"{name}.sbatch").is_file()
    assert name in FROM_FILE.model_fields


def test_a_campaign_brings_its_check_and_nothing_else_does(read):
    assert list(read(sample={"config": "a.yaml"}).stages) == ["sample", "check"]
    assert list(read(solve={"config": "a.yaml"}).stages) == ["solve"]


def test_a_stage_without_those_that_it_needs_is_refused(read):
    with pytest.raises(InputError, match=r"evaluate: found no train stage, .* add train, or leave"):
        read(sample={"config": "a.yaml"}, evaluate={})


def test_a_pipeline_without_stages_is_refused_with_those_that_it_may_have(read):
    with pytest.raises(InputError, match="expected one or more of sample, train, solve, siqd"):
        read()


def test_the_order_of_the_file_does_not_matter(read):
    stages = read(evaluate={}, train={"config": "b.yaml"}, sample={"config": "a.yaml"}).stages
    assert list(stages) == ["sample", "check", "train", "evaluate"]
