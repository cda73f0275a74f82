"""What the reader of a report wants to know first: what it is, what it means, what to do next."""

from collections.abc import Sequence

import numpy as np

from opalux.base.page import bold, code
from opalux.learning.siqd.study.study import Study
from opalux.learning.siqd.study.verdicts import Verdict

FEW = 200
"""Rows below which more of them are what helps most."""


def first_answers(
    study: Study, verdicts: Sequence[Verdict]
) -> tuple[list[str], list[str], list[str]]:
    """Return what you got, what it means and what to do next, as paragraphs."""
    return _got(study), _means(verdicts), _next(study, verdicts)


def _got(study: Study) -> list[str]:
    subject, found = study.prepared.subject, study.clustering.labels_
    sizes = sorted(np.bincount(found[found >= 0]).tolist(), reverse=True)
    classes = len(study.prepared.classes.names)
    groups = "one structure class" if len(sizes) == 1 else f"{len(sizes)} structure classes"
    return [
        bold(groups)
        + f" of {len(study.prepared.table)} {subject.rows}"
        + (f", of {', '.join(map(str, sizes))}" if len(sizes) > 1 else "")
        + f", beside {classes} classes of {subject.property}.",
        "All numbers are in metrics.json, all tables in tables/, all figures in figures/.",
    ]


def _means(verdicts: Sequence[Verdict]) -> list[str]:
    return [
        verdict.question + " " + bold(verdict.answer.capitalize() + ".") for verdict in verdicts
    ]


def _next(study: Study, verdicts: Sequence[Verdict]) -> list[str]:
    answers = {verdict.key: verdict.answer for verdict in verdicts}
    settings, rows = study.settings, len(study.prepared.table)
    lines = []
    if "cannot be told" in answers.values():
        lines.append(
            "What cannot be told may be told with more splits ("
            + code(f"--set repeats={5 * settings.repeats}")
            + ")"
            + (f" or more than these {rows} rows." if rows < FEW else ".")
        )
    if study.clustering.n_clusters_ == 1:
        lines.append(
            "One structure class: try a smaller p (now "
            + code(f"{settings.width:g}")
            + "); if there is still one, the features form no groups."
        )
    if answers.get("property_can_be_computed") == "no":
        lines.append(
            "The features leave much of the property open, or the networks are too small: another "
            "column, or " + code("search: {trials: 500}") + " for other networks."
        )
    if study.table.rebuilt or settings.data.example is not None:
        lines.append(
            "A table of your own: "
            + code("opalux init siqd")
            + " writes a configuration in which every key is explained; name the file in "
            + code("data.file")
            + "."
        )
    lines.append("Believe an answer as far as its reason below goes: each names its numbers.")
    return lines
