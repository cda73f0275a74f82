"""Families in the user's own files: drawn, made again, and never run because a data set says so."""

import json
import pickle

import numpy as np
import pytest

from opalux.base.errors import InputError
from opalux.jobs import dataset, sample
from opalux.jobs.sampling.campaign import Campaign
from opalux.learning.data.card import read_card
from opalux.learning.data.data_set import DataSet
from opalux.solver.densities.family import Stream
from opalux.solver.densities.user import UserFamily
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "sampling.md").read_text()
STRIPES = (
    PAGE[PAGE.index("from typing import Literal") : PAGE.index("```\n\nand this names it")]
    + """


class Negative(Stripes):
    def draw(self, stream, shape, index):
        return -np.ones(shape), {}


class Small(Stripes):
    def draw(self, stream, shape, index):
        return np.ones((2, 2)), {}


class Nothing:
    pass
"""
)
CONFIG = """
name: mine
splits: {train: 3, test: 1}
shard_size: 2
problem: {grid: {nx: 8}, time: {final: 0.002}}
n_times: 5
families: [{kind: user, code: "stripes.py:Stripes", settings: {waves: [3, 4]}}]
backend: {kind: BACKEND}
"""


@pytest.fixture
def config(tmp_path):
    (tmp_path / "stripes.py").write_text(STRIPES)
    path = tmp_path / "mine.yaml"
    path.write_text(CONFIG.replace("BACKEND", "in-process"))
    return path


def test_a_campaign_draws_from_the_users_file_in_every_process(config, tmp_path):
    assert sample.main([str(config), "--out", str(tmp_path / "one")]) == 0
    config.write_text(CONFIG.replace("BACKEND", "local, workers: 2"))
    assert sample.main([str(config), "--out", str(tmp_path / "two")]) == 0
    one, two = DataSet(tmp_path / "one"), DataSet(tmp_path / "two")
    for number in range(4):
        assert one.density(number).tobytes() == two.density(number).tobytes()
        assert 3 <= json.loads(one.index("drawn")[number])["waves"] < 4
    assert one.card.families == ("Stripes",)


def test_a_data_set_does_not_run_code(config, tmp_path, capsys):
    out = tmp_path / "set"
    assert sample.main([str(config), "--out", str(out)]) == 0
    (tmp_path / "stripes.py").write_text("raise SystemExit('code was run')")
    campaign = Campaign.of(read_card(out))
    with pytest.raises(InputError, match="no code is run because a data set names it"):
        campaign.draw(0)
    assert len(campaign.draw_sources(0)) == 4
    capsys.readouterr()
    assert dataset.main(["check", str(out), "--resimulate", "2"]) == 0
    said = capsys.readouterr().out
    assert "2 made again" in said
    assert "densities of Stripes, which the user's own code draws" in said


def test_a_set_is_not_continued_with_code_that_changed(config, tmp_path, capsys):
    out = tmp_path / "set"
    assert sample.main([str(config), "--out", str(out)]) == 0
    (out / "part-00001.h5").unlink()
    (tmp_path / "stripes.py").write_text(STRIPES + "\n# other code\n")
    assert sample.main([str(config), "--out", str(out)]) == 2
    assert "sha256" in capsys.readouterr().err


def test_a_family_survives_pickling_with_its_class(config):
    family = UserFamily(code=f"{config.parent / 'stripes.py'}:Stripes", settings={"waves": 3})
    again = pickle.loads(pickle.dumps(family))
    before, after = (one.draw(Stream(1), (4, 4), 0)[0] for one in (family, again))
    np.testing.assert_array_equal(before, after)


def test_a_class_may_come_from_an_installed_package():
    family = UserFamily(code="opalux.solver.densities.layers:Layers", name="mine")
    assert family.label == "mine"
    assert family.draw(Stream(1), (4, 4), 0)[0].shape == (4, 4)


@pytest.mark.parametrize(
    ("code", "settings", "message"),
    [
        ("stripes.py", "{}", "expected file.py:Class or package.module:Class"),
        ("missing.py:Stripes", "{}", "found no file"),
        ("no.such.module:Stripes", "{}", "found no module no.such.module"),
        ("stripes.py:Missing", "{}", "found no 'Missing'"),
        ("stripes.py:Nothing", "{}", "expected a class that derives from"),
        ("stripes.py:Stripes", "{wave: 3}", "settings.wave"),
        ("broken.py:Stripes", "{}", "cannot be loaded (NameError"),
    ],
)
def test_what_cannot_be_loaded_is_refused_before_any_work(config, code, settings, message, capsys):
    (config.parent / "broken.py").write_text("x = y")
    text = config.read_text().replace("stripes.py:Stripes", code)
    config.write_text(text.replace("{waves: [3, 4]}", settings))
    out = config.parent / "set"
    assert sample.main([str(config), "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("error:") == 1
    assert "Traceback" not in error
    assert not out.exists()


@pytest.mark.parametrize(("name", "found"), [("Negative", "from -1 to -1"), ("Small", "(2, 2)")])
def test_maps_that_are_no_densities_are_refused(config, name, found):
    family = UserFamily(code=f"{config.parent / 'stripes.py'}:{name}")
    with pytest.raises(InputError, match="expected") as caught:
        family.draw(Stream(1), (4, 4), 0)
    assert found in str(caught.value)
