"""What cannot work fails within seconds, says why, and is not tried again."""

import time

import pytest

from tests.conftest import ROOT
from tests.slurm.conftest import script

pytestmark = pytest.mark.slurm

DEBUG = ROOT / "configs" / "solve" / "debug.yaml"
TRAIN = ROOT / "configs" / "train" / "debug.yaml"


def test_jobs_that_cannot_work_fail_at_once_with_the_reason(slurm, tmp_path):
    modules = tmp_path / "modules.sbatch"
    text = script("solve").read_text()
    modules.write_text(text.replace("#   load_modules gcc", "load_modules gcc"))
    petsc = tmp_path / "petsc.sbatch"
    petsc.write_text(text.replace("#   need_variables", "need_variables"))

    two = ["--nodes=2", "--ntasks-per-node=1"]
    solve = [script("solve"), DEBUG, "--out", "run"]
    unknown = ["--set", "grid.nxx=3"]
    train = [script("train"), TRAIN, "--out", "run"]
    no_petsc = {"PETSC_DIR": ""}
    cases = [
        ("knows", slurm.sbatch(*two, *solve, LAUNCHER="srun --mpi=pmi9")),
        # Each rank starts, and Open MPI or opalux.jobs.simulation.ranks finds that it is alone.
        ("srun", slurm.sbatch(*two, *solve, LAUNCHER="srun --mpi=none")),
        ("no program 'mpiexec.none'", slurm.sbatch(*two, *solve, LAUNCHER="mpiexec.none")),
        ("no 'module' command", slurm.sbatch(*two, modules, DEBUG, "--out", "run")),
        ("PETSC_DIR is not set", slurm.sbatch(*two, petsc, DEBUG, "--out", "run", **no_petsc)),
        ("did you mean 'nx'", slurm.sbatch(*two, *solve, *unknown)),
        ("torch finds 0 GPUs", slurm.sbatch("--gpus-per-node=1", "--cpus-per-task=1", *train)),
        ("TASKS=K", slurm.sbatch("--array=3,5", script("sample"), DEBUG, "--out", "run")),
        ("cannot import opalux", slurm.sbatch(*two, *solve, OPALUX_PYTHON="/usr/bin/false")),
    ]
    states = slurm.finish(*(job for _, job in cases))
    assert set(states.values()) == {"FAILED"}, slurm.logs()
    for reason, job in cases:
        log = "".join(path.read_text() for path in tmp_path.glob(f"*-{job}*.log"))
        assert reason in log, log
        assert "error" in log
        assert slurm.show(job, "Restarts") == "0"
    assert not (tmp_path / "run").exists()


def test_a_job_that_is_put_back_too_often_gives_up(slurm):
    (slurm.folder / "long.yaml").write_text("grid: {nx: 300, ny: 300}\ntime: {final: 0.1}")
    line = ["--ntasks-per-node=1", "--nodes=1", script("solve"), "long.yaml", "--out", "run"]
    job = slurm.sbatch(*line, OPALUX_REQUEUES="0")
    slurm.until((slurm.folder / "run" / ".solution.h5.part").exists)
    slurm.out("scancel", "--signal=USR1", "--batch", job)
    assert slurm.finish(job) == {job: "FAILED"}
    assert slurm.show(job, "ExitCode") == "75:0"
    assert "which is the limit" in slurm.logs()
    assert (slurm.folder / "run" / "checkpoint.h5").exists()


def test_a_cancelled_job_stays_cancelled(slurm):
    (slurm.folder / "long.yaml").write_text("grid: {nx: 300, ny: 300}\ntime: {final: 0.1}")
    line = ["--ntasks-per-node=1", "--nodes=1", script("solve"), "long.yaml", "--out", "run"]
    job = slurm.sbatch(*line)
    slurm.until((slurm.folder / "run" / ".solution.h5.part").exists)
    slurm.out("scancel", job)
    assert slurm.finish(job) == {job: "CANCELLED"}
    time.sleep(1)
    assert slurm.states()[job] == "CANCELLED"
    assert slurm.show(job, "Restarts") == "0"
