"""A log that cannot be written never costs a result."""

import shlex
import subprocess
import sys

import pytest

from tests.conftest import ROOT, clean_environment


def run(redirection, out):
    line = (
        f"'{sys.executable}' -m opalux solve configs/solve/debug.yaml --out '{out}' {redirection}"
    )
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize(
    "redirection",
    ["2>/dev/full", "2>&-", ">&- 2>&- <&-", "2>&1 | head -c 1"],
    ids=["full log", "closed log", "nothing open", "reader that left"],
)
def test_a_run_whose_log_is_lost_writes_its_results_and_succeeds(redirection, tmp_path):
    done = run(redirection, tmp_path / "run")
    assert done.returncode == 0
    assert (tmp_path / "run" / "run.json").is_file()
    assert (tmp_path / "run" / "solution.h5").is_file()


def test_standard_output_on_a_full_disk_is_told_once_the_results_are_written(tmp_path):
    line = f"'{sys.executable}' -m opalux solve configs/solve/debug.yaml --dry-run >/dev/full"
    done = subprocess.run(
        ["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "error: standard output: cannot be written (No space left on device)\n"


@pytest.mark.parametrize("word", ["--version", "--help"])
def test_a_word_about_opalux_that_is_lost_is_told(word):
    line = f"{shlex.quote(sys.executable)} -m opalux {word} > /dev/full"
    done = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "error: standard output: cannot be written (No space left on device)\n"
