"""`import opalux` keeps what it promises: every public name, typed, and loaded only when used."""

import os
import re
import subprocess
import sys

import pytest

import opalux
from tests.conftest import ROOT


@pytest.mark.parametrize("name", opalux.__all__)
def test_every_public_name_is_there_and_documented(name):
    assert getattr(opalux, name).__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Problme'"):
        opalux.Problme  # noqa: B018


def test_importing_opalux_loads_nothing_else():
    code = "import sys, opalux; print(sorted(m for m in sys.modules if m.startswith('opalux')))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "['opalux']"


def test_the_page_on_the_public_names_runs_as_it_stands(tmp_path):
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    body = "".join(f"    {line}\n" for line in code.splitlines())
    (tmp_path / "page.py").write_text(
        f"def main():\n{body}\nif __name__ == '__main__':\n    main()\n"
    )
    line = [sys.executable, "-m", "opalux", "solve", str(ROOT / "configs/solve/debug.yaml")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"}
    for words in ([*line, "--out", "runs/solve/debug"], [sys.executable, "page.py"]):
        done = subprocess.run(
            words,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
