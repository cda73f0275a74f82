"""The results as tables for CSV files."""

import csv
import dataclasses
import io
from collections.abc import Sequence

import numpy as np

from opalux.learning.siqd.clustering.peers import Outcome
from opalux.learning.siqd.study.classify import Assessment, Curve
from opalux.learning.siqd.study.clusterers import Clustered
from opalux.learning.siqd.study.comparison import Compared
from opalux.learning.siqd.study.interval import Interval
from opalux.learning.siqd.study.networks import layers_of
from opalux.learning.siqd.study.run import Results
from opalux.learning.siqd.study.search import Searched
from opalux.learning.siqd.study.study import Study
from opalux.learning.siqd.study.verdicts import Verdict

Table = tuple[Sequence[str], Sequence[Sequence[object]]]
"""Header and rows."""


def as_csv(table: Table) -> str:
    """Return the table as CSV text; floating-point numbers keep all digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table[0])
    writer.writerows(table[1])
    return text.getvalue()


def all_tables(
    results: Results, compared: Sequence[Compared], verdicts: Sequence[Verdict]
) -> dict[str, Table]:
    """Return every table, by file name without ending."""
    study = results.study
    tables = _study_tables(study)
    tables["verdicts"] = (
        ("question", "answer", "reason", "paper", "agrees"),
        [(v.question, v.answer, v.reason, v.paper or "", _agrees(v)) for v in verdicts],
    )
    if compared:
        tables["published_and_ours"] = _comparison(compared)
    if results.outcomes:
        tables["clusterers"] = _clusterers(results.outcomes)
    for one in results.searched:
        tables[f"network_{one.task}_searched"] = _parameters(one.assessment)
        tables[f"trials_{one.task}"] = _trials(one)
    return tables


def _agrees(verdict: Verdict) -> str:
    return "" if verdict.holds is None else "yes" if verdict.holds else "no"


def _study_tables(study: Study) -> dict[str, Table]:
    tables = {
        study.prepared.subject.rows.replace(" ", "_"): _rows(study),
        "correlations": _correlations(study),
        "r_min": _r_min(study),
        "clusters_by_p": (
            ("p", "clusters"),
            list(zip(study.p, study.n_clusters_by_p.tolist(), strict=True)),
        ),
        "clusters_by_start": _starts(study),
        "cluster_classes": (
            ("cluster", *study.prepared.classes.names),
            [(c + 1, *row) for c, row in enumerate(study.purity.table.tolist())],
        ),
        "other_clusterers": (
            tuple(field.name for field in dataclasses.fields(Clustered)),
            [dataclasses.astuple(found) for found in study.clusterers],
        ),
        "scores": _scores(study),
        "importance": _importance(study),
    }
    for role, assessment in study.networks.items():
        name = study.tasks[role].name
        tables[f"network_{name}"] = _parameters(assessment)
        tables[f"learning_curve_{name}"] = _curve(study.curves[role])
        if assessment.task.classes:
            tables[f"confusion_{name}"] = _confusion(assessment)
            tables[f"class_scores_{name}"] = _class_scores(assessment)
    return tables


def _rows(study: Study) -> Table:
    """Return every row that is kept, with the prediction of each network."""
    kept, found, prepared = study.prepared.table, study.networks, study.prepared
    subject, names = prepared.subject, prepared.classes.names
    by = {role: task.name for role, task in study.tasks.items()}
    class_column = "band" if study.settings.preset else "class"
    columns: dict[str, Sequence[object]] = {
        "name": kept.names,
        **{name: kept.columns[name].tolist() for name in subject.features},
        subject.property: prepared.values.tolist(),
        class_column: [names[i] for i in prepared.labels],
        "cluster": (study.clustering.labels_ + 1).tolist(),
        f"{class_column}_of_network": [names[i] for i in found["classes"].fold_predictions],
        f"{subject.property}_of_network": found["property"].fold_predictions.tolist(),
    }
    if "clusters" in found:
        columns["cluster_of_network"] = (found["clusters"].fold_predictions + 1).tolist()
    for role, assessment in found.items():
        test = np.zeros(len(kept), dtype=int)
        test[assessment.test_rows] = 1
        columns[f"in_test_part_{by[role]}"] = test.tolist()
    return tuple(columns), list(zip(*columns.values(), strict=True))


def _starts(study: Study) -> Table:
    starts, names = study.starts, study.prepared.table.names
    columns = (starts.n_clusters.tolist(), starts.smallest.tolist(), starts.agreement.tolist())
    return ("start", "clusters", "smallest", "agreement"), [
        (names[start], *values) for start, *values in zip(starts.starts, *columns, strict=True)
    ]


def _scores(study: Study) -> Table:
    """Return the scores of every model in each repetition; in the null, of shuffled targets."""
    rows: list[tuple[object, ...]] = []
    models = {"network": study.repeated, **study.others}
    for model, by_role in models.items():
        for role, found in by_role.items():
            task = study.tasks[role].name
            pairs = zip(found.train.tolist(), found.test.tolist(), strict=True)
            rows += [(model, task, i, "", *pair) for i, pair in enumerate(pairs)]
            rows += [(model, task, i, "yes", "", score) for i, score in enumerate(found.null)]
    return ("model", "task", "repetition", "shuffled", "train", "test"), rows


def _importance(study: Study) -> Table:
    rows = [
        (study.tasks[role].name, group, *dataclasses.astuple(Interval.of(values)))
        for role, found in study.repeated.items()
        for group, values in zip(found.groups, found.importance.T, strict=True)
    ]
    return ("task", "permuted", "5 %", "median", "95 %"), rows


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
    return ("step", "name", "source", "r_min", "smoothed", "cut_here", "cluster"), [
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


def _curve(curve: Curve) -> Table:
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
    rows: list[tuple[object, ...]] = []
    for layer, (weights, biases) in enumerate(layers_of(assessment.model), start=1):
        rows += [(layer, 0, j + 1, float(bias)) for j, bias in enumerate(biases)]
        rows += [(layer, i + 1, j + 1, float(w)) for (i, j), w in np.ndenumerate(weights)]
    return ("layer", "from_unit", "to_unit", "value"), rows


def _comparison(rows: Sequence[Compared]) -> Table:
    return ("quantity", "published", "ours", "published among ours", "why they differ"), [
        (row.what, row.published, row.ours, row.where, row.why) for row in rows
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
