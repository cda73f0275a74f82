"""The results as tables for CSV files, and as the numbers of metrics.json."""

import csv
import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from opalux.learning.siqd.clustering.peers import METHODS, Outcome
from opalux.learning.siqd.dots.features import drops
from opalux.learning.siqd.dots.table import FEATURES
from opalux.learning.siqd.study.classify import BANDS, Assessment, bands
from opalux.learning.siqd.study.comparison import Compared, Verdict
from opalux.learning.siqd.study.search import Searched
from opalux.learning.siqd.study.study import Study

Table = tuple[Sequence[str], Sequence[Sequence[object]]]
"""Header and rows."""


def as_csv(table: Table) -> str:
    """The table as CSV text; floating-point numbers keep every digit."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table[0])
    writer.writerows(table[1])
    return text.getvalue()


def study_tables(study: Study) -> dict[str, Table]:
    """Every table of the study, by file name without ending."""
    tables = {
        "dots": _dots(study),
        "correlations": _correlations(study),
        "r_min": _r_min(study),
        "clusters_by_p": (
            ("p", "clusters"),
            list(zip(study.robustness.p, study.robustness.n_clusters_by_p.tolist(), strict=True)),
        ),
        "cluster_colours": (
            ("cluster", *BANDS),
            [(c + 1, *row) for c, row in enumerate(study.purity.table.tolist())],
        ),
        "confusion_forest": _confusion(study.forest),
    }
    for name, assessment in study.networks.items():
        tables[f"network_{name}"] = network_parameters(assessment)
        tables[f"learning_curve_{name}"] = _curve(study, name)
        if assessment.task.classes:
            tables[f"confusion_{name}"] = _confusion(assessment)
            tables[f"class_scores_{name}"] = _class_scores(assessment)
    return tables


def _dots(study: Study) -> Table:
    """Every dot kept, with what each model makes of it."""
    kept = study.prepared.table
    colour, found = bands(kept.wavelength), study.networks
    test = np.zeros(len(kept), dtype=int)
    columns: dict[str, Sequence[object]] = {
        "name": kept.names,
        **{name: kept.columns[name].tolist() for name in FEATURES},
        "wavelength": kept.wavelength.tolist(),
        "band": [BANDS[band] for band in colour],
        "cluster": (study.clustering.labels_ + 1).tolist(),
        "band_of_network": [BANDS[band] for band in found["bands"].fold_predictions],
        "cluster_of_network": (found["clusters"].fold_predictions + 1).tolist(),
        "wavelength_of_network": found["wavelength"].fold_predictions.tolist(),
    }
    for name, assessment in found.items():
        test[:] = 0
        test[assessment.test_rows] = 1
        columns[f"in_test_part_{name}"] = test.tolist()
    return tuple(columns), list(zip(*columns.values(), strict=True))


def _correlations(study: Study) -> Table:
    found = study.correlations
    rows = [
        (name, *row.tolist(), float(skew))
        for name, row, skew in zip(found.names, found.matrix, found.skews, strict=True)
    ]
    return ("column", *found.names, "skew"), rows


def _r_min(study: Study) -> Table:
    model, names = study.clustering, study.prepared.table.names
    steps = range(1, len(model.order_))
    return ("step", "dot", "source", "r_min", "smoothed", "cut_here", "cluster"), [
        (
            step,
            names[model.order_[step]],
            names[model.source_[step]],
            float(model.r_min_[step - 1]),
            float(model.smoothed_[step - 1]),
            int(step - 1 in model.peaks_),
            int(model.labels_[model.order_[step]]) + 1,
        )
        for step in steps
    ]


def _confusion(assessment: Assessment) -> Table:
    names = assessment.task.classes
    rows = [(name, *row) for name, row in zip(names, assessment.confusion.tolist(), strict=True)]
    return ("true \\ predicted", *names), rows


def _class_scores(assessment: Assessment) -> Table:
    return ("class", "precision", "recall", "f1", "tested", "count"), [
        (s.name, s.precision, s.recall, s.f1, s.tested, s.count) for s in assessment.class_scores
    ]


def _curve(study: Study, name: str) -> Table:
    curve = study.curves[name]
    header = ("trained_on", "train_mean", "train_std", "validation_mean", "validation_std")
    columns = (
        curve.sizes,
        curve.train.mean(axis=1),
        curve.train.std(axis=1),
        curve.validation.mean(axis=1),
        curve.validation.std(axis=1),
    )
    return header, list(zip(*(column.tolist() for column in columns), strict=True))


def network_parameters(assessment: Assessment) -> Table:
    """Weights and biases of a network: one row a connection, unit 0 of a layer its bias."""
    model = assessment.model
    rows: list[tuple[object, ...]] = []
    for layer, (weights, biases) in enumerate(
        zip(model.coefs_, model.intercepts_, strict=True), start=1
    ):
        rows += [(layer, 0, j + 1, float(bias)) for j, bias in enumerate(biases)]
        rows += [(layer, i + 1, j + 1, float(w)) for (i, j), w in np.ndenumerate(weights)]
    return ("layer", "from_unit", "to_unit", "value"), rows


def comparison_table(rows: Sequence[Compared]) -> Table:
    """Published numbers beside ours."""
    return ("quantity", "published", "ours", "why they differ"), [
        (row.what, row.published, row.ours, row.why) for row in rows
    ]


def peers_table(outcomes: Sequence[Outcome]) -> Table:
    """Clusterers on the test sets."""
    return ("set", "method", "adjusted_rand", "clusters", "seconds"), [
        (o.test_set, o.method, o.adjusted_rand, o.n_clusters, o.seconds) for o in outcomes
    ]


def mean_agreement(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Adjusted Rand index of each method, averaged over the sets."""
    return {
        method: float(np.mean([o.adjusted_rand for o in outcomes if o.method == method]))
        for method in METHODS
    }


def metrics(study: Study, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The numbers of the study for metrics.json; null where one does not exist."""
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
    """The numbers of one task's search."""
    return {
        "trials": len(one.trials),
        "run_in_full": one.complete,
        "parameters": one.parameters,
        "search_cv_mean": one.best.mean,
        **_scores(one.assessment),
    }


def trials_table(one: Searched) -> Table:
    """Every trial: its hyper-parameters, the folds it ran, its mean over them."""
    rows = [
        (
            trial.number,
            *(str(value) for value in one.space.draw(trial.number).values()),
            len(trial.scores),
            sum(trial.scores) / len(trial.scores),
        )
        for trial in one.trials
    ]
    return ("trial", *one.parameters, "folds_run", "mean_score"), rows
