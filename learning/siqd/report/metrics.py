"""The numbers of the report for metrics.json."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from opalux.learning.siqd.clustering.peers import METHODS, Outcome
from opalux.learning.siqd.study.classify import Assessment
from opalux.learning.siqd.study.comparison import Verdict
from opalux.learning.siqd.study.preparation import drops
from opalux.learning.siqd.study.search import Searched
from opalux.learning.siqd.study.study import Study


def metrics(study: Study, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return the numbers of the study; None where a number does not exist."""
    apart, colour = study.separability, study.purity
    result = {
        "data": {
            "origin": study.table.origin,
            "rebuilt": study.table.rebuilt,
            "dots": len(study.table),
            "kept": len(study.prepared.table),
            "dropped_columns": {drop.name: drop.correlation for drop in drops(study.correlations)},
        },
        "structure_classes": {
            "p": study.settings.p,
            "count": study.clustering.n_clusters_,
            "sizes": np.bincount(study.clustering.labels_).tolist(),
            "median_agreement_over_starts": float(np.median(study.robustness.agreement_by_start)),
        },
        "networks": {name: _scores(found) for name, found in study.networks.items()},
        "forest": _scores(study.forest),
        "purity": {
            "share_of_commonest_band": colour.overall,
            "by_chance": colour.by_chance,
            "adjusted_mutual_information": colour.mutual_information,
        },
        "separability": {
            "silhouette_bands": apart.silhouette_bands,
            "silhouette_clusters": apart.silhouette_clusters,
            "accuracy": apart.accuracy,
            "accuracy_from_regression": apart.accuracy_from_regression,
            "accuracy_moved_limits_least": float(apart.accuracy_shifted.min()),
            "accuracy_moved_limits_most": float(apart.accuracy_shifted.max()),
        },
        "conclusions_hold": {verdict.key: verdict.holds for verdict in verdicts},
    }
    return _finite(result)


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
