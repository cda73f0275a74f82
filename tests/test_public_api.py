"""`import opalux` keeps what it promises: every public name, typed, and loaded only when used."""

import subprocess
import sys

import pytest

import opalux


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
