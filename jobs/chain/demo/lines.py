"""The stages of the demo: each is a command line that a user could type."""

import dataclasses
import shlex
import sys
from pathlib import Path

from opalux.base.shipped import CONFIGS

SOLVE, TRAIN, PUBLISHED = "solve", "train", "demo_published"
"""Folders of the results that the report shows."""

_OPALUX = [sys.executable, "-m", "opalux"]
_TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Line:
    """A stage of the demo.

    Attributes
    ----------
    title : what it shows
    words : its command line
    """

    title: str
    words: list[str]

    @property
    def typed(self) -> str:
        """The command line as a user would type it."""
        words = self.words
        for started, typed in ((_TORCHRUN, ["torchrun"]), (_OPALUX, ["opalux"])):
            for place in range(len(words)):
                if words[place : place + len(started)] == started:
                    words = [*words[:place], *typed, *words[place + len(started) :]]
        return shlex.join(words)


def demo_lines(out: Path, *, ranks: int) -> list[Line]:
    """Return the stages of the demo.

    Parameters
    ----------
    out : folder for all results
    ranks : MPI ranks that solve the published case; 1: one process without MPI
    """
    several = ranks > 1
    launcher = ["mpirun", "-n", str(ranks)] if several else []
    where = f"{ranks} MPI ranks (PETSc)" if several else "one process"
    return [
        Line(
            title=f"Solve the published case on {where}",
            words=[*launcher, *_OPALUX, "solve", _config("solve", "published"),
                   "--out", str(out / SOLVE), "--resume"],
        ),
        Line(
            title="Simulate 1000 random densities, four sources each (dask, HDF5)",
            words=_sample(out, "demo"),
        ),
        Line(
            title="Simulate 64 of the training densities on a twice finer grid, too",
            words=_sample(
                out, "demo_pairs", "demo", "refinement=2", "splits={train: 64}", "name=demo_pairs"
            ),
        ),
        Line(
            title="Simulate test maps on a twice finer grid",
            words=_sample(out, "demo_finer"),
        ),
        Line(
            title="Simulate the published density",
            words=_sample(out, PUBLISHED),
        ),
        Line(
            title="Train the network on 2 processes (torch DDP)",
            words=[*_TORCHRUN, "--standalone", "--nproc-per-node", "2",
                   "-m", "opalux", "train", _config("train", "demo"),
                   "--set", f"data.folder={out / 'demo'}",
                   "--set", f"augmentation.other_grid={out / 'demo_pairs'}",
                   "--out", str(out / TRAIN), "--resume"],
        ),
        Line(
            title="Judge it on maps it has never seen",
            words=[*_OPALUX, "evaluate", str(out / TRAIN),
                   "--set", f"apart.finer grid, 1 % noise.folder={out / 'demo_finer'}",
                   "--set", "apart.finer grid, 1 % noise.noise=0.01",
                   "--set", f"apart.published density.folder={out / PUBLISHED}",
                   "--set", "apart.published density.split=train"],
        ),
    ]  # fmt: skip


def _config(job: str, name: str) -> str:
    # A file of that name in the current folder would be taken for the configuration.
    return str(CONFIGS / job / f"{name}.yaml") if Path(name).exists() else name


def _sample(out: Path, name: str, config: str = "", *settings: str) -> list[str]:
    changes = [word for setting in settings for word in ("--set", setting)]
    path = _config("sample", config or name)
    return [*_OPALUX, "sample", path, *changes, "--out", str(out / name)]
