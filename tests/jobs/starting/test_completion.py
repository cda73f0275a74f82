"""Completion scripts are understood by their shells, and complete what there is."""

import shutil
import subprocess

import pytest

from opalux.__main__ import JOBS
from opalux.jobs.completion import main
from opalux.jobs.starting.completion import script


@pytest.fixture(scope="module")
def bash() -> str:
    return script("bash")


def completed(text: str, *words: str) -> list[str]:
    """Return what bash offers for the last word."""
    line = " ".join(f"'{word}'" for word in words)
    asked = f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _opalux; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(
        ["bash", "-c", f"{text}\n{asked}"], capture_output=True, text=True, check=True, cwd="/"
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_jobs_are_completed(bash):
    assert set(JOBS) <= set(completed(bash, "opalux", ""))
    assert completed(bash, "opalux", "sol") == ["solve"]


def test_options_and_configurations_are_completed(bash):
    assert completed(bash, "opalux", "solve", "--dry") == ["--dry-run"]
    assert completed(bash, "opalux", "solve", "publ") == ["published"]
    assert completed(bash, "opalux", "init", "tra") == ["train"]


def test_keys_are_completed_behind_set(bash):
    assert completed(bash, "opalux", "solve", "debug", "--set", "time.f") == ["time.final="]


def test_files_are_completed(bash):
    assert "etc" in completed(bash, "opalux", "solve", "et")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_understand_theirs(shell, capsys):
    assert main([shell]) == 0
    text = capsys.readouterr().out
    assert all(job in text for job in JOBS)
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=text, text=True, check=True)
