"""The logger ``opalux``: silent in a library, lines on standard error in a command."""

import logging

from opalux.base.messages import LOGGER, on_standard_error
from opalux.base.progress import Progress
from opalux.jobs.solve import main

SMALL = ["debug", "--set", "grid.nx=30", "--set", "output.pictures=false"]


def work():
    with Progress("work", 2) as progress:
        progress.advance(2)


def test_a_library_hands_its_lines_to_the_loggers_of_its_program(caplog, capsys):
    work()
    assert caplog.records == []
    with caplog.at_level(logging.INFO, "opalux"):
        work()
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("opalux.progress", "INFO")
    assert record.getMessage() == "work: 2/2, 0 s, 0 s left"
    assert capsys.readouterr().err == ""


def test_a_command_shows_each_line_once_and_leaves_no_trace(tmp_path, caplog, capsys):
    before = LOGGER.level, list(LOGGER.handlers), LOGGER.propagate
    logging.getLogger().addHandler(handler := logging.StreamHandler())
    try:
        with on_standard_error():  # as a command that starts another one
            assert main([*SMALL, "--out", str(tmp_path)]) == 0
    finally:
        logging.getLogger().removeHandler(handler)
    assert capsys.readouterr().err.count("solve: ") == 1
    assert (LOGGER.level, LOGGER.handlers, LOGGER.propagate) == before


def test_warnings_and_errors_say_what_they_are(capsys):
    with on_standard_error():
        LOGGER.warning("thin")
        LOGGER.error("bad %s", "map")
    assert capsys.readouterr().err == "warning: thin\nerror: bad map\n"
