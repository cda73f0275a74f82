"""Every command understands its line before it loads what is heavy."""

import subprocess
import sys

import pytest

from opalux.__main__ import JOBS
from opalux.jobs.dataset import FORMATS
from opalux.learning.data.export import EXPORTS
from tests.conftest import ROOT

HEAVY = (
    "torch",
    "numba",
    "matplotlib",
    "scipy",
    "sklearn",
    "h5py",
    "dask",
    "distributed",
    "mpi4py",
)


@pytest.mark.parametrize("job", JOBS)
def test_help_loads_nothing_heavy(job):
    code = (
        "import sys\nfrom opalux.__main__ import main\n"
        f"try:\n    main(['{job}', '--help'])\nexcept SystemExit as end:\n    assert not end.code\n"
        f"print('loaded:', [name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: opalux {job}")
    assert done.stdout.rstrip().endswith("loaded: []")


def test_the_command_line_knows_every_format_of_the_export():
    assert sorted(EXPORTS) == list(FORMATS)
