"""The stages of a pipeline: what each one runs, what it waits for, and what its files say."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import h5py

from opalux.base.config import load
from opalux.base.errors import InputError
from opalux.jobs.chain.settings import PipelineConfig, Stage
from opalux.jobs.cluster.script import Script
from opalux.jobs.cluster.site import Site
from opalux.jobs.sample import SampleConfig, card_of
from opalux.learning.data.card import Card, part_name

DATA, TRAIN, EVALUATE, SOLVE, SIQD = "data", "train", "evaluate", "solve", "siqd"
"""Folders of the results."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlannedStage:
    """A stage.

    Attributes
    ----------
    script : of its job
    folder : of its results
    after : names of the stages that it needs
    done : tells from files whether there is nothing left to do
    missing : tells from files which elements of the array are left to do; None: no array
    """

    script: Script
    folder: Path
    done: Callable[[], bool]
    after: tuple[str, ...] = ()
    missing: Callable[[], list[int]] | None = None

    @property
    def name(self) -> str:
        """Name of the stage."""
        return self.script.name


def plan(config: PipelineConfig, site: Site) -> list[PlannedStage]:
    """Return the stages, each after those that it needs.

    Raises
    ------
    InputError
        When the configuration of any job cannot be used.
    """
    out = config.out.resolve()
    stages: list[PlannedStage] = []
    card = None
    if config.sample is not None:
        card = _card(config)
        stages += _sampling(config, site, out / DATA, card)
    if config.train is not None:
        check_training(config, site, card)
        data = ("--set", f"data.folder={out / DATA}") if card else ()
        stages.append(
            PlannedStage(
                script=_script(
                    "train", config.train, config.train.config, "--out", out / TRAIN, *data
                ),
                folder=out / TRAIN,
                after=("check",) if card else (),
                done=lambda: _state(out / TRAIN) == "finished",
            )
        )
    if config.evaluate is not None:
        stages.append(
            PlannedStage(
                script=_script("evaluate", config.evaluate, out / TRAIN, "--out", out / EVALUATE),
                folder=out / EVALUATE,
                after=("train",),
                done=lambda: newer(out / EVALUATE / "metrics.json", out / TRAIN / "run.json"),
            )
        )
    if config.solve is not None:
        from opalux.jobs.solve import read_config

        read_config(config.solve.config, list(config.solve.set))
        stages.append(
            PlannedStage(
                script=_script("solve", config.solve, config.solve.config, "--out", out / SOLVE),
                folder=out / SOLVE,
                done=(out / SOLVE / "run.json").is_file,
            )
        )
    if config.siqd is not None:
        from opalux.jobs.siqd import SiqdConfig

        load(SiqdConfig, config.siqd.config, list(config.siqd.set))
        stages.append(
            PlannedStage(
                script=_script("siqd", config.siqd, config.siqd.config, "--out", out / SIQD),
                folder=out / SIQD,
                done=(out / SIQD / "metrics.json").is_file,
            )
        )
    return stages


def _script(name: str, stage: Stage, *words: object) -> Script:
    overrides = [word for override in stage.set for word in ("--set", override)]
    return Script(
        name=name,
        kind=name,  # type: ignore[arg-type]
        resources=stage,
        arguments=(*map(str, words), *overrides),
    )


def _card(config: PipelineConfig) -> Card:
    assert config.sample is not None
    sampled, _ = load(SampleConfig, config.sample.config, list(config.sample.set))
    if config.sample.by == "dask" and sampled.backend.kind != "slurm":
        raise InputError(
            f"sample.by: found dask, but backend.kind of {config.sample.config} is "
            f"'{sampled.backend.kind}', expected 'slurm'; set it there, or take an array"
        )
    return card_of(sampled.campaign)


def _sampling(
    config: PipelineConfig, site: Site, data: Path, card: Card
) -> tuple[PlannedStage, PlannedStage]:
    """Return the campaign and the check of what it makes."""
    stage = config.sample
    assert stage is not None
    tasks = min(stage.tasks, card.n_parts)
    script = _script("sample", stage, stage.config, "--out", data)
    missing: Callable[[], list[int]] | None = None
    if stage.by == "array":

        def missing_tasks() -> list[int]:
            return sorted({part % tasks for part in missing_parts(data, card)})

        missing = missing_tasks
        script = dataclasses.replace(script, variables=(("TASKS", str(tasks)),), array=tasks)
    else:
        settings = backend_overrides(site, stage)
        script = dataclasses.replace(
            script, kind="sample_dask", arguments=script.arguments + settings
        )
    same_overrides = Stage(**config.check.model_dump(), set=stage.set)
    check = _script("check", same_overrides, stage.config, data)
    return (
        PlannedStage(
            script=script,
            folder=data,
            done=lambda: not missing_parts(data, card),
            missing=missing,
        ),
        PlannedStage(
            script=check,
            folder=data,
            after=("sample",),
            done=lambda: (
                not missing_parts(data, card) and newer(data / "check.txt", *data.glob("part-*.h5"))
            ),
        ),
    )


def backend_overrides(site: Site, stage: Stage) -> tuple[str, ...]:
    """Return what the site says of the workers that a campaign brings, as --set arguments."""
    options = site.options_for("sample", stage)
    found: dict[str, object] = {}
    for key, option in (("queue", "--partition"), ("account", "--account")):
        if option in options:
            found[key] = options[option]
    prologue = [*site.setup, *(f"module load {name}" for name in site.modules), *site.exports()]
    if prologue:
        found["prologue"] = json.dumps(prologue)
    return tuple(
        word for key, value in found.items() for word in ("--set", f"backend.{key}={value}")
    )


def check_training(config: PipelineConfig, site: Site, card: Card | None) -> None:
    """Check the training's configuration against the number of its processes.

    Raises
    ------
    InputError
        When the batch cannot be shared out between them.
    """
    # Importing torch takes seconds; nothing else here needs it.
    from opalux.learning.training.plan import TrainSettings

    assert config.train is not None
    settings, _ = load(TrainSettings, config.train.config, list(config.train.set))
    options = _script("train", config.train).options(site)
    gpus = int(options.get("--gpus-per-node", "0"))
    processes = int(options["--nodes"]) * max(1, gpus)
    if settings.batch % (settings.accumulate * processes):
        raise InputError(
            f"{config.train.config}: found batch {settings.batch}, expected a multiple of "
            f"accumulate × processes = {settings.accumulate} × {processes} "
            f"({options['--nodes']} nodes, {gpus} GPUs each); change batch, or nodes and "
            "gpus_per_node"
        )
    if card is not None and not card.splits.validation:
        raise InputError("sample: splits.validation is 0, but training judges itself on that split")


def missing_parts(folder: Path, card: Card) -> list[int]:
    """Return the numbers of the parts of a data set that are not there or cannot be read."""
    return [part for part in range(card.n_parts) if not _readable(folder / part_name(part))]


def check_passed(folder: Path) -> bool:
    """Return whether a data set was found sound as it is now."""
    return newer(folder / "check.txt", *folder.glob("part-*.h5"))


def _readable(path: Path) -> bool:
    try:
        with h5py.File(path, "r") as file:
            return "status" in file
    except OSError:
        return False


def newer(path: Path, *others: Path) -> bool:
    """Return whether ``path`` is there and none of ``others``, which must be there, is newer."""
    try:
        written = path.stat().st_mtime
        return all(other.stat().st_mtime <= written for other in others)
    except FileNotFoundError:
        return False


def _state(folder: Path) -> str | None:
    """Return the state of a training run, or None."""
    try:
        state = json.loads((folder / "run.json").read_text())["state"]
    except (OSError, ValueError, KeyError):
        return None
    return str(state)
