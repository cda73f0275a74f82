"""The configuration file of a campaign: what is sampled, and how the work is done."""

import pydantic

from opalux.base.errors import InputError
from opalux.jobs.cluster.pool import Backend, InProcess, Local
from opalux.jobs.sampling.campaign import Campaign


class SampleSettings(Campaign):
    """A campaign and how it is run; the latter does not change a bit of the result."""

    backend: Backend = Local()
    retries: int = pydantic.Field(3, ge=0, le=100)
    """How often a failing sample is tried again before it is given up."""
    tolerated_failures: float = pydantic.Field(0.01, ge=0, le=1)
    """Share of failed samples up to which the campaign counts as a success."""
    launcher: tuple[str, ...] = ()
    """Words that start each simulation on many processes, such as [mpirun, -n, "8"], for grids
    that are too large for one process; not from dask workers."""

    @property
    def campaign(self) -> Campaign:
        """The campaign alone."""
        return Campaign.model_construct(
            **{name: getattr(self, name) for name in Campaign.model_fields}
        )

    def backend_for(self, task: tuple[int, int] | None) -> Backend:
        """Return where the work is done: a task of a job array does its parts in its own process.

        Raises
        ------
        InputError
            When simulations under a launcher would be started by dask workers.
        """
        backend = self.backend if task is None else InProcess()
        if self.launcher and not isinstance(backend, InProcess):
            raise InputError(
                f"launcher: found with back end '{backend.kind}', expected 'in-process' or --task; "
                "MPI runs cannot be started from dask workers"
            )
        return backend
