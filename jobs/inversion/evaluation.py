"""Judging a training run: all sets that were asked for, then pictures, report and metrics.json."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from opalux.base.config import dump
from opalux.base.errors import InputError
from opalux.base.files import write_json, write_text
from opalux.base.run_folder import add_made, run_folder
from opalux.jobs.inversion.comparison import KEPT, Compare, Compared
from opalux.jobs.inversion.held_out import refuse_known
from opalux.jobs.inversion.judge import (
    averages_symmetries,
    judge,
    judge_apart,
    judge_learning_curve,
    judge_subsets,
    judged_data,
    kind_of,
)
from opalux.jobs.inversion.kind import Kind
from opalux.jobs.inversion.model_card import model_card
from opalux.jobs.inversion.report import write_report
from opalux.jobs.inversion.restricted import subsets_of
from opalux.jobs.inversion.settings import EvaluateSettings
from opalux.jobs.inversion.trained import Trained, load_ensemble
from opalux.learning.training import logbook

MAIN = "held-out maps"
"""How the main set is called beside others."""

MAKES = (
    "metrics.json",
    "report.html",
    "model_card.md",
    KEPT,
    *(
        f"{name}.png"
        for name in ("maps", "depth", "cells", "training", "learning_curve", "physics-*")
    ),
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
    """

    folder: Path
    numbers: dict[str, Any]
    headline: dict[str, dict[str, float]]

    def __str__(self) -> str:
        lines = []
        for name, measures in self.headline.items():
            title = "" if name == MAIN else f"{name}: "
            lines.append(title + ", ".join(f"{key} {value:.4g}" for key, value in measures.items()))
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
    kind.refuse(settings)
    logbook.read(run, kind.shown)
    subsets_of(ensemble, settings)
    if compare is not None:
        compare.refuse(ensemble, settings)
    for maps in (settings, *settings.apart.values()):
        data = judged_data(trained, maps)  # refused before any work
        refuse_known(ensemble, data, maps)
        data.close()
    if settings.linear_baseline:
        trained.training_data().close()
    if dry_run:
        return None
    if out is None or out.resolve() == run.resolve():
        add_made(run, MAKES)
        return _evaluate(run, ensemble, kind, settings, run, compare)
    with run_folder(out, dump(settings), job="evaluate", makes=MAKES, resume=resume, force=force):
        return _evaluate(run, ensemble, kind, settings, out, compare)


def _evaluate(
    run: Path,
    ensemble: Sequence[Trained],
    kind: Kind,
    settings: EvaluateSettings,
    out: Path,
    compare: Compare | None,
) -> Evaluation:
    """Judge the networks and write everything into ``out``."""
    trained = ensemble[0]
    judged = {MAIN: judge(ensemble, settings, settings)}
    for name, maps in settings.apart.items():
        judged |= judge_apart(ensemble, name, maps, settings)
    judged |= kind.baselines(trained, settings)
    main, *_ = judged.values()
    curve = []
    if settings.learning_curve:
        curve = judge_learning_curve(run, trained, main, settings)
    subsets = judge_subsets(ensemble, settings)
    compared: dict[str, Compared] = {}
    if compare is not None:
        for name, maps in {MAIN: settings, **settings.apart}.items():
            one = compare.compare(ensemble, name, maps, settings, out)
            compared |= {} if one is None else {name: one}
    numbers = main.numbers | {
        "run": str(run),
        "networks": len(ensemble),
        "checkpoint": settings.checkpoint,
        "step": trained.step,
        "symmetries_averaged": averages_symmetries(trained, settings),
        "learning_curve": curve,
        "subsets": {
            name: {**result.headline, "noise": result.numbers["noise"]}
            for name, result in subsets.items()
        },
        "invert": {name: one.numbers() for name, one in compared.items()},
        "apart": {name: result.numbers for name, result in judged.items() if name != MAIN},
    }
    (out / "metrics.json").unlink(missing_ok=True)  # of an earlier one, beside the new report
    write_report(out, run, trained, kind, judged, curve, subsets, compared)
    write_text(out / "model_card.md", model_card(trained, kind, judged))
    write_json(out / "metrics.json", numbers)  # last: where it is, all is
    for path in out.glob(KEPT):
        path.unlink()
    headline = {
        name: {key: value for key, value in result.headline.items() if value is not None}
        for name, result in {**judged, **{f"of {k}": one for k, one in subsets.items()}}.items()
    }
    for name, one in compared.items():
        for way, row in one.numbers()["ways"].items():
            shown = ("r2_pooled", "rel_l2", "rel_l2_to_network", "chi2", "seconds")
            headline[f"{name}, {way} ({len(one.truth)} maps)"] = {key: row[key] for key in shown}
    return Evaluation(folder=out, numbers=numbers, headline=headline)
