"""Running the demo: its stages one after the other, then a report."""

import importlib.util
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from opalux.base.errors import InputError, OpaluxError
from opalux.base.exit_codes import BAD_INPUT, OK
from opalux.base.files import write_text
from opalux.jobs.chain.demo.lines import TRAIN, Line, demo_lines
from opalux.jobs.cluster.mpi_check import check_launcher, check_libraries

RANKS = 2
PACKAGES = {"torch": "torch", "tensorboard": "torch", "dask": "cluster", "distributed": "cluster"}
"""Packages that the stages need, and the extra of Opalux that brings each."""

ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "TORCH_CPP_LOG_LEVEL": "ERROR",
    # Open MPI refuses root, and more ranks than cores, unless it is told.
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
}


def run_demo(out: Path, say: Callable[[str], None] = print) -> Path:
    """Run all stages and write the report; stages that are done are not done again.

    Parameters
    ----------
    out : folder for all results
    say : is told each command line before it runs, and the result

    Returns
    -------
    The report.

    Raises
    ------
    InputError
        When ``out`` cannot be written, a package is missing or a stage refuses its input.
    OpaluxError
        When a stage fails.
    """
    began = time.monotonic()
    check_packages()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"--out {out}: cannot write there ({error.strerror}); choose another folder"
        ) from None
    without = why_no_mpi()
    if without:
        say(f"no MPI here, so that one process solves: {without}")
    lines = demo_lines(out, ranks=1 if without else RANKS)
    seconds = []
    for number, line in enumerate(lines, 1):
        say(f"\n[{number}/{len(lines)}] {line.title}\n    {line.typed}")
        before = time.monotonic()
        _call(number, line)
        seconds.append(time.monotonic() - before)
    # Importing matplotlib and torch takes seconds; the first command line is to show at once.
    from opalux.jobs.chain.demo.page import demo_page

    metrics = json.loads((out / TRAIN / "metrics.json").read_text(encoding="utf-8"))
    report = out / "report.html"
    write_text(report, demo_page(out, lines, seconds, metrics))
    say(
        f"\nR² on {metrics['n_maps']} held-out maps: {metrics['r2_pooled']:.4f} "
        f"(published, 64 x 64: 0.87-0.89), {time.monotonic() - began:.0f} s in all"
        f"\nreport: {report.resolve()}"
    )
    return report


def check_packages() -> None:
    """Check that the packages are there that the stages need.

    Raises
    ------
    InputError
        When some are not installed.
    """
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        extras = ",".join(dict.fromkeys(PACKAGES[name] for name in missing))
        raise InputError(
            f"found no {', '.join(missing)}, which the demo needs; install opalux[{extras}], or "
            "run setup.sh in a checkout"
        )


def why_no_mpi() -> str:
    """Return why no MPI ranks can be started here; '' when they can."""
    try:
        check_launcher(["mpirun"])
        check_libraries()
    except InputError as error:
        return str(error).removeprefix("launcher: ").partition(";")[0]
    return ""


def _call(number: int, line: Line) -> None:
    code = subprocess.run(line.words, env=os.environ | ENVIRONMENT, check=False).returncode
    if code != OK:
        kind = InputError if code == BAD_INPUT else OpaluxError
        raise kind(
            f"stage {number} ended with exit code {code}; its message is above. The same command "
            "continues from this stage"
        )
