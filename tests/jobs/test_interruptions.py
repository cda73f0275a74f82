"""Signals to launchers, and lost ranks: a run ends, says so, and goes on from its files."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from opalux.base.exit_codes import CHECKPOINTED
from opalux.jobs.solve import main
from tests.conftest import ROOT, clean_environment
from tests.jobs.test_solve import same_bits

LONG = """
grid: {nx: 200, ny: 150}
time: {final: 0.006}
material: {density: 1+x}
edges: {left: {kind: source}, up: {kind: wall}}
output: {pictures: false, checkpoint_steps: 30}
"""
SCONTROL = "#!/bin/sh\ncase $1 in show) echo ' JobState=RUNNING ' ;; *) exit 1 ;; esac\n"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Path, Path]:
    """Return a configuration, and the results of its run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "long.yaml").write_text(LONG)
    assert main([str(folder / "long.yaml"), "--out", str(folder / "run")]) == 0
    return folder / "long.yaml", folder / "run" / "solution.h5"


def start(words: list[str], **environment: str) -> subprocess.Popen[str]:
    """Start a command as the leader of its own group of processes."""
    return subprocess.Popen(
        words,
        cwd=ROOT,
        env=clean_environment() | environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def await_file(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 90
    while not path.exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.005)


def ranks_of(launcher: int) -> list[int]:
    """Return the processes that a launcher has started and that are Python."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(launcher)], capture_output=True, text=True
    )
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if "jobs.solve" in line]


@pytest.mark.mpi
def test_a_batch_job_that_gets_term_leaves_a_checkpoint_and_goes_on(whole, tmp_path):
    config, expected = whole
    (tmp_path / "scontrol").write_text(SCONTROL)
    (tmp_path / "scontrol").chmod(0o755)
    out = tmp_path / "run"
    script = f'source slurm/job.sh; run mpirun -n 2 "${{PYTHON[@]}}" -m jobs.solve {config} --out'
    line = ["bash", "-c", f"{script} {out} --resume"]
    slurm = {
        "OPALUX": str(ROOT),
        "OPALUX_PYTHON": sys.executable,
        "SLURM_JOB_ID": "1",
        "SLURM_JOB_NODELIST": "here",
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
    }
    process = start(line, **slurm)
    await_file(out / ".solution.h5.part", process)
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=60)
    assert process.returncode == CHECKPOINTED, log
    assert "stopped by a signal before step" in log
    assert (out / "checkpoint.h5").exists()
    assert main([str(config), "--out", str(out), "--resume"]) == 0
    assert same_bits(expected, out / "solution.h5")


@pytest.mark.mpi
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_rank_that_is_lost_ends_the_run_which_goes_on_from_its_checkpoint(
    number, whole, tmp_path
):
    config, expected = whole
    out = tmp_path / "run"
    process = start(
        ["mpirun", "-n", "2", sys.executable, "-m", "jobs.solve", str(config), "--out", str(out)]
    )
    await_file(out / "checkpoint.h5", process)
    ranks = ranks_of(process.pid)
    assert len(ranks) == 2
    os.kill(ranks[1], number)
    _, log = process.communicate(timeout=60)
    assert process.returncode not in (0, 2, CHECKPOINTED)
    assert "signal" in log  # the launcher says it, or PETSc
    assert not (out / "solution.h5").exists()
    assert main([str(config), "--out", str(out), "--resume"]) == 0
    assert json.loads((out / "run.json").read_text())["resumed_from_step"] > 0
    assert same_bits(expected, out / "solution.h5")
