"""The study, step by step, of one table: structure classes against classes of a property."""

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.learning.siqd.clustering.ils import IterativeLabelSpreading
from opalux.learning.siqd.clustering.stability import Stability, stability
from opalux.learning.siqd.clustering.width import count_of
from opalux.learning.siqd.study.classify import Assessment, Curve, Role, Task, assess, learn
from opalux.learning.siqd.study.clusterers import Clustered, other_clusterings
from opalux.learning.siqd.study.limits import MovedLimits, move_limits
from opalux.learning.siqd.study.networks import network_of, other_model
from opalux.learning.siqd.study.preparation import Correlations, Prepared, correlations, prepare
from opalux.learning.siqd.study.repeats import Repeated, groups_of, repeat
from opalux.learning.siqd.study.separation import (
    Purity,
    Separation,
    purity,
    separation_of_clusters,
    separation_of_labels,
)
from opalux.learning.siqd.study.settings import StudySettings
from opalux.learning.siqd.tables.table import Table

STEPS = 7
"""How often `run_study` reports progress."""
CURVE_ROWS = 3000
"""Rows of a larger table that learning curves and moved limits are computed from."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Study:
    """All results.

    Attributes
    ----------
    settings : the choices
    table : of all rows
    prepared : the rows that are kept, and their scaled features
    correlations : of all columns, over all rows
    clustering : fitted to the scaled features
    starts : of the clustering, from other rows
    p, n_clusters_by_p : widths and the number of clusters that each gives (m,)
    clusterers : other ones, on the same features
    tasks : what is learnt, by role: "classes", "clusters" (where there are two), "property"
    networks : trained on one split, by role
    curves : their learning curves, by role
    repeated : their scores over many splits, by role
    others : scores of other models, by model and role
    class_separation, cluster_separation : in the space of features; None with a single class
    purity : of the structure classes
    limits : the same network with the limits between the property's classes moved
    """

    settings: StudySettings
    table: Table
    prepared: Prepared
    correlations: Correlations
    clustering: IterativeLabelSpreading
    starts: Stability
    p: tuple[int, ...]
    n_clusters_by_p: NDArray[np.int64]
    clusterers: tuple[Clustered, ...]
    tasks: dict[str, Task]
    networks: dict[str, Assessment]
    curves: dict[str, Curve]
    repeated: dict[str, Repeated]
    others: dict[str, dict[str, Repeated]]
    class_separation: Separation | None
    cluster_separation: Separation | None
    purity: Purity
    limits: MovedLimits


def run_study(table: Table, settings: StudySettings, done: Callable[[str], None]) -> Study:
    """Return the study of a table.

    Parameters
    ----------
    table : of the rows
    settings : the choices
    done : called with the name of each of the ``STEPS`` when it is finished

    Raises
    ------
    InputError
        When there are too few rows, or only one class of the property.
    """
    prepared, clustering, tasks = begin(table, settings)
    features, subject = prepared.features, prepared.subject
    starts = stability(clustering, seed=settings.seed)
    widths = tuple(p for p in settings.other_p if 2 * p < len(features))
    by_p = np.array([_clusterer(settings, p).fit(features).n_clusters_ for p in widths])
    clusterers = tuple(other_clusterings(prepared, clustering, settings))
    done("clusters")
    groups = groups_of(subject.features, subject.parts)
    networks, curves, repeated = {}, {}, {}
    others: dict[str, dict[str, Repeated]] = {}
    rng = np.random.default_rng([settings.seed, 5])
    for role, task in tasks.items():
        model = network_of(task, settings)
        networks[role] = assess(task, model, folds=settings.folds)
        curves[role] = learn(task.sample(CURVE_ROWS, rng), model, sizes=settings.curve_sizes)
        repeated[role] = repeat(task, model, groups, repeats=settings.repeats, nulls=settings.nulls)
        done(f"network: {task.name}")
    for kind in settings.models:
        others[kind] = {
            role: repeat(
                task,
                other_model(kind, task, settings.seed),
                groups,
                repeats=settings.repeats,
                nulls=0,
            )
            for role, task in tasks.items()
            if role != "clusters"
        }
    done("other models")
    share = count_of(settings.width, len(features)) / len(features)
    apart = separation_of_clusters(features, clustering, groups, share, settings.seed)
    by_class = separation_of_labels(features, prepared.labels, settings.seed)
    colour = purity(
        clustering.labels_,
        starts.labels,
        prepared.labels,
        len(prepared.classes.names),
        settings.seed,
    )
    done("separation")
    moved = move_limits(
        prepared,
        networks["classes"],
        networks["property"],
        network_of(tasks["classes"], settings),
        shifts=settings.shifts,
        largest=settings.largest_shift or (30.0 if settings.preset else None),
    )
    done("limits")
    return Study(
        settings=settings,
        table=table,
        prepared=prepared,
        correlations=correlations(table, subject),
        clustering=clustering,
        starts=starts,
        p=widths,
        n_clusters_by_p=by_p,
        clusterers=clusterers,
        tasks=tasks,
        networks=networks,
        curves=curves,
        repeated=repeated,
        others=others,
        class_separation=by_class,
        cluster_separation=apart,
        purity=colour,
        limits=moved,
    )


def begin(
    table: Table, settings: StudySettings
) -> tuple[Prepared, IterativeLabelSpreading, dict[str, Task]]:
    """Prepare the rows and cluster them; fast, and enough to know whether the study is possible.

    Raises
    ------
    InputError
        When there are too few rows, or only one class of the property.
    """
    prepared = prepare(
        table, settings.studied, scale_before_cut=settings.preparation.scale_before_cut
    )
    clustering = _clusterer(settings, settings.width).fit(prepared.features)
    return prepared, clustering, make_tasks(prepared, clustering.labels_, settings)


def _clusterer(settings: StudySettings, p: float) -> IterativeLabelSpreading:
    return IterativeLabelSpreading(p=p, method=settings.rule, least=settings.least)


def make_tasks(
    prepared: Prepared, clusters: NDArray[np.int64], settings: StudySettings
) -> dict[str, Task]:
    """Return what is to be learnt, by role; the structure classes only where there are two.

    Parameters
    ----------
    prepared : the rows
    clusters : structure class of each row (n,)
    settings : of the study

    Raises
    ------
    InputError
        When there is only one class of the property.
    """
    subject, classes = prepared.subject, prepared.labels
    if len(np.unique(classes)) < 2:
        raise InputError(
            f"{prepared.table.origin}: found {subject.rows} of one class of {subject.property}, "
            f"{prepared.classes.names[classes[0]]}; expected at least two; give a table with a "
            "wider range, or other limits"
        )
    names = {"classes": "bands", "clusters": "clusters", "property": "wavelength"}
    if not settings.preset:
        names = {"classes": "classes", "clusters": "clusters", "property": "property"}

    def task(role: Role, target: NDArray, names_of_classes: tuple[str, ...] = ()) -> Task:
        return Task(
            name=names[role],
            role=role,
            features=prepared.features,
            target=target,
            classes=names_of_classes,
            scale_target=not settings.preset,
            seed=settings.seed,
        )

    tasks = {"classes": task("classes", classes, prepared.classes.names)}
    if len(np.unique(clusters)) > 1:
        numbers = tuple(str(i + 1) for i in range(clusters.max() + 1))
        tasks["clusters"] = task("clusters", clusters, numbers)
    tasks["property"] = task("property", prepared.values)
    return tasks
