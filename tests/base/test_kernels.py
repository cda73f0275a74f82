"""Machine code is that of the sources as they are, and runs where nothing can be written."""

import os
import shutil
import subprocess
import sys
import textwrap

import pytest

from opalux.base.shipped import PACKAGE

SCRIPT = """
import numpy as np
from opalux.base.kernels import cache_folder
from opalux.solver.schemes.halo import fill_halo
wide = np.ones((4, 6, 6))
rules = np.full((4, 4), 1)  # GIVEN
given = np.full((4, 2), 7.0)
fill_halo(wide, rules, given, given, given, given, 1.0)
print(wide[0, 1, 2], "cache" if cache_folder() else "no cache")
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """Return a folder with a copy of the package, to be changed."""
    folder = tmp_path_factory.mktemp("package")
    for name in ("base", "solver"):
        shutil.copytree(PACKAGE / name, folder / "opalux" / name)
    shutil.copy(PACKAGE / "__init__.py", folder / "opalux")
    return folder


def run(package, script=SCRIPT, **environment):
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(package), **environment},
        cwd=package,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_change_in_a_function_that_others_inline_takes_effect_at_once(package, tmp_path):
    cache = str(tmp_path)
    assert run(package, NUMBA_CACHE_DIR=cache) == "7.0 cache"
    assert run(package, NUMBA_CACHE_DIR=cache) == "7.0 cache"
    changed = package / "opalux" / "solver" / "schemes" / "ghosts.py"
    text = changed.read_text()
    assert text.count("        return given\n") == 1
    # halo.py, whose kernel has this inlined, stays as it is
    changed.write_text(text.replace("        return given\n", "        return 2.0 * given\n"))
    try:
        assert run(package, NUMBA_CACHE_DIR=cache) == "14.0 cache"
    finally:
        changed.write_text(text)


def test_kernels_compile_without_a_cache_where_no_folder_can_be_written(package):
    assert run(package, HOME="/proc/nowhere") == "7.0 no cache"


def test_compiling_is_told_once_and_its_time_is_counted_apart(package, tmp_path):
    told = f"""
import contextlib, io, time
from opalux.base import compilation
from opalux.base.messages import on_standard_error
said, start = io.StringIO(), time.perf_counter()
with contextlib.redirect_stderr(said), on_standard_error():
{textwrap.indent(SCRIPT, "    ")}
print(said.getvalue().count("compiling kernels"))
print(0 < compilation.seconds() < time.perf_counter() - start)
"""
    cache = str(tmp_path)
    assert run(package, told, NUMBA_CACHE_DIR=cache).split("\n") == ["7.0 cache", "1", "True"]
    assert run(package, told, NUMBA_CACHE_DIR=cache).split("\n") == ["7.0 cache", "0", "False"]


def test_machine_code_that_the_disk_has_no_room_for_ends_nothing(package, tmp_path):
    limited = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (2000, -1))\n"
    assert run(package, limited + SCRIPT, NUMBA_CACHE_DIR=str(tmp_path)) == "7.0 cache"
