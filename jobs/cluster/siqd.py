"""The configuration of ``opalux siqd``: the work, and where its tasks run."""

from opalux.jobs.cluster.pool import Backend, InProcess, Local, available_cores
from opalux.learning.siqd.study.settings import SiqdSettings


class SiqdJobSettings(SiqdSettings):
    """What the configuration file says."""

    backend: Backend = InProcess()
    """Where dots are made and trials run; it does not change the results."""

    @property
    def work(self) -> SiqdSettings:
        """The work, without the back end."""
        return SiqdSettings.model_construct(
            **{name: getattr(self, name) for name in SiqdSettings.model_fields}
        )

    @property
    def task_backend(self) -> Backend:
        """The back end that the run needs: this process when there are no tasks for others."""
        has_tasks = self.rebuild is not None or self.search is not None
        return self.backend if has_tasks else InProcess()

    @property
    def workers(self) -> int:
        """Number of local workers; for a back end elsewhere, the cores of this machine."""
        if isinstance(self.backend, InProcess):
            return 1
        local = self.backend.workers if isinstance(self.backend, Local) else None
        return local or available_cores()
