"""Run folders: only ours is resumed, replaced or removed, and one process works in each."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from opalux.base.errors import InputError
from opalux.base.run_folder import (
    LOCK,
    MARKER,
    add_made,
    is_in_use,
    read_marker,
    remove_run,
    run_folder,
)
from tests.conftest import ROOT

MAKES = ("result.h5", "pictures/*.png")


def enter(out, text="a: 1\nb: {c: 2}\n", **changes):
    options = {"job": "solve", "makes": MAKES, "resume": False, "force": False, **changes}
    return run_folder(Path(out), text, **options)


def made(out):
    """Make what a run makes, and what others might have put beside it."""
    with enter(out):
        (out / "result.h5").write_text("ours")
        (out / ".result.h5.host.17.part.h5").write_text("ours, unfinished")
        (out / "pictures").mkdir()
        (out / "pictures" / "a.png").write_text("ours")
        (out / "pictures" / "notes.txt").write_text("theirs")
        (out / "thesis.tex").write_text("theirs")
    return out


def names(out):
    return {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}


@pytest.mark.parametrize("way", [{"resume": True}, {"force": True}])
@pytest.mark.parametrize("content", ["config.yaml", ".hidden", "run.json"])
def test_a_folder_without_our_marker_is_left_alone(way, content, tmp_path):
    (tmp_path / content).write_text("theirs")
    with pytest.raises(InputError, match="no run of Opalux"), enter(tmp_path, **way):
        pass
    assert names(tmp_path) == {content}


def test_force_removes_what_the_run_made_and_nothing_else(tmp_path):
    out = made(tmp_path / "run")
    with enter(out, "a: 2\n", force=True):
        pass
    assert names(out) == {"pictures/notes.txt", "thesis.tex", "config.yaml", MARKER, LOCK}
    assert (out / "config.yaml").read_text() == "a: 2\n"


def test_what_another_job_added_is_removed_too(tmp_path):
    out = made(tmp_path / "run")
    (out / "report.html").touch()
    add_made(out, ["report.html"])
    with enter(out, force=True):
        pass
    assert "report.html" not in names(out)


@pytest.mark.parametrize("pattern", ["../*", "/etc/*", "**/*", "", 3])
def test_a_damaged_marker_removes_nothing_outside_the_run(pattern, tmp_path):
    out = made(tmp_path / "run")
    (tmp_path / "beside.txt").touch()
    (out / MARKER).write_text(f'{{"job": "solve", "makes": [{pattern!r}]}}'.replace("'", '"'))
    with enter(out, force=True):
        pass
    assert (tmp_path / "beside.txt").exists()
    assert (out / "thesis.tex").exists()


def test_a_run_that_left_nothing_is_removed_with_its_folder_if_that_is_empty(tmp_path):
    with enter(tmp_path / "empty"):
        pass
    remove_run(tmp_path / "empty")
    assert not (tmp_path / "empty").exists()
    remove_run(made(tmp_path / "shared"))
    assert names(tmp_path / "shared") == {"pictures/notes.txt", "thesis.tex"}


def test_a_foreign_folder_is_not_removed(tmp_path):
    (tmp_path / "result.h5").touch()
    remove_run(tmp_path)
    assert (tmp_path / "result.h5").exists()


def test_a_folder_that_is_there_is_neither_resumed_nor_replaced_unasked(tmp_path):
    out = made(tmp_path / "run")
    with pytest.raises(InputError, match="exists already"), enter(out):
        pass


def test_another_configuration_is_refused_by_the_name_of_the_key(tmp_path):
    out = made(tmp_path / "run")
    with (
        pytest.raises(InputError, match=r"b\.c: 2 then, 3 now"),
        enter(out, "a: 1\nb: {c: 3}\n", resume=True),
    ):
        pass


def test_a_run_of_another_job_is_refused(tmp_path):
    out = made(tmp_path / "run")
    with pytest.raises(InputError, match="'opalux solve'"), enter(out, job="train", resume=True):
        pass


def test_a_link_to_a_folder_is_a_folder(tmp_path):
    out = made(tmp_path / "run")
    link = tmp_path / "link"
    link.symlink_to(out)
    with enter(link, force=True):
        pass
    assert link.is_symlink()
    assert "thesis.tex" in names(out)


@pytest.fixture
def worker(tmp_path):
    """Start a process that works in the folder until it is told to stop."""
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from opalux.base.run_folder import run_folder
        together = sys.argv[2] == "together"
        with run_folder(Path(sys.argv[1]), "a: 1", job="solve", makes=(), resume=False,
                        force=False, together=together):
            print("in", flush=True)
            sys.stdin.readline()
        """
    )
    started = []

    def start(out, mode="alone"):
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(out), mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "in\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.parametrize("way", [{"resume": True}, {"force": True}])
def test_a_second_process_is_told_who_works_there(way, worker, tmp_path):
    process = worker(tmp_path / "run")
    assert is_in_use(tmp_path / "run")
    with (
        pytest.raises(InputError, match=rf"another process works there \(pid {process.pid} on"),
        enter(tmp_path / "run", "a: 1", **way),
    ):
        pass
    process.kill()
    process.wait()
    assert not is_in_use(tmp_path / "run")
    with enter(tmp_path / "run", "a: 1", **way):
        assert is_in_use(tmp_path / "run")


def test_processes_that_share_the_work_share_the_folder(worker, tmp_path):
    worker(tmp_path / "run", "together")
    with enter(tmp_path / "run", "a: 1", together=True):
        pass
    with (
        pytest.raises(InputError, match="another process works there"),
        enter(tmp_path / "run", "a: 1", resume=True),
    ):
        pass


def test_the_marker_says_which_job_and_version_made_the_run(tmp_path):
    made(tmp_path / "run")
    marker = read_marker(tmp_path / "run")
    assert marker is not None
    assert marker["job"] == "solve"
    assert marker["makes"] == ["config.yaml", *sorted(MAKES)]
    assert os.access(tmp_path / "run" / MARKER, os.R_OK)
