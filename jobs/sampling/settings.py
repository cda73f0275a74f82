"""The configuration file of a campaign: what is sampled, and how the work is done."""

from typing import Annotated

import pydantic

from opalux.base.errors import InputError
from opalux.jobs.cluster.pool import Address, InProcess, Local, Slurm
from opalux.jobs.sampling.batched import Torch
from opalux.jobs.sampling.campaign import Campaign

SampleBackend = Annotated[
    InProcess | Local | Slurm | Address | Torch, pydantic.Field(discriminator="kind")
]
"""Where, and by what, the samples of a campaign are made."""


class SampleSettings(Campaign):
    """A campaign and how it is run; that changes no bit of the result, but for ``kind: torch``."""

    backend: SampleBackend = Local()
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

    def backend_for(self, task: tuple[int, int] | None) -> SampleBackend:
        """Return where the work is done: a task of a job array does its parts in its own process.

        Raises
        ------
        InputError
            When simulations under a launcher would be started by dask workers or by torch, or
            torch cannot make this campaign here.
        """
        here = task is None or isinstance(self.backend, Torch)
        backend = self.backend if here else InProcess()
        if isinstance(backend, Torch):
            backend.batches(self)
        if self.launcher and not isinstance(backend, InProcess):
            raise InputError(
                f"launcher: found with back end '{backend.kind}', expected 'in-process' or --task; "
                "MPI runs cannot be started from dask workers or by torch"
            )
        return backend
