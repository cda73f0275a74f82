"""The questions of the study, answered by its numbers: yes, no, or cannot be told.

An answer is "yes" or "no" only where the whole interval of a score, 5 to 95 % over splits and seeds
or over resampled rows, lies on one side of the limit that the question names, and "yes" only
where the score also exceeds what shuffled data give. The reason is put together from the same
numbers.
"""

import dataclasses
from typing import Literal

import numpy as np

from opalux.learning.siqd.study import published
from opalux.learning.siqd.study.interval import Interval
from opalux.learning.siqd.study.repeats import Repeated
from opalux.learning.siqd.study.separation import Separation
from opalux.learning.siqd.study.study import Study

SEPARATE = 0.25
"""Silhouette from which classes count as separate (Kaufman and Rousseeuw, 1990)."""
PURE = 0.5
"""Mutual information, adjusted for chance, from which structure classes count as pure."""
EXACT = 0.95
"""R² from which the property counts as computable."""
BEYOND_CHANCE = 0.95
"""Share of the null that a score must exceed."""

Answer = Literal["yes", "no", "cannot be told"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """The answer to a question.

    Attributes
    ----------
    key : name of the question
    question : as text
    answer : from the numbers
    reason : the numbers, and what follows from them
    paper : what the paper answers, as text; None: it does not, or this is not its subject
    holds : whether the answer is the paper's; None: cannot be told, or there is none
    """

    key: str
    question: str
    answer: Answer
    reason: str
    paper: str | None = None
    holds: bool | None = None


def judge(score: Interval, limit: float, *, beyond_chance: bool) -> Answer:
    """Return "yes" where a score is at least a limit, and more than chance gives."""
    if score.high < limit or not beyond_chance:
        return "no"
    return "yes" if score.low >= limit else "cannot be told"


def verdicts(study: Study) -> list[Verdict]:
    """Return the answers to all questions; for the preset with those of the paper."""
    found = [
        _clusters_separate(study),
        _clusters_pure(study),
        _classes_separate(study),
        _classes_predicted(study),
        _property_computed(study),
    ]
    if not study.settings.preset:
        return found
    found += [_six_classes(study)]
    if "forest" in study.others:
        found += [_network_beats_forest(study)]
    return [_beside_the_paper(verdict) for verdict in found]


PAPER: dict[str, tuple[Answer, str]] = {
    "structure_classes_are_separate": ("yes", "Yes: they are learnt with accuracy 0.983."),
    "structure_classes_are_pure": ("no", "No."),
    "property_classes_are_separate": ("no", "No: the eye defines them, not the data."),
    "property_can_be_computed": ("yes", "Yes, nearly exactly: R² 0.994 ± 0.007 over folds."),
    "six_structure_classes": ("yes", "Yes, by Iterative Label Spreading with p = 15."),
    "network_beats_forest": ("yes", "Yes: the forest tells only red apart."),
}
"""The six claims of the paper, by key: the answer, and as text."""


def _beside_the_paper(verdict: Verdict) -> Verdict:
    if verdict.key not in PAPER:
        return verdict
    answer, text = PAPER[verdict.key]
    holds = None if verdict.answer == "cannot be told" else verdict.answer == answer
    return dataclasses.replace(verdict, paper=text, holds=holds)


def _separate(apart: Separation) -> Answer:
    return judge(
        apart.silhouette, SEPARATE, beyond_chance=apart.silhouette.middle > apart.by_chance
    )


def _clusters_separate(study: Study) -> Verdict:
    apart = study.cluster_separation
    if apart is None:
        return Verdict(
            key="structure_classes_are_separate",
            question="Are there separate structure classes?",
            answer="no",
            reason="The clustering finds a single class.",
        )
    answer = _separate(apart)
    reason = (
        f"The silhouette of the {study.clustering.n_clusters_} structure classes is "
        f"{apart.silhouette} (separate from {SEPARATE} on); classes that are found in the same way "
        f"in features shuffled one by one reach up to {apart.by_chance:.3f}."
    )
    if apart.silhouette.middle <= apart.by_chance:
        reason += " So the classes are no more separate than those that noise gives."
    if "clusters" in study.repeated:
        scores = study.repeated["clusters"]
        reason += f" A network tells them with accuracy {scores.score}."
    agreement = Interval.of(study.starts.agreement)
    reason += f" From other starts, their adjusted Rand index with these is {agreement}."
    return Verdict(
        key="structure_classes_are_separate",
        question="Are there separate structure classes?",
        answer=answer,
        reason=reason,
    )


def _clusters_pure(study: Study) -> Verdict:
    colour, name = study.purity, study.prepared.subject.property
    key, question = "structure_classes_are_pure", f"Do structure classes tell the class of {name}?"
    if study.clustering.n_clusters_ < 2:
        return Verdict(
            key=key,
            question=question,
            answer="cannot be told",
            reason="The clustering finds a single class, which says nothing.",
        )
    score, most = colour.mutual_information, float(colour.null.max())
    beyond = score.middle > most
    reason = (
        f"Their mutual information, adjusted for chance, is {score} (pure from {PURE} on; 1: the "
        f"same classes); random classes of these sizes reach up to {most:.3f}. "
        f"{colour.overall:.1%} of the {study.prepared.subject.rows} are in the most frequent class "
        f"of their structure class, {colour.by_chance:.1%} in random ones."
    )
    if not beyond:
        reason += " So they say nothing about it."
    elif score.high < PURE:
        reason += " So they say something about it, but most is left open."
    return Verdict(
        key=key,
        question=question,
        answer=judge(score, PURE, beyond_chance=beyond),
        reason=reason,
    )


def _classes_separate(study: Study) -> Verdict:
    apart, limits, subject = study.class_separation, study.limits, study.prepared.subject
    key = "property_classes_are_separate"
    question = f"Are the classes of {subject.property} separate classes of structures?"
    if apart is None:
        return Verdict(
            key=key, question=question, answer="cannot be told", reason="There is one class."
        )
    answer = _separate(apart)
    reason = (
        f"Their silhouette in the space of features is {apart.silhouette} (separate from "
        f"{SEPARATE} on; shuffled over the {subject.rows}: up to {apart.by_chance:.3f})."
    )
    return Verdict(
        key=key,
        question=question,
        answer=answer,
        reason=reason + ("" if answer == "yes" else _why_predicted(study, limits.accuracy)),
    )


def _why_predicted(study: Study, accuracy: float) -> str:
    """Return whether, and why, classes can be predicted though they are not separate."""
    scores, number = study.repeated["classes"], study.repeated["property"]
    limits, subject = study.limits, study.prepared.subject
    if scores.above_chance < BEYOND_CHANCE:
        return " The features do not predict them either, beyond chance."
    text = f" They can be predicted with accuracy {scores.score}"
    if limits.accuracy_from_regression >= accuracy - 0.02 and number.score.middle > 0:
        leader, share = number.leading
        text += (
            f" because the features predict {subject.property} itself (R² {number.score}; "
            f"{share:.0%} of the importance is that of {leader}): a regressor, which was not "
            f"trained on classes, tells them with accuracy {limits.accuracy_from_regression:.3f}"
        )
    text += "."
    tried = np.isfinite(limits.accuracy_shifted)
    better = int((limits.accuracy_shifted[tried] >= accuracy).sum())
    span = float(np.abs(limits.shifts).max())
    low, high = limits.accuracy_shifted[tried].min(), limits.accuracy_shifted[tried].max()
    text += (
        f" With all limits moved by up to {span:.3g} {subject.unit}".rstrip()
        + f", the network reaches {low:.3f} to {high:.3f}; at {better} of {tried.sum()} shifts it "
        f"is at least as accurate as over the folds ({accuracy:.3f})."
    )
    if len(limits.error_distances):
        text += (
            f" Half of its errors lie within {np.median(limits.error_distances):.3g} "
            f"{subject.unit}".rstrip()
            + f" of a limit (all {subject.rows}: {limits.typical_distance:.3g})."
        )
    return text


def _chance_text(scores: Repeated) -> str:
    null = Interval.of(scores.null)
    return f"with the property shuffled {null}"


def _classes_predicted(study: Study) -> Verdict:
    scores, name = study.repeated["classes"], study.prepared.subject.property
    limit = float(np.quantile(scores.null, 0.95))
    answer: Answer = "cannot be told"
    if scores.score.low > limit:
        answer = "yes"
    elif scores.above_chance < BEYOND_CHANCE:
        answer = "no"
    return Verdict(
        key="property_classes_can_be_predicted",
        question=f"Can the class of {name} be predicted from the features, beyond chance?",
        answer=answer,
        reason=f"Accuracy {scores.score} over {len(scores.test)} splits and seeds; "
        f"{_chance_text(scores)}.",
    )


def _property_computed(study: Study) -> Verdict:
    scores, subject = study.repeated["property"], study.prepared.subject
    answer = judge(scores.score, EXACT, beyond_chance=scores.above_chance >= BEYOND_CHANCE)
    reason = (
        f"R² {scores.score} over {len(scores.test)} splits and seeds (yes from {EXACT} on); "
        f"{_chance_text(scores)}."
    )
    if scores.above_chance < BEYOND_CHANCE:
        reason += " This is no more than chance."
    else:
        leader, share = scores.leading
        reason += f" {share:.0%} of the importance is that of {leader}."
    return Verdict(
        key="property_can_be_computed",
        question=f"Can {subject.property} be computed from the features, nearly exactly?",
        answer=answer,
        reason=reason,
    )


def _six_classes(study: Study) -> Verdict:
    counts, wanted = study.starts.n_clusters, published.N_CLUSTERS
    share = float(np.mean(counts == wanted))
    values, times = np.unique(counts, return_counts=True)
    listed = ", ".join(f"{value} ({time})" for value, time in zip(values, times, strict=True))
    small = int((study.starts.smallest < published.ILS_P).sum())
    return Verdict(
        key="six_structure_classes",
        question="Does Iterative Label Spreading find six structure classes?",
        answer="yes" if share >= 0.95 else "no" if share <= 0.05 else "cannot be told",
        reason=f"From {len(counts)} starts it finds so many classes (so often): {listed}. From "
        f"{small} of them, a class has fewer than {published.ILS_P} dots.",
    )


def _network_beats_forest(study: Study) -> Verdict:
    gain = study.repeated["classes"].test - study.others["forest"]["classes"].test
    spread = Interval.of(gain)
    answer: Answer = "yes" if spread.low > 0 else "no" if spread.high <= 0 else "cannot be told"
    return Verdict(
        key="network_beats_forest",
        question="Is the network better than a random forest at the colour bands?",
        answer=answer,
        reason=f"On the same splits, its accuracy is higher by {spread}; the forest reaches "
        f"{study.others['forest']['classes'].score}.",
    )
