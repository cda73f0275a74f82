"""The command reference: what each command says with --help."""

import contextlib
import importlib
import io
import os

from docs.website.markdown import fenced
from opalux.__main__ import JOBS

WIDTH = "92"
MORE = {"sample": [["status"]], "verify": [["transport"]]}
"""Commands within commands."""


def page() -> str:
    """Return the page."""
    parts = [
        "# Commands",
        "",
        "`opalux JOB --help` shows the same. Every command ends with 0 when all went well, with 2 "
        "on wrong input (one message says what to do), with 75 after a checkpoint that was asked "
        "for by a signal, `invert` with 3 where the result does not explain the data, and with "
        "another number when something failed.",
        "",
    ]
    for job, what in JOBS.items():
        parts += [f"## {job}", "", f"{what[0].upper()}{what[1:]}.", "", fenced(help_of(job))]
        for words in MORE.get(job, []):
            parts += [f"### {job} {' '.join(words)}", "", fenced(help_of(job, *words))]
    return "\n".join(parts)


def help_of(job: str, *words: str) -> str:
    """Return what a command says with --help."""
    said = io.StringIO()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = WIDTH
    try:
        with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
            importlib.import_module(f"opalux.jobs.{job}").main([*words, "--help"])
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    return said.getvalue()
