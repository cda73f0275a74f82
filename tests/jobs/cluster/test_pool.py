"""All back ends do the same tasks."""

import contextlib
import os
import signal
import socket
from pathlib import Path
from typing import Any

import pydantic
import pytest

from opalux.base.tasks import PoolLostError
from opalux.jobs.cluster.pool import (
    Address,
    Backend,
    InProcess,
    Local,
    Slurm,
    open_pool,
)
from opalux.jobs.cluster.pool import slurm_options as options_of

BACKENDS = [InProcess(), Local(workers=2)]


def square(number: int) -> int:
    return number * number


def refuse(number: int) -> int:
    if number == 3:
        raise ArithmeticError("three is too many")
    return number


def die_once(path: Path) -> int:
    """Kill the own process at the first call; return the process's number at the second."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return os.getpid()
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def threads(_: int) -> list[str | None]:
    return [os.environ.get(name) for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")]


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.kind)
def test_every_item_is_done_once(backend):
    with open_pool(backend) as pool:
        done = list(pool.map(square, range(20)))
    assert sorted(done) == [(n, n * n) for n in range(20)]


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.kind)
def test_an_exception_in_a_task_reaches_the_caller(backend):
    with open_pool(backend) as pool, pytest.raises(ArithmeticError, match="three is too many"):
        list(pool.map(refuse, range(5)))


def test_workers_are_single_threaded_and_replaced_when_they_die(tmp_path):
    with open_pool(Local(workers=1)) as pool:
        assert list(pool.map(threads, [0])) == [(0, ["1", "1"])]
        ((_, pid),) = pool.map(die_once, [tmp_path / "been here"])
    assert pid != os.getpid()


def stop_once(flag: Path) -> int:
    try:
        flag.touch(exist_ok=False)
    except FileExistsError:
        return os.getpid()
    os.kill(os.getpid(), signal.SIGSTOP)
    return 0


@pytest.mark.slow
def test_a_worker_that_no_longer_answers_is_replaced_and_its_work_is_done(tmp_path):
    dask = pytest.importorskip("dask")
    sooner = {"distributed.scheduler.worker-ttl": "6s"}  # than after 5 minutes
    with dask.config.set(sooner), open_pool(Local(workers=1)) as pool:
        ((_, pid),) = pool.map(stop_once, [tmp_path / "been here"])
    assert pid not in (0, os.getpid())


@pytest.mark.slow
def test_workers_whose_nanny_is_gone_are_replaced(monkeypatch):
    distributed = pytest.importorskip("distributed")
    clusters = []

    class Remembered(distributed.LocalCluster):  # type: ignore[name-defined]
        def __init__(self, **settings):
            super().__init__(**settings)
            clusters.append(self)

    monkeypatch.setattr(distributed, "LocalCluster", Remembered)
    with open_pool(Local(workers=2)) as pool:
        (cluster,) = clusters
        for nanny in list(cluster.workers.values()):
            cluster.sync(nanny.close)
        assert len(list(pool.map(square, range(4)))) == 4


def listening() -> list[Any]:
    """Return the sockets on which this process and its children listen."""
    psutil = pytest.importorskip("psutil")
    here = psutil.Process()
    return [
        connection
        for process in [here, *here.children(recursive=True)]
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]


def scheduler_of(pool: Any) -> str:
    return str(pool._client.scheduler.address)


@pytest.mark.parametrize("backend", [Local(workers=2), Local(workers=1, dashboard=True)])
def test_nothing_of_a_local_pool_listens_beyond_this_machine(backend):
    before = {connection.laddr for connection in listening()}
    with open_pool(backend) as pool:
        list(pool.map(square, [1]))
        opened = {connection.laddr for connection in listening()} - before
    assert len(opened) >= 3
    assert {address.ip for address in opened} <= {"127.0.0.1", "::1"}


def test_a_second_campaign_on_this_machine_is_not_warned_of_the_first(recwarn):
    with socket.socket() as taken:
        with contextlib.suppress(OSError):  # someone else may have it
            taken.bind(("127.0.0.1", 8787))
            taken.listen()
        with open_pool(Local(workers=1)) as pool:
            assert list(pool.map(square, [3])) == [(3, 9)]
    assert not [warning for warning in recwarn if "8787" in str(warning.message)]


def test_only_who_has_the_keys_of_a_pool_may_use_its_workers():
    """Another user of this machine can reach the port, but not run code behind it."""
    distributed = pytest.importorskip("distributed")
    with open_pool(Local(workers=1)) as pool:
        address = scheduler_of(pool)
        assert address.startswith("tls://127.0.0.1:")
        for stranger in (
            {"address": address.replace("tls://", "tcp://")},
            {"address": address, "security": distributed.Security.temporary()},
        ):
            with pytest.raises((OSError, RuntimeError)):
                distributed.Client(**stranger, timeout=5)
        assert list(pool.map(square, [3])) == [(3, 9)]


def test_a_scheduler_that_is_not_there_is_named():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    with (
        pytest.raises(PoolLostError, match=address),
        open_pool(Address(kind="address", address=address, timeout=1.0)),
    ):
        pass


def test_slurm_workers_are_asked_for_with_this_job_script():
    slurm = pytest.importorskip("dask_jobqueue.slurm")
    backend = Slurm(
        kind="slurm",
        workers=8,
        workers_per_job=4,
        memory="8GB",
        walltime="02:00:00",
        queue="main",
        account="light",
        directives=("--constraint=fast",),
        prologue=("module load python",),
    )
    options = options_of(backend) | {"python": "python"}
    job = slurm.SLURMJob("tcp://10.0.0.1:8786", name="opalux", **options)
    assert job.job_script() == GOLDEN_SCRIPT


GOLDEN_SCRIPT = """\
#!/usr/bin/env bash

#SBATCH -J opalux-worker
#SBATCH -p main
#SBATCH -A light
#SBATCH -n 1
#SBATCH --cpus-per-task=4
#SBATCH --mem=8G
#SBATCH -t 02:00:00
#SBATCH --constraint=fast
export OMP_NUM_THREADS=1
export OPENBLAS_NUM_THREADS=1
export MKL_NUM_THREADS=1
export NUMBA_NUM_THREADS=1
export DASK_DISTRIBUTED__WORKER__HTTP__ROUTES=[]
module load python
python -m distributed.cli.dask_worker tcp://10.0.0.1:8786 --name opalux --nthreads 1 \
--memory-limit 1.86GiB --nworkers 4 --nanny --death-timeout 60 --no-dashboard
"""


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "local", "workers": 0},
        {"kind": "slurm"},
        {"kind": "slurm", "workers": 2, "wall_time": "1:00"},
        {"kind": "grid"},
        {},
    ],
)
def test_invalid_settings_are_refused(settings):
    with pytest.raises(pydantic.ValidationError):
        pydantic.TypeAdapter(Backend).validate_python(settings)
