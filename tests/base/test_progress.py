"""Progress in a log: plain lines with the share that is done and the time left."""

import pytest

from opalux.base.messages import on_standard_error
from opalux.base.progress import Progress


@pytest.fixture(autouse=True)
def _as_in_a_command():
    with on_standard_error():
        yield


def test_a_log_gets_a_line_at_the_end_and_not_one_a_step(capsys):
    with Progress("work", 100) as progress:
        for _ in range(100):
            progress.advance()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("work: 100/100, ")
    assert shown.err.count("\n") == 1


def test_a_resumed_job_counts_what_was_done_before(capsys):
    with Progress("work", 10, 7) as progress:
        progress.advance(3)
    assert "work: 10/10" in capsys.readouterr().err


def test_a_job_that_was_done_before_has_no_time_left(capsys):
    with Progress("work", 10, 10):
        pass
    assert capsys.readouterr().err == "work: 10/10, 0 s, 0 s left\n"


def test_a_note_is_shown_at_the_end_of_a_line(capsys, monkeypatch):
    monkeypatch.setattr(Progress, "LINE_EVERY", 0.0)
    with Progress("work", 2) as progress:
        progress.advance(note="(1 failed)")
    assert capsys.readouterr().err.splitlines()[0].endswith("left (1 failed)")


def test_a_quiet_process_shows_nothing(capsys):
    with Progress("work", 2, quiet=True) as progress:
        progress.advance(2)
    assert capsys.readouterr().err == ""


def test_a_job_that_fails_does_not_say_that_it_ended(capsys):
    try:
        with Progress("work", 2) as progress:
            progress.advance()
            raise KeyError
    except KeyError:
        pass
    assert capsys.readouterr().err == ""
