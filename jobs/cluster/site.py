"""The settings of a cluster: one file, read by ``opalux pipeline``."""

import shlex
from collections.abc import Iterable
from typing import Annotated

import pydantic

from opalux.base.settings import Settings
from opalux.base.shipped import BATCH_SCRIPTS


def _shipped(name: str) -> str:
    names = sorted(path.stem for path in BATCH_SCRIPTS.glob("*.sbatch"))
    if names and name not in names:
        raise ValueError(f"found '{name}', expected one of {', '.join(names)}")
    return name


ScriptName = Annotated[str, pydantic.AfterValidator(_shipped)]
"""Name of a batch script slurm/NAME.sbatch."""

Line = Annotated[str, pydantic.StringConstraints(pattern=r"^[^\n]+$")]
Word = Annotated[str, pydantic.StringConstraints(pattern=r"^\S+$")]
Option = Annotated[str, pydantic.StringConstraints(pattern=r"^--[a-z][a-z-]*(=\S+)?$")]
Name = Annotated[str, pydantic.StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Resources(Settings):
    """What a job asks of Slurm; what is left out stays as in slurm/NAME.sbatch."""

    partition: Word | None = None
    """Partition (queue) of the cluster."""
    account: Word | None = None
    """Account that the time is charged to."""
    nodes: int | None = pydantic.Field(None, ge=1)
    """Number of nodes."""
    tasks_per_node: int | None = pydantic.Field(None, ge=1)
    """Processes on each node."""
    cpus_per_task: int | None = pydantic.Field(None, ge=1)
    """Cores of each process."""
    gpus_per_node: int | None = pydantic.Field(None, ge=0)
    """0: the job uses no GPUs, whatever slurm/NAME.sbatch asks for."""
    memory: Word | None = None
    """For each node, such as 64G."""
    time: Word | None = None
    """Limit, such as 04:00:00 (quote it in YAML)."""
    options: tuple[Option, ...] = ()
    """Further options for sbatch, such as --constraint=skylake."""

    @property
    def sbatch_options(self) -> dict[str, str]:
        """Options for sbatch and their values; '' for those without one."""
        named = {
            "--partition": self.partition,
            "--account": self.account,
            "--nodes": self.nodes,
            "--ntasks-per-node": self.tasks_per_node,
            "--cpus-per-task": self.cpus_per_task,
            "--gpus-per-node": self.gpus_per_node,
            "--mem": self.memory,
            "--time": self.time,
        }
        found = {name: str(value) for name, value in named.items() if value is not None}
        for option in self.options:
            name, _, value = option.partition("=")
            found[name] = value
        return found


class Site(Resources):
    """A cluster: settings for all jobs and, under ``jobs``, for one kind of job."""

    modules: tuple[Word, ...] = ()
    """Modules, loaded in this order; a job ends at once when one does not load."""
    require: tuple[Name, ...] = ()
    """Environment variables that the modules must have set, such as PETSC_DIR."""
    environment: dict[Name, str] = pydantic.Field({})
    """Environment variables for the jobs."""
    setup: tuple[Line, ...] = ()
    """Shell lines before the modules are loaded."""
    launcher: Line = "srun --mpi=pmix"
    """Command that starts MPI ranks."""
    python: Line | None = None
    """Command that starts Python; left out: that of .venv."""
    requeues: int = pydantic.Field(20, ge=0)
    """How often a job may be put back into the queue."""
    jobs: dict[ScriptName, Resources] = pydantic.Field({})

    def options_for(self, kind: ScriptName, wanted: Resources) -> dict[str, str]:
        """Return the options of sbatch: those of ``wanted``, else of its kind, else of the site."""
        merged: dict[str, str] = {}
        for level in (self, self.jobs.get(kind, Resources()), wanted):
            merged |= level.sbatch_options
        return merged

    def shell_lines(self) -> list[str]:
        """Return the shell lines at the start of a batch script, which prepare a node."""
        lines = list(self.setup)
        if self.modules:
            lines.append(f"load_modules {_words(self.modules)}")
        if self.require:
            lines.append(f"need_variables {_words(self.require)}")
        return lines + self.exports()

    def exports(self) -> list[str]:
        """Return the shell lines that set the site's environment variables."""
        return [f"export {name}={shlex.quote(value)}" for name, value in self.environment.items()]


def _words(words: Iterable[str]) -> str:
    return " ".join(shlex.quote(word) for word in words)
