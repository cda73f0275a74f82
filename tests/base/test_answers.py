"""What scripts read: faults alone with --quiet, one object with --json."""

import io
import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from opalux.base.answers import Faults
from opalux.jobs.solve import main

LINES = ["made 3 of 4", "error: bad\n  and why", "advice: finer", "warning: thin", "  indented"]
SMALL = ["debug", "--set", "grid.nx=30", "--set", "output.pictures=false"]


@given(st.lists(st.sampled_from(LINES)), st.integers(1, 7))
def test_only_faults_pass_however_the_text_is_cut(lines, size):
    text = "".join(f"{line}\n" for line in lines)
    shown = io.StringIO()
    stream = Faults(shown)
    for start in range(0, len(text), size):
        stream.write(text[start : start + size])
    expected, passing = "", False
    for line in text.splitlines():
        passing = line.startswith(("error:", "warning:")) or (line.startswith(" ") and passing)
        expected += f"{line}\n" if passing else ""
    assert shown.getvalue() == expected


def test_one_json_object_tells_about_a_run(tmp_path, capsys):
    assert main([*SMALL, "--json", "--out", str(tmp_path / "run")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["job"], told["exit_code"], told["faults"]) == ("solve", 0, None)
    assert told["folder"] == str(tmp_path / "run")
    assert told["files"]["run.json"]["grid"] == {"nx": 30, "ny": 30}
    assert np.isfinite(told["files"]["run.json"]["wall_seconds"])


def test_json_holds_the_message_of_an_error(tmp_path, capsys):
    assert main([*SMALL, "--json", "--quiet", "--set", "grid.nx=-1"]) == 2
    shown = capsys.readouterr()
    told = json.loads(shown.out)
    assert told["exit_code"] == 2
    assert told["faults"].startswith("error: ")
    assert "grid.nx" in told["faults"]
    assert shown.err == f"{told['faults']}\n"


def test_a_quiet_run_says_nothing(tmp_path, capsys):
    assert main([*SMALL, "--quiet", "--out", str(tmp_path / "run")]) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")
    assert (tmp_path / "run" / "solution.h5").is_file()
