"""The results as tables for CSV files."""

import csv
import io
from collections.abc import Sequence

import numpy as np

from opalux.learning.siqd.clustering.peers import Outcome
from opalux.learning.siqd.dots.columns import FEATURES
from opalux.learning.siqd.study.bands import BANDS, bands
from opalux.learning.siqd.study.classify import Assessment
from opalux.learning.siqd.study.comparison import Compared
from opalux.learning.siqd.study.run import Results
from opalux.learning.siqd.study.search import Searched
from opalux.learning.siqd.study.study import Study

Table = tuple[Sequence[str], Sequence[Sequence[object]]]
"""Header and rows."""


def as_csv(table: Table) -> str:
    """Return the table as CSV text; floating-point numbers keep all digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table[0])
    writer.writerows(table[1])
    return text.getvalue()


def all_tables(results: Results, compared: Sequence[Compared]) -> dict[str, Table]:
    """Return every table, by file name without ending."""
    tables = _study_tables(results.study)
    tables["published_and_ours"] = _comparison(compared)
    if results.outcomes:
        tables["clusterers"] = _clusterers(results.outcomes)
    for one in results.searched:
        tables[f"network_{one.task}_searched"] = _parameters(one.assessment)
        tables[f"trials_{one.task}"] = _trials(one)
    return tables


def _study_tables(study: Study) -> dict[str, Table]:
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
        tables[f"network_{name}"] = _parameters(assessment)
        tables[f"learning_curve_{name}"] = _curve(study, name)
        if assessment.task.classes:
            tables[f"confusion_{name}"] = _confusion(assessment)
            tables[f"class_scores_{name}"] = _class_scores(assessment)
    return tables


def _dots(study: Study) -> Table:
    """Return every dot that is kept, with the prediction of each model."""
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


def _parameters(assessment: Assessment) -> Table:
    """Return weights and biases, one row for each connection; from unit 0 come the biases."""
    model = assessment.model
    rows: list[tuple[object, ...]] = []
    for layer, (weights, biases) in enumerate(
        zip(model.coefs_, model.intercepts_, strict=True), start=1
    ):
        rows += [(layer, 0, j + 1, float(bias)) for j, bias in enumerate(biases)]
        rows += [(layer, i + 1, j + 1, float(w)) for (i, j), w in np.ndenumerate(weights)]
    return ("layer", "from_unit", "to_unit", "value"), rows


def _comparison(rows: Sequence[Compared]) -> Table:
    return ("quantity", "published", "ours", "why they differ"), [
        (row.what, row.published, row.ours, row.why) for row in rows
    ]


def _clusterers(outcomes: Sequence[Outcome]) -> Table:
    return ("set", "method", "adjusted_rand", "clusters", "seconds"), [
        (o.point_set, o.method, o.adjusted_rand, o.n_clusters, o.seconds) for o in outcomes
    ]


def _trials(one: Searched) -> Table:
    """Return every trial: hyper-parameters, number of folds that ran, mean score over them."""
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
