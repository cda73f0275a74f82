"""Talking to Slurm: squeue, sbatch, scontrol; not to its accounting (sacct), which many lack."""

import dataclasses
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from opalux.base.errors import InputError

_FIELDS = ("%A", "%F", "%K", "%T", "%r", "%M", "%N", "%Z", "%o")
_ENDED = {
    "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY",
    "TIMEOUT",
}  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """A job, or one element of a job array, as squeue shows it.

    Attributes
    ----------
    id : of the job; elements of an array have the array's
    task : number of the array's element, or None
    state, reason : in Slurm's words
    elapsed : in Slurm's form [days-hh:mm:ss]
    nodes : list of nodes, in Slurm's form
    folder : in which sbatch was called
    command : path of the script and its arguments
    """

    id: str
    task: int | None
    state: str
    reason: str
    elapsed: str
    nodes: str
    folder: Path
    command: str

    @property
    def active(self) -> bool:
        """Whether the job runs or will run."""
        return self.state not in _ENDED

    def works_on(self, folder: Path) -> bool:
        """Return whether ``folder`` is one of the arguments."""
        wanted = folder.resolve()
        return any((self.folder / word).resolve() == wanted for word in self.command.split()[1:])


def there() -> bool:
    """Return whether this machine has Slurm's commands."""
    return shutil.which("squeue") is not None


def jobs() -> list[Job]:
    """Return this user's jobs: those in the queue and those that ended minutes ago.

    Raises
    ------
    InputError
        When squeue does not answer.
    """
    words = ["squeue", "--noheader", "--array", "--states=all", f"--user={os.geteuid()}"]
    shown = _call([*words, "--format=" + "|".join(_FIELDS)])
    found = []
    for line in shown.splitlines():
        number, array, task, state, reason, elapsed, nodes, folder, command = line.split("|", 8)
        element = int(task) if task.isdigit() else None
        found.append(
            Job(
                id=array if element is not None else number,
                task=element,
                state=state,
                reason=reason,
                elapsed=elapsed,
                nodes=nodes,
                folder=Path(folder),
                command=command,
            )
        )
    return found


def submission(script: Path, after: Sequence[str] = (), tasks: Sequence[int] = ()) -> list[str]:
    """Return the command that submits ``script``.

    Parameters
    ----------
    script : to submit
    after : jobs that must succeed before this one starts; when one fails, this one is cancelled,
        too, and does not wait forever
    tasks : elements of its array to start; empty: those that the script asks for
    """
    words = ["sbatch", "--parsable"]
    if tasks:
        words.append(f"--array={ranges(tasks)}")
    if after:
        words += [f"--dependency=afterok:{':'.join(after)}", "--kill-on-invalid-dep=yes"]
    return [*words, str(script)]


def submit(words: list[str]) -> str:
    """Submit a job by the command ``words``; return its number.

    Raises
    ------
    InputError
        When Slurm refuses it.
    """
    return _call(words).strip().partition(";")[0]


def wait_for_others(job: str, after: Sequence[str]) -> None:
    """Change the jobs that a job in the queue waits for."""
    _call(["scontrol", "update", f"JobId={job}", f"Dependency=afterok:{':'.join(after)}"])


def ranges(numbers: Sequence[int]) -> str:
    """Return numbers in the form that --array takes.

    >>> ranges([0, 1, 2, 5, 7, 8])
    '0-2,5,7-8'
    """
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    return ",".join("-".join(map(str, part)) for part in parts)


def _call(words: list[str]) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise InputError(
            f"found no {words[0]} here; submit on a login node of the cluster"
        ) from None
    if done.returncode:
        message = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise InputError(f"{words[0]}: {message}")
    return done.stdout
