"""Where independent tasks run: in this process, on this machine's cores, or on a cluster.

All back ends give the same interface, a `Pool`. Tasks write their results to files and return
short summaries, so that a lost back end loses no results.
"""

import contextlib
import logging
import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic

from opalux.base.settings import Settings
from opalux.base.tasks import InProcessPool, Item, Pool, PoolLostError, Result

# A task that kills its worker is tried again on another one. The task decides when to give up,
# because it knows which sample it was working on; dask must not give up first.
WORKER_DEATHS_ALLOWED = 1000

WATCH_EVERY = 5.0
"""Time between two looks for lost workers [s]."""

# Keep freed memory in the process for the next task: to get it from the system again, zeroed page
# by page, would cost a tenth of the time of small simulations.
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
}

LOOPBACK = "127.0.0.1:0"
"""Any free port that only this machine can reach: campaigns may run side by side."""

NO_HTTP: dict[str, list[str]] = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}
"""dask's processes open a port for HTTP in any case; with these settings it serves nothing."""

SINGLE_THREADED = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}


class InProcess(Settings):
    """One task after the other in this process: for debugging and for tasks of a Slurm array."""

    kind: Literal["in-process"] = "in-process"


class Local(Settings):
    """Worker processes on this machine."""

    kind: Literal["local"] = "local"
    workers: int | None = pydantic.Field(None, ge=1, le=1024)
    """Number of processes; left out: one for each core that this process may use."""
    dashboard: bool = False
    """Serve dask's dashboard on a free port of the loopback interface."""
    memory: str | None = None
    """Limit for each worker, such as 2GB; one that exceeds it is replaced."""


class Slurm(Settings):
    """Workers that are jobs of a Slurm cluster; the scheduler runs in this process."""

    kind: Literal["slurm"]
    workers: int = pydantic.Field(ge=1)
    """Number of single-core workers that are kept running."""
    workers_per_job: int = pydantic.Field(1, ge=1)
    """Workers, and so cores, of each job."""
    memory: str = "2GB"
    """For each job."""
    walltime: str = "01:00:00"
    """Of each job, hours:minutes:seconds."""
    queue: str | None = None
    """Partition (queue) of the cluster."""
    account: str | None = None
    """Account that the time is charged to."""
    interface: str | None = None
    """Network interface through which workers reach this process, such as ib0."""
    directives: tuple[str, ...] = ()
    """Further #SBATCH options, such as --constraint=skylake."""
    dashboard: bool = False
    """Serve dask's dashboard on a free port of the loopback interface."""
    prologue: tuple[str, ...] = ()
    """Lines of the job script before the worker starts, such as module load python."""


class Address(Settings):
    """The workers of a dask scheduler that is already running."""

    kind: Literal["address"]
    address: str
    """Such as tcp://10.0.0.1:8786."""
    timeout: float = pydantic.Field(30.0, gt=0)
    """How long to wait for it [s]."""


Backend = Annotated[InProcess | Local | Slurm | Address, pydantic.Field(discriminator="kind")]
"""One back end of a configuration, told apart by ``kind``."""


@contextlib.contextmanager
def open_pool(backend: InProcess | Local | Slurm | Address) -> Iterator[Pool]:
    """Start the back end and give its pool; stop it at the end, also after an error."""
    if isinstance(backend, InProcess):
        yield InProcessPool()
        return
    with _dask_client(backend) as client:
        yield _DaskPool(client)


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


class _DaskPool:
    def __init__(self, client: Any) -> None:
        self._client = client

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item]
    ) -> Iterator[tuple[Item, Result]]:
        import distributed

        # Tasks depend on files, not on their arguments alone: none may be answered from memory.
        futures = {self._client.submit(function, item, pure=False): item for item in items}
        try:
            for future in distributed.as_completed(list(futures)):
                yield futures.pop(future), self._result(future)
        finally:
            with contextlib.suppress(Exception):  # the scheduler may be gone
                self._client.cancel(list(futures))

    def _result(self, future: Any) -> Any:
        import concurrent.futures

        import distributed

        lost = (
            concurrent.futures.CancelledError,
            distributed.CancelledError,
            distributed.KilledWorker,
            distributed.comm.core.CommClosedError,
        )
        try:
            return future.result()
        except lost as error:
            raise PoolLostError(
                f"the workers or their scheduler are gone ({type(error).__name__}); "
                "start the same line again; it continues from the files"
            ) from None


@contextlib.contextmanager
def _dask_client(backend: Local | Slurm | Address) -> Iterator[Any]:
    import dask
    import distributed  # first: its defaults, if set inside `config.set`, would end with it

    settings = {
        # The workers use this; for this process see `_silence`.
        "logging": {"distributed": "critical", "tornado": "critical", "asyncio": "critical"},
        "distributed.scheduler.allowed-failures": WORKER_DEATHS_ALLOWED,
        "distributed.nanny.pre-spawn-environ": SINGLE_THREADED | KEEP_MEMORY,
        # dask measures its processes up to fifty times a second, which costs some percent.
        "distributed.admin.system-monitor.gil.enabled": False,
        "distributed.admin.system-monitor.interval": "5s",
        "distributed.admin.tick.interval": "1s",
        "distributed.worker.memory.monitor-interval": "300ms",
        "distributed.worker.profile.enabled": False,
        "distributed.deploy.lost-worker-timeout": f"{WATCH_EVERY}s",
    }
    with dask.config.set(settings), contextlib.ExitStack() as stack:
        _silence()
        if isinstance(backend, Address):
            try:
                client = distributed.Client(backend.address, timeout=backend.timeout)
            except OSError as error:
                raise PoolLostError(f"no dask scheduler at {backend.address} ({error})") from None
        else:
            if not backend.dashboard:  # nor anything else over HTTP
                stack.enter_context(dask.config.set(NO_HTTP))
            cluster = _local(backend) if isinstance(backend, Local) else _slurm(backend)
            client = distributed.Client(stack.enter_context(cluster))
        yield stack.enter_context(client)


def _silence() -> None:
    """Silence what dask logs when workers come and go: the user need not act on it."""
    for name in ("distributed", *logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)


@contextlib.contextmanager
def _local(backend: Local) -> Iterator[Any]:
    import distributed
    from distributed.security import Security

    wanted = backend.workers or available_cores()
    with distributed.LocalCluster(
        host="127.0.0.1",
        protocol="tls://",
        security=Security.temporary(),  # who can talk to a scheduler can run code in its workers
        n_workers=wanted,
        threads_per_worker=1,
        processes=True,
        memory_limit=backend.memory or "auto",
        dashboard_address=LOOPBACK,  # a free port: another campaign may have dask's usual one
        scheduler_kwargs={"dashboard": backend.dashboard},
        silence_logs=logging.CRITICAL,
    ) as cluster:
        over = threading.Event()
        watch = threading.Thread(target=_keep_up, args=(cluster, wanted, over), daemon=True)
        watch.start()
        try:
            yield cluster
        finally:
            over.set()
            watch.join()


def _keep_up(cluster: Any, wanted: int, over: threading.Event) -> None:
    """Also replace workers whose nanny is gone; dask would wait for them forever."""
    while not over.wait(WATCH_EVERY):
        if len(cluster.scheduler.workers) < wanted:
            cluster.scale(wanted)


@contextlib.contextmanager
def _slurm(backend: Slurm) -> Iterator[Any]:
    from dask_jobqueue.slurm import SLURMCluster
    from distributed.security import Security

    # The workers read their keys from a folder that all nodes see and only this user can open.
    home = Path.home() / ".cache" / "opalux"
    home.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="keys-", dir=home) as keys,
        SLURMCluster(
            **slurm_options(backend),
            protocol="tls://",
            security=Security.temporary(),
            shared_temp_directory=keys,
            scheduler_options={"dashboard": backend.dashboard, "dashboard_address": LOOPBACK},
        ) as cluster,
    ):
        # `adapt` submits a new job for each one that ended at its time limit.
        cluster.adapt(minimum=backend.workers, maximum=backend.workers)
        yield cluster


def slurm_options(backend: Slurm) -> dict[str, Any]:
    """Return the arguments of `dask_jobqueue.SLURMCluster` for the settings."""
    return {
        "job_name": "opalux-worker",
        "cores": backend.workers_per_job,
        "processes": backend.workers_per_job,
        "memory": backend.memory,
        "walltime": backend.walltime,
        "queue": backend.queue,
        "account": backend.account,
        "interface": backend.interface,
        "job_extra_directives": list(backend.directives),
        "worker_extra_args": ["--no-dashboard"],
        "job_script_prologue": [
            *(f"export {name}={value}" for name, value in SINGLE_THREADED.items()),
            "export DASK_DISTRIBUTED__WORKER__HTTP__ROUTES=[]",
            *backend.prologue,
        ],
    }
