"""The numbers of the report for metrics.json."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from opalux.learning.siqd.clustering.peers import METHODS, Outcome
from opalux.learning.siqd.study.classify import Assessment
from opalux.learning.siqd.study.interval import Interval
from opalux.learning.siqd.study.preparation import drops
from opalux.learning.siqd.study.repeats import Repeated
from opalux.learning.siqd.study.search import Searched
from opalux.learning.siqd.study.separation import Separation
from opalux.learning.siqd.study.study import Study
from opalux.learning.siqd.study.verdicts import Verdict

OF_THE_PAPER = {
    "structure_classes_have_no_spectral_purity": "structure_classes_are_pure",
    "colour_bands_are_no_separable_classes": "property_classes_are_separate",
    "regression_is_nearly_exact": "property_can_be_computed",
}
"""The paper's conclusion in three claims, and the question that tests each."""


def metrics(study: Study, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return the numbers of the study; None where a number does not exist."""
    subject, starts, limits = study.prepared.subject, study.starts, study.limits
    colour = study.purity
    result: dict[str, Any] = {
        "data": {
            "origin": study.table.origin,
            "rebuilt": study.table.rebuilt is not None,
            "rows": len(study.table),
            "kept": len(study.prepared.table),
            "classes": dict(
                zip(
                    study.prepared.classes.names,
                    np.bincount(
                        study.prepared.labels, minlength=len(study.prepared.classes.names)
                    ).tolist(),
                    strict=True,
                )
            ),
            "dropped_columns": {
                drop.name: drop.correlation for drop in drops(study.correlations, subject)
            },
        },
        "structure_classes": {
            "p": study.settings.width,
            "method": study.settings.rule,
            "count": study.clustering.n_clusters_,
            "sizes": np.bincount(study.clustering.labels_).tolist(),
            "starts": len(starts.starts),
            "count_over_starts": _interval(Interval.of(starts.n_clusters.astype(float))),
            "agreement_over_starts": _interval(Interval.of(starts.agreement)),
            "other_clusterers": {
                found.name: {
                    key: value for key, value in dataclasses.asdict(found).items() if key != "name"
                }
                for found in study.clusterers
            },
        },
        "networks": {
            study.tasks[role].name: {**_scores(found), **_repeated(study.repeated[role])}
            for role, found in study.networks.items()
        },
        "other_models": {
            model: {study.tasks[role].name: _interval(found.score) for role, found in by.items()}
            for model, by in study.others.items()
        },
        "purity": {
            "share_of_commonest_class": colour.overall,
            "by_chance": colour.by_chance,
            "adjusted_mutual_information": _interval(colour.mutual_information),
            "adjusted_mutual_information_of_random_classes": float(colour.null.max()),
        },
        "separability": {
            "silhouette_of_property_classes": _separation(study.class_separation),
            "silhouette_of_structure_classes": _separation(study.cluster_separation),
            "accuracy": limits.accuracy,
            "accuracy_from_regression": limits.accuracy_from_regression,
            "accuracy_moved_limits_least": float(np.nanmin(limits.accuracy_shifted)),
            "accuracy_moved_limits_most": float(np.nanmax(limits.accuracy_shifted)),
        },
        "verdicts": {verdict.key: verdict.answer for verdict in verdicts},
    }
    if study.settings.preset:
        holds = {verdict.key: verdict.holds for verdict in verdicts}
        result["conclusions_hold"] = {claim: holds[key] for claim, key in OF_THE_PAPER.items()}
    return _finite(result)


def _interval(found: Interval) -> dict[str, float]:
    return dataclasses.asdict(found)


def _separation(found: Separation | None) -> dict[str, float] | None:
    if found is None:
        return None
    return {**_interval(found.silhouette), "by_chance_at_most": found.by_chance}


def _repeated(found: Repeated) -> dict[str, Any]:
    return {
        "repeats": len(found.test),
        "train_over_splits": _interval(Interval.of(found.train)),
        "test_over_splits": _interval(found.score),
        "test_with_shuffled_target": _interval(Interval.of(found.null)),
        "importance": {
            group: _interval(Interval.of(values))
            for group, values in zip(found.groups, found.importance.T, strict=True)
        },
    }


def _scores(assessment: Assessment) -> dict[str, float]:
    return {
        "train": assessment.train,
        "test": assessment.test,
        "cv_mean": float(assessment.fold_scores.mean()),
        "cv_std": float(assessment.fold_scores.std()),
    }


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def search_metrics(one: Searched) -> dict[str, Any]:
    """Return the numbers of the search for one task."""
    return {
        "trials": len(one.trials),
        "run_in_full": one.complete,
        "parameters": one.parameters,
        "search_cv_mean": one.best.mean,
        **_scores(one.assessment),
    }


def mean_agreement(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Return the adjusted Rand index of each method, averaged over the sets."""
    return {
        method: float(np.mean([o.adjusted_rand for o in outcomes if o.method == method]))
        for method in METHODS
    }
