"""The demo's command lines; the demo itself takes minutes and is run by `make demo`."""

import sys
from pathlib import Path

import pytest

from opalux.base.errors import InputError
from opalux.base.shipped import find_config
from opalux.jobs.chain.demo import run
from opalux.jobs.chain.demo.lines import demo_lines

OUT = Path("runs/demo")


def test_every_line_is_one_that_can_be_typed():
    for line in demo_lines(OUT, ranks=2):
        assert sys.executable not in line.typed
        assert "opalux " in line.typed


def test_every_configuration_of_the_demo_is_shipped():
    named = 0
    for line in demo_lines(OUT, ranks=2):
        job, name = line.words[line.words.index("opalux") + 1 :][:2]
        if job != "evaluate":
            assert find_config(job, Path(name)).is_file()
            named += 1
    assert named == 6


def test_a_file_of_the_user_does_not_take_the_place_of_a_configuration(monkeypatch, tmp_path):
    (tmp_path / "published").write_text("mine")
    monkeypatch.chdir(tmp_path)
    assert demo_lines(OUT, ranks=1)[0].words[4].endswith("published.yaml")


def test_without_mpi_one_process_solves_and_the_rest_is_the_same(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "mpirun" in run.why_no_mpi()
    alone, several = demo_lines(OUT, ranks=1), demo_lines(OUT, ranks=2)
    assert "one process" in alone[0].title
    assert alone[0].typed == several[0].typed.removeprefix("mpirun -n 2 ")
    assert [line.words for line in alone[1:]] == [line.words for line in several[1:]]


def test_a_missing_package_is_named_before_anything_is_written(monkeypatch, tmp_path):
    monkeypatch.setitem(run.PACKAGES, "no_such_package", "torch")
    with pytest.raises(InputError, match=r"no_such_package.* install opalux\[torch\]"):
        run.run_demo(tmp_path / "demo")
    assert not (tmp_path / "demo").exists()
