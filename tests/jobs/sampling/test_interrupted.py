"""Whatever is killed or runs full, the same line started again ends with the same data set."""

import dataclasses
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil  # type: ignore[import-untyped]
import pytest

from opalux.base.config import load
from opalux.jobs.cluster.pool import InProcess, Local
from opalux.jobs.sample import main
from opalux.jobs.sampling.card import card_of
from opalux.jobs.sampling.make_part import CampaignRun
from opalux.jobs.sampling.marker import Marker
from opalux.jobs.sampling.run import make_parts
from opalux.jobs.sampling.sample import simulate_here
from opalux.jobs.sampling.settings import SampleSettings
from opalux.jobs.sampling.status import read_status
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.finish import finish
from tests.conftest import ROOT

CONFIG = """
name: robust
seed: 11
splits: {train: 40, validation: 10, test: 10}
shard_size: 5
problem: {grid: {nx: 24, ny: 24}}
n_times: 8
families: [{kind: islands}, {kind: bumps}]
backend: {kind: local, workers: 2}
"""


def contents(folder: Path) -> dict[str, str]:
    names = [*folder.glob("part-*.h5"), folder / "stats.json", folder / "dataset.yaml"]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in names}


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("robust") / "robust.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def undisturbed(config):
    """What the campaign gives when nothing goes wrong."""
    out = config.parent / "undisturbed"
    assert main([str(config), "--set", "backend={kind: in-process}", "--out", str(out)]) == 0
    return contents(out)


def start(config: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "jobs.sample", str(config), "--out", str(out), *more]
    return subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def quietly(words: list[str]) -> subprocess.Popen[bytes]:
    null = subprocess.DEVNULL
    return subprocess.Popen(words, cwd=ROOT, stdout=null, stderr=null)


def wait_for(condition, process, seconds=300.0):
    """Wait until the condition holds or the process has ended."""
    deadline = time.monotonic() + seconds
    while not condition() and process.poll() is None:
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the worker processes of a job: the children that compute."""
    try:
        children = psutil.Process(process.pid).children(recursive=True)
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]
    except psutil.NoSuchProcess:
        return []


def parts_in(out: Path) -> int:
    return len(list(out.glob("part-*.h5")))


def test_killed_workers_and_a_killed_job_change_nothing(config, undisturbed, tmp_path):
    out = tmp_path / "set"
    job = start(config, out)
    wait_for(lambda: parts_in(out) >= 2, job)
    for worker in workers_of(job):
        worker.kill()
    done = parts_in(out)
    wait_for(lambda: parts_in(out) >= done + 2, job)
    job.kill()
    job.communicate()
    status = read_status(out)
    assert status.done + status.missing + status.running == 60
    assert main([str(config), "--set", "backend={kind: in-process}", "--out", str(out)]) == 0
    assert contents(out) == undisturbed
    assert DataSet(out).index("reason").tolist() == [b""] * 60


@pytest.mark.slow
def test_twenty_kills_change_nothing(config, undisturbed, tmp_path):
    """SIGKILL, at random times, of one worker, of all workers or of the job with its scheduler."""
    chance = random.Random(20)
    out = tmp_path / "set"
    job = start(config, out)
    for _ in range(20):
        if job.poll() is not None:
            # Throw finished parts away until there is work left to be killed in.
            for part in list(out.glob("part-*.h5"))[::2]:
                part.unlink()
            job = start(config, out)
        before = parts_in(out)
        wait_for(lambda before=before: parts_in(out) > before, job)
        time.sleep(chance.uniform(0, 0.3))
        victims = workers_of(job)
        kind = chance.choice(["one worker", "all workers", "job"])
        if kind == "job":
            job.kill()
            job.communicate()
        for worker in victims[: {"one worker": 1, "all workers": 2, "job": 0}[kind]]:
            worker.kill()
    job.kill()
    job.communicate()
    job = start(config, out)
    assert job.wait(timeout=300) == 0
    assert contents(out) == undisturbed


def test_a_killed_scheduler_ends_the_job_with_a_message_and_costs_nothing(
    config, undisturbed, tmp_path
):
    out, at = tmp_path / "set", tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    options = ["--scheduler-file", str(at), "--no-dashboard"]
    scheduler = quietly([*dask, "scheduler", *options, "--port", "0"])
    worker = None
    try:
        wait_for(at.exists, scheduler)
        address = json.loads(at.read_text())["address"]
        alone = ["--no-nanny", "--nthreads", "1", "--no-dashboard"]
        worker = quietly([*dask, "worker", address, *alone])
        job = start(config, out, "--set", f"backend={{kind: address, address: '{address}'}}")
        wait_for(lambda: parts_in(out) >= 2, job)
        scheduler.kill()
        _, error = job.communicate(timeout=300)
        assert job.returncode == 1
        assert "start the same line again" in error
        assert "Traceback" not in error
    finally:
        for process in (scheduler, worker):
            if process is not None:
                process.kill()
                process.wait()
    assert main([str(config), "--set", "backend={kind: in-process}", "--out", str(out)]) == 0
    assert contents(out) == undisturbed


@dataclasses.dataclass(frozen=True)
class Trouble:
    """Simulates, except on densities of 3 g/cm³, where it kills or bloats its process."""

    kind: str

    def __call__(self, problems, density):
        if density[0, 0] == 3:
            if self.kind == "crash":
                os.kill(os.getpid(), signal.SIGKILL)
            hoard = [np.ones(2**20) for _ in range(100)]  # 800 MB
            time.sleep(60)
            hoard.clear()
        return simulate_here(problems, density)


@pytest.mark.parametrize("kind", ["crash", pytest.param("memory", marks=pytest.mark.slow)])
def test_a_sample_that_kills_its_workers_is_given_up_and_the_others_are_not(tmp_path, kind):
    maps = tmp_path / "maps"
    maps.mkdir()
    for k in range(4):
        np.save(maps / f"{k}.npy", np.full((8, 8), 1.0 + k))
    path = tmp_path / "files.yaml"
    path.write_text(
        "splits: {train: 4}\nshard_size: 2\nn_times: 4\n"
        "problem: {grid: {nx: 8}, time: {final: 0.001}}\n"
        "families: [{kind: files, folder: maps}]\n"
    )
    config, _ = load(SampleSettings, path)
    card = card_of(config.campaign)
    out = tmp_path / "set"
    out.mkdir()
    (out / "dataset.yaml").write_text(card.to_yaml())
    run = CampaignRun(
        folder=out,
        campaign=config.campaign,
        card=card,
        attributes={},
        retries=1,
        session="this one",
        simulation=Trouble(kind),
    )
    reports = make_parts(run, range(card.n_parts), Local(workers=1, memory="600MB"))
    finish(out)
    assert sorted(report.failed for report in reports) == [0, 1]
    data = DataSet(out)
    assert data.status.tolist() == [0, 0, 0, 1]  # the seed deals that map to the last sample
    assert data.index("reason")[3] == b"2 workers died on it"
    assert np.isfinite(data.signals(2)).all()


def test_when_the_whole_job_is_killed_no_sample_is_counted_as_failed(config, tmp_path):
    checked, _ = load(SampleSettings, config, ["splits={train: 5}"])
    card = card_of(checked.campaign)
    run = CampaignRun(
        folder=tmp_path,
        campaign=checked.campaign,
        card=card,
        attributes={},
        retries=0,
        session="second",
    )
    left = Marker(session="first", host="x", pid=1, started=0, updated=0, sample=0, deaths={0: 9})
    marker = Marker.path(tmp_path, 0)
    marker.parent.mkdir()
    left.write(marker)
    (report,) = make_parts(run, range(1), InProcess())
    assert report.failed == 0
    assert not marker.exists()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own with room for the samples, but not for what HDF5 adds to them."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2400k", "opalux-test", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small tmpfs needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_ends_the_job_with_a_message_and_costs_nothing(
    config, undisturbed, small_disk, capsys
):
    out = small_disk / "set"
    line = [str(config), "--set", "backend={kind: in-process}", "--out", str(out)]
    assert main(line) == 1
    assert "No space left" in capsys.readouterr().err
    assert parts_in(out) > 6
    assert not list(out.glob(".*.tmp"))
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    assert main(line) == 0
    assert contents(out) == undisturbed
