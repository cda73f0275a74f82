"""All that an evaluation finds of trained networks; metrics.json and the report show it."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from opalux.base.errors import InputError
from opalux.jobs.inversion.comparison import Compare, Compared
from opalux.jobs.inversion.judge import (
    CALIBRATED,
    averages_symmetries,
    judge,
    judge_apart,
    judge_learning_curve,
    judge_subsets,
    scores_alone,
)
from opalux.jobs.inversion.kind import Judged, Kind
from opalux.jobs.inversion.map_kind import RIDGE
from opalux.jobs.inversion.repeated import OverTrainings, over_trainings
from opalux.jobs.inversion.settings import EvaluateSettings
from opalux.jobs.inversion.trained import Trained
from opalux.learning.training import logbook
from opalux.learning.training.subsets import STANDARD

MAIN = "held-out maps"
"""How the main set is called beside others."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subject:
    """What is judged.

    Attributes
    ----------
    run : folder of the training run, or a checkpoint
    ensemble : whose answers are averaged, the run's network first
    repeated : the same configuration, trained with other seeds
    of_curve : networks of the learning curve
    kind : of the answers
    logs : lines of metrics.jsonl by the path of the run, that of the judged one first
    """

    run: Path
    ensemble: Sequence[Trained]
    repeated: Sequence[Trained]
    of_curve: Sequence[Trained]
    kind: Kind
    logs: Mapping[str, Sequence[Mapping[str, Any]]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Found:
    """What was found.

    Attributes
    ----------
    logs : lines of metrics.jsonl by the path of the run, that of the judged one first
    judged : by name of the set; the main one is the first
    curve : what networks reach by the number of maps that they were trained on
    subsets : what it reaches from parts of the main set's signals, by name
    compared : other ways to the same maps, by name of the set
    over : measures over several trainings, by name of the set and of the measure
    """

    logs: Mapping[str, Sequence[Mapping[str, Any]]]
    judged: Mapping[str, Judged]
    curve: Sequence[Mapping[str, Any]] = ()
    subsets: Mapping[str, Judged] = dataclasses.field(default_factory=dict)
    compared: Mapping[str, Compared] = dataclasses.field(default_factory=dict)
    over: Mapping[str, Mapping[str, OverTrainings]] = dataclasses.field(default_factory=dict)

    @property
    def headline(self) -> dict[str, dict[str, float]]:
        """Measures by name of the set and of the measure; what was not taken is left out."""
        sets = {**self.judged, **{f"of {name}": one for name, one in self.subsets.items()}}
        headline = {
            name: {key: value for key, value in result.headline.items() if value is not None}
            for name, result in sets.items()
        }
        shown = ("r2_pooled", "rel_l2", "rel_l2_to_network", "chi2", "seconds")
        for name, one in self.compared.items():
            for way, row in one.numbers()["ways"].items():
                headline[f"{name}, {way} ({len(one.truth)} maps)"] = {k: row[k] for k in shown}
        return headline


def find(subject: Subject, settings: EvaluateSettings, out: Path, compare: Compare | None) -> Found:
    """Judge the networks on all that is asked for.

    Parameters
    ----------
    settings : see `EvaluateSettings`
    out : folder in which ``compare`` keeps what it has done
    compare : finds maps in other ways
    """
    ensemble, trained = subject.ensemble, subject.ensemble[0]
    judged, subsets = _on_every_set(ensemble, settings), judge_subsets(ensemble, settings)
    over: dict[str, dict[str, OverTrainings]] = {}
    if subject.repeated:
        alike = scores_alone(settings)
        others = [
            _on_every_set([one], alike) | judge_subsets([one], alike) for one in subject.repeated
        ]
        over = over_trainings([judged | subsets, *others])
    main = judged[MAIN]
    judged |= subject.kind.baselines(trained, settings)
    curve = judge_learning_curve(subject.run, trained, main, subject.of_curve, settings)
    compared: dict[str, Compared] = {}
    if compare is not None:
        for name, maps in {MAIN: settings, **settings.apart}.items():
            one = compare.compare(ensemble, name, maps, settings, out)
            compared |= {} if one is None else {name: one}
    return Found(
        logs=subject.logs, judged=judged, curve=curve, subsets=subsets,
        compared=compared, over=over,
    )  # fmt: skip


def logs_of(
    run: Path, kind: Kind, settings: EvaluateSettings
) -> dict[str, Sequence[Mapping[str, Any]]]:
    """Return the lines of metrics.jsonl of all runs, by their absolute paths.

    Raises
    ------
    InputError
        When one is damaged.
    """
    return {
        str(path.absolute()): logbook.read(path, kind.shown)
        for path in (run, *settings.repeated, *settings.learning_curve)
    }


def numbers(subject: Subject, found: Found, settings: EvaluateSettings) -> dict[str, Any]:
    """Return the content of metrics.json."""
    trained = subject.ensemble[0]
    return found.judged[MAIN].numbers | {
        "run": str(subject.run),
        "networks": len(subject.ensemble),
        "checkpoint": settings.checkpoint,
        "step": trained.step,
        "symmetries_averaged": averages_symmetries(trained, settings),
        "learning_curve": found.curve,
        "subsets": {
            name: {
                **result.headline,
                **{k: result.numbers[k] for k in ("noise", "spread") if k in result.numbers},
            }
            for name, result in found.subsets.items()
        },
        "invert": {name: one.numbers() for name, one in found.compared.items()},
        "apart": {name: result.numbers for name, result in found.judged.items() if name != MAIN},
        "repeated": {
            "runs": [str(path) for path in (subject.run, *settings.repeated) if found.over],
            "sets": {
                name: {measure: value._asdict() for measure, value in measures.items()}
                for name, measures in found.over.items()
            },
        },
    }


def require_names(settings: EvaluateSettings) -> None:
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
