"""Judging a training run: all sets that were asked for, then pictures, report and metrics.json."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opalux.base.config import dump
from opalux.base.errors import InputError
from opalux.base.files import write_json, write_text
from opalux.base.run_folder import add_made, run_folder
from opalux.jobs.inversion.comparison import KEPT, Compare
from opalux.jobs.inversion.findings import MAIN, Subject, find, logs_of, numbers, require_names
from opalux.jobs.inversion.held_out import refuse_known
from opalux.jobs.inversion.judge import judged_data, kind_of, load_learning_curve
from opalux.jobs.inversion.model_card import model_card
from opalux.jobs.inversion.repeated import OverTrainings, load_repeated
from opalux.jobs.inversion.report import write_report
from opalux.jobs.inversion.restricted import subsets_of
from opalux.jobs.inversion.settings import EvaluateSettings
from opalux.jobs.inversion.trained import load_ensemble

PICTURES = (
    *("maps", "depth", "cells", "coverage"),
    *("training", "learning_curve", "steps", "physics-*"),
)
MAKES = (
    "metrics.json",
    "report.html",
    "model_card.md",
    KEPT,
    *(f"{name}.png" for name in PICTURES),
)
"""Files that an evaluation makes in its folder."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What a training run reaches.

    Attributes
    ----------
    folder : that holds metrics.json, report.html, model_card.md and pictures
    numbers : the content of metrics.json
    headline : measures by name of the set and of the measure; what was not taken is left out
    repeated : the same over several trainings, where these were given
    """

    folder: Path
    numbers: dict[str, Any]
    headline: dict[str, dict[str, float]]
    repeated: Mapping[str, Mapping[str, OverTrainings]]

    def __str__(self) -> str:
        lines = []
        for name, measures in self.headline.items():
            title = "" if name == MAIN else f"{name}: "
            lines.append(title + ", ".join(f"{key} {value:.4g}" for key, value in measures.items()))
        if self.repeated:
            lines.append("mean and standard deviation over the trainings:")
        for name, over in self.repeated.items():
            lines.append(f"{name}: " + ", ".join(f"{key} {value}" for key, value in over.items()))
        return "\n".join([*lines, f"report: {self.folder / 'report.html'}"])


def evaluate(
    run: Path,
    settings: EvaluateSettings,
    out: Path | None = None,
    *,
    resume: bool = False,
    force: bool = False,
    dry_run: bool = False,
    compare: Compare | None = None,
) -> Evaluation | None:
    """Judge the network of a training run on maps that it has not seen.

    Parameters
    ----------
    run : folder of the training run, or a checkpoint
    settings : what it is judged on
    out : folder for the results; None: the run itself, if it is a folder
    resume, force : see `run_folder`
    dry_run : check everything and write nothing
    compare : finds the maps in other ways, too, where ``settings.invert`` asks for it

    Returns
    -------
    The evaluation; None after a dry run.

    Raises
    ------
    InputError
        When a setting asks for what this kind of network does not have, before any work, or when
        data sets or networks do not fit.
    """
    if run.is_file() and out is None:
        raise InputError(
            f"--out: found none, expected a folder for the results, since {run} is a checkpoint "
            "and no run; give one"
        )
    ensemble = load_ensemble(run, settings.also, settings.checkpoint)
    trained = ensemble[0]
    kind = kind_of(trained)
    subject = Subject(
        run=run,
        ensemble=ensemble,
        repeated=load_repeated(run, trained, settings),
        of_curve=load_learning_curve(trained, settings),
        kind=kind,
        logs=logs_of(run, kind, settings),
    )
    _check(subject, settings, compare)
    if dry_run:
        return None
    if out is None or out.resolve() == run.resolve():
        add_made(run, MAKES)
        return _evaluate(subject, settings, run, compare)
    with run_folder(out, dump(settings), job="evaluate", makes=MAKES, resume=resume, force=force):
        return _evaluate(subject, settings, out, compare)


def _check(subject: Subject, settings: EvaluateSettings, compare: Compare | None) -> None:
    """Refuse, before any work, what cannot be judged."""
    subject.kind.refuse(settings)
    require_names(settings)
    ensemble = subject.ensemble
    subsets_of(ensemble, settings)
    if compare is not None:
        compare.refuse(ensemble, settings)
    for maps in (settings, *settings.apart.values()):
        data = judged_data(ensemble[0], maps)
        judges = [*ensemble, *subject.repeated, *(subject.of_curve if maps is settings else ())]
        refuse_known(judges, data, maps)
        data.close()
    if settings.linear_baseline:
        ensemble[0].training_data().close()


def _evaluate(
    subject: Subject, settings: EvaluateSettings, out: Path, compare: Compare | None
) -> Evaluation:
    """Judge the networks and write everything into ``out``."""
    found = find(subject, settings, out, compare)
    trained, kind = subject.ensemble[0], subject.kind
    taken = numbers(subject, found, settings)
    (out / "metrics.json").unlink(missing_ok=True)  # of an earlier one, beside the new report
    write_report(out, trained, kind, found)
    write_text(out / "model_card.md", model_card(trained, kind, found.judged))
    write_json(out / "metrics.json", taken)  # last: where it is, all is
    for path in out.glob(KEPT):
        path.unlink()
    return Evaluation(folder=out, numbers=taken, headline=found.headline, repeated=found.over)
