"""The campaign: a job array, or one job that starts dask workers."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Literal

import h5py
import pydantic

from opalux.base.config import load
from opalux.base.errors import InputError
from opalux.jobs.chain.row import Row
from opalux.jobs.chain.stage import (
    ConfiguredStage,
    Stage,
    StageSettings,
    Surroundings,
    Work,
    script,
)
from opalux.jobs.cluster.site import Site
from opalux.jobs.sampling.status import read_status
from opalux.learning.data.card import Card, part_name

FOLDER = "data"


class SampleStage(ConfiguredStage):
    """The campaign."""

    by: Literal["array", "dask"] = "array"
    """A job array; or a job that starts workers, as the configuration's ``backend`` says."""
    tasks: int = pydantic.Field(8, ge=1, le=10000)
    """Elements of the array."""


def campaign_card(around: Surroundings) -> Card | None:
    """Return the data card of the pipeline's campaign, or None when it has no campaign.

    Raises
    ------
    InputError
        When the configuration of the campaign is wrong.
    """
    from opalux.jobs.sampling.card import card_of
    from opalux.jobs.sampling.settings import SampleSettings

    own = around.stages.get("sample")
    if not isinstance(own, SampleStage):
        return None
    sampled, _ = load(SampleSettings, own.config, list(own.set))
    if own.by == "dask" and sampled.backend.kind != "slurm":
        raise InputError(
            f"sample.by: found dask, but backend.kind of {own.config} is "
            f"'{sampled.backend.kind}', expected 'slurm'; set it there, or take an array"
        )
    return card_of(sampled.campaign)


def missing_parts(folder: Path, card: Card) -> list[int]:
    """Return the numbers of the parts of a data set that are not there or cannot be read."""
    return [part for part in range(card.n_parts) if not _readable(folder / part_name(part))]


def _readable(path: Path) -> bool:
    try:
        with h5py.File(path, "r") as file:
            return "status" in file
    except OSError:
        return False


def _work(own: SampleStage, around: Surroundings) -> Work:
    card = campaign_card(around)
    assert card is not None
    data = around.out / FOLDER
    job = script("sample", own, own.config, "--out", data, overrides=own.set)

    def done() -> bool:
        return not missing_parts(data, card)

    if own.by == "dask":
        settings = backend_overrides(around.site, own)
        job = dataclasses.replace(job, kind="sample_dask", arguments=job.arguments + settings)
        return Work(script=job, done=done)
    tasks = min(own.tasks, card.n_parts)

    def missing() -> list[int]:
        return sorted({part % tasks for part in missing_parts(data, card)})

    job = dataclasses.replace(job, variables=(("TASKS", str(tasks)),), array=tasks)
    return Work(script=job, done=done, missing=missing)


def backend_overrides(site: Site, stage: StageSettings) -> tuple[str, ...]:
    """Return what the site says of the workers that a campaign starts, as --set arguments."""
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


def _row(folder: Path) -> Row:
    if not (folder / "dataset.yaml").is_file():
        return Row(name="campaign", state="not started")
    status = read_status(folder)
    progress = f"{status.done}/{status.samples} samples"
    notes = [f"{status.failed} failed"] if status.failed else []
    if status.parts_damaged:
        notes.append(f"{status.parts_damaged} parts damaged")
    if status.done == status.samples and status.finished:
        return Row(name="campaign", state="done", progress=progress, note=", ".join(notes))
    if status.workers and not math.isnan(status.rate):
        notes.append(f"{status.rate:.3g} samples/s, {status.seconds_left:.0f} s left")
    state = "running" if status.workers else "stopped"
    return Row(name="campaign", state=state, progress=progress, note=", ".join(notes))


SAMPLE = Stage(
    name="sample",
    settings=SampleStage,
    folder=FOLDER,
    work=_work,
    row=_row,
    files=("dataset.yaml",),
    keys=("splits", "families"),
)
