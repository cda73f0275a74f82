"""Configurations that come with Opalux have names, and leave the user's files alone."""

from pathlib import Path

import pytest

from opalux.base.config import load
from opalux.base.errors import InputError
from opalux.base.settings import Settings, SettingsPath
from opalux.base.shipped import CONFIGS, find_config, true_folder


class OneFolder(Settings):
    folder: SettingsPath


def test_a_bare_name_is_a_configuration_of_that_job():
    assert find_config("solve", Path("published")) == CONFIGS / "solve" / "published.yaml"


def test_a_file_of_the_user_wins_over_a_name(tmp_path, monkeypatch):
    (tmp_path / "published").write_text("grid: {nx: 8}")
    monkeypatch.chdir(tmp_path)
    assert find_config("solve", Path("published")) == Path("published")


@pytest.mark.parametrize("given", ["debug.yaml", "a/debug", "./x.cfg"])
def test_what_looks_like_a_path_is_left_as_it_is(given):
    assert find_config("solve", Path(given)) == Path(given)


def test_an_unknown_name_is_answered_by_the_known_ones():
    with pytest.raises(InputError, match="one of the names debug, implicit_marshak"):
        find_config("solve", Path("publish"))


def test_a_job_without_configurations_takes_any_word():
    assert find_config("evaluate", Path("run")) == Path("run")


def test_results_of_a_named_configuration_lie_in_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (CONFIGS / "train" / "debug.yaml").read_text()
    assert "folder: ../../runs/sample/debug" in text
    folder = true_folder(CONFIGS / "train")
    found = OneFolder.model_validate(
        {"folder": "../../runs/sample/debug"}, context={"folder": folder}
    )
    assert found.folder == tmp_path / "runs" / "sample" / "debug"


def test_paths_in_a_file_of_the_user_are_beside_that_file(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.yaml").write_text("folder: ../../runs/x")
    checked, _ = load(OneFolder, tmp_path / "a" / "one.yaml")
    assert checked.folder == tmp_path.resolve() / "a" / "../../runs/x"
