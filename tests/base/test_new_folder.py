"""Folders for results hold a whole result or do not exist."""

import pytest

from opalux.base.errors import InputError
from opalux.base.new_folder import new_folder


def test_the_folder_is_kept_when_the_work_succeeds(tmp_path):
    with new_folder(tmp_path / "a" / "b") as out:
        (out / "result").touch()
    assert (tmp_path / "a" / "b" / "result").exists()


def test_the_folder_is_removed_when_the_work_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "out") as out:
        (out / "half").write_text(str(1 / 0))
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(InputError, match="exists already"), new_folder(tmp_path):
        pass
    assert (tmp_path / "mine").exists()
