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
    CALIBRATED,
    averages_symmetries,
    judge,
    judge_apart,
    judge_learning_curve,
    judge_subsets,
    judged_data,
    kind_of,
    load_learning_curve,
)
from opalux.jobs.inversion.kind import Judged, Kind
from opalux.jobs.inversion.map_kind import RIDGE
from opalux.jobs.inversion.model_card import model_card
from opalux.jobs.inversion.repeated import OverTrainings, load_repeated, over_trainings
from opalux.jobs.inversion.report import Found, write_report
from opalux.jobs.inversion.restricted import subsets_of
from opalux.jobs.inversion.settings import EvaluateSettings
from opalux.jobs.inversion.trained import Trained, load_ensemble
from opalux.learning.training import logbook
from opalux.learning.training.subsets import STANDARD

MAIN = "held-out maps"
"""How the main set is called beside others."""

MAKES = (
    "metrics.json",
    "report.html",
    "model_card.md",
    KEPT,
    *(
        f"{name}.png"
        for name in ("maps", "depth", "cells", "training", "learning_curve", "steps", "physics-*")
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
    repeated : the same over several trainings, where these were given
    """

    folder: Path
    numbers: dict[str, Any]
    headline: dict[str, dict[str, float]]
    repeated: dict[str, dict[str, OverTrainings]]

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
    kind.refuse(settings)
    _require_names(settings)
    repeated = load_repeated(run, trained, settings)
    curve = load_learning_curve(trained, settings)
    for folder in (run, *settings.repeated, *settings.learning_curve):
        logbook.read(folder, kind.shown)
    subsets_of(ensemble, settings)
    if compare is not None:
        compare.refuse(ensemble, settings)
    for maps in (settings, *settings.apart.values()):
        data = judged_data(trained, maps)  # refused before any work
        refuse_known([*ensemble, *repeated, *(curve if maps is settings else [])], data, maps)
        data.close()
    if settings.linear_baseline:
        trained.training_data().close()
    if dry_run:
        return None
    if out is None or out.resolve() == run.resolve():
        add_made(run, MAKES)
        return _evaluate(run, ensemble, repeated, curve, kind, settings, run, compare)
    with run_folder(out, dump(settings), job="evaluate", makes=MAKES, resume=resume, force=force):
        return _evaluate(run, ensemble, repeated, curve, kind, settings, out, compare)


def _evaluate(
    run: Path,
    ensemble: Sequence[Trained],
    repeated: Sequence[Trained],
    of_curve: Sequence[Trained],
    kind: Kind,
    settings: EvaluateSettings,
    out: Path,
    compare: Compare | None,
) -> Evaluation:
    """Judge the networks and write everything into ``out``."""
    trained = ensemble[0]
    judged = _on_every_set(ensemble, settings)
    subsets = judge_subsets(ensemble, settings)
    over: dict[str, dict[str, OverTrainings]] = {}
    if repeated:
        alike = settings.model_copy(update={"misfit_maps": 0})
        over = over_trainings(
            [
                {**judged, **subsets},
                *(
                    {**_on_every_set([one], alike), **judge_subsets([one], alike)}
                    for one in repeated
                ),
            ]
        )
    judged |= kind.baselines(trained, settings)
    main, *_ = judged.values()
    curve = judge_learning_curve(run, trained, main, of_curve, settings)
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
        "repeated": {
            "runs": [str(run), *map(str, settings.repeated)] if repeated else [],
            "sets": {
                name: {measure: value._asdict() for measure, value in measures.items()}
                for name, measures in over.items()
            },
        },
    }
    (out / "metrics.json").unlink(missing_ok=True)  # of an earlier one, beside the new report
    logs = {
        str(path.absolute()): logbook.read(path, kind.shown)
        for path in (run, *settings.repeated, *settings.learning_curve)
    }
    write_report(
        out,
        trained,
        kind,
        Found(logs=logs, judged=judged, curve=curve, subsets=subsets, compared=compared, over=over),
    )
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
    return Evaluation(folder=out, numbers=numbers, headline=headline, repeated=over)


def _require_names(settings: EvaluateSettings) -> None:
    """Refuse names of sets that would hide other sets in reports and metrics.json."""
    subsets = STANDARD if settings.subset == "table" else settings.subset or {}
    for name in settings.apart:
        if name in (MAIN, RIDGE, *subsets) or name.endswith(CALIBRATED) or not name.strip():
            raise InputError(
                f"apart: found the name '{name}', which the reports have for something else; "
                "choose another"
            )


def _on_every_set(ensemble: Sequence[Trained], settings: EvaluateSettings) -> dict[str, Judged]:
    """Judge networks on the main set and on those apart, by name; the main one is the first."""
    judged = {MAIN: judge(ensemble, settings, settings)}
    for name, maps in settings.apart.items():
        judged |= judge_apart(ensemble, name, maps, settings)
    return judged
