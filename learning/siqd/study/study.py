"""The published study, step by step, of one table of dots."""

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import adjusted_rand_score

from opalux.base.errors import InputError
from opalux.learning.siqd.clustering.ils import IterativeLabelSpreading
from opalux.learning.siqd.dots.table import DotTable
from opalux.learning.siqd.study import published
from opalux.learning.siqd.study.bands import BANDS, bands
from opalux.learning.siqd.study.classify import Assessment, Curve, Task, assess, learn
from opalux.learning.siqd.study.conclusions import Purity, Separability, purity, separability
from opalux.learning.siqd.study.networks import network
from opalux.learning.siqd.study.preparation import Correlations, Prepared, correlations, prepare
from opalux.learning.siqd.study.settings import StudySettings

TASKS = ("bands", "clusters", "wavelength")
STEPS = 6
"""How often `run_study` reports progress."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Robustness:
    """How much the clusters depend on choices that the paper does not name.

    Attributes
    ----------
    p : widths (m,)
    n_clusters_by_p : number of clusters for each width (m,)
    n_clusters_by_start : number of clusters with each dot as start (n,)
    agreement_by_start : adjusted Rand index of these and the clusters of the study (n,)
    """

    p: tuple[int, ...]
    n_clusters_by_p: NDArray[np.int64]
    n_clusters_by_start: NDArray[np.int64]
    agreement_by_start: NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Study:
    """All results.

    Attributes
    ----------
    settings : the choices
    table : of all dots
    prepared : the dots that are kept, and their scaled features
    correlations : of all columns, over all dots
    clustering : fitted to the scaled features
    robustness : of the clustering
    networks : the published networks, by task
    curves : their learning curves, by task
    forest : the random forest for the bands
    purity : of the colours of the clusters
    separability : of the bands
    """

    settings: StudySettings
    table: DotTable
    prepared: Prepared
    correlations: Correlations
    clustering: IterativeLabelSpreading
    robustness: Robustness
    networks: dict[str, Assessment]
    curves: dict[str, Curve]
    forest: Assessment
    purity: Purity
    separability: Separability


def run_study(table: DotTable, settings: StudySettings, done: Callable[[str], None]) -> Study:
    """Return the study of a table.

    Parameters
    ----------
    table : of the dots
    settings : the choices
    done : called with the name of each of the ``STEPS`` when it is finished

    Raises
    ------
    InputError
        When there are too few dots, or only one class.
    """
    prepared, clustering, tasks = begin(table, settings)
    robustness = _robustness(prepared.features, clustering, settings)
    done("clusters")
    networks, curves = {}, {}
    for name, task in tasks.items():
        model = network(name, published.NETWORKS[name].parameters, settings.seed)
        networks[name] = assess(task, model, folds=settings.folds)
        curves[name] = learn(task, model, sizes=settings.curve_sizes)
        done(f"network: {name}")
    forest = assess(
        tasks["bands"],
        RandomForestClassifier(random_state=settings.seed),
        folds=settings.folds,
    )
    done("random forest")
    by_colour = purity(clustering.labels_, prepared.wavelength)
    apart = separability(
        networks["bands"],
        clustering.labels_,
        networks["wavelength"],
        folds=settings.folds,
        shifts=np.linspace(-settings.largest_shift, settings.largest_shift, settings.shifts),
    )
    done("separability")
    return Study(
        settings=settings,
        table=table,
        prepared=prepared,
        correlations=correlations(table),
        clustering=clustering,
        robustness=robustness,
        networks=networks,
        curves=curves,
        forest=forest,
        purity=by_colour,
        separability=apart,
    )


def begin(
    table: DotTable, settings: StudySettings
) -> tuple[Prepared, IterativeLabelSpreading, dict[str, Task]]:
    """Prepare the dots and cluster them; fast, and enough to know whether the study is possible.

    Raises
    ------
    InputError
        When there are too few dots, or only one class.
    """
    prepared = prepare(table, settings.preparation)
    clustering = IterativeLabelSpreading(p=settings.p, method="published").fit(prepared.features)
    return prepared, clustering, make_tasks(prepared, clustering.labels_, settings.seed)


def make_tasks(prepared: Prepared, clusters: NDArray[np.int64], seed: int) -> dict[str, Task]:
    """Return the three tasks, by name.

    Parameters
    ----------
    prepared : the dots
    clusters : structure class of each dot (n,)
    seed : of the split and the folds

    Raises
    ------
    InputError
        When there is only one colour band or one structure class.
    """
    colour = bands(prepared.wavelength)
    if len(np.unique(colour)) < 2:
        raise InputError(
            f"{prepared.table.origin}: found dots of one colour band, {BANDS[colour[0]]}; expected "
            "at least two; give a table with more sizes"
        )
    if len(np.unique(clusters)) < 2:
        raise InputError(
            "found one structure class; expected at least two; lower `p` "
            f"(the paper's is {published.ILS_P} for {published.N_KEPT} dots)"
        )
    targets = {
        "bands": (colour, BANDS),
        "clusters": (clusters, tuple(str(i + 1) for i in range(clusters.max() + 1))),
        "wavelength": (prepared.wavelength, ()),
    }
    return {
        name: Task(name=name, features=prepared.features, target=target, classes=classes, seed=seed)
        for name, (target, classes) in targets.items()
    }


def _robustness(
    features: NDArray[np.float64], chosen: IterativeLabelSpreading, settings: StudySettings
) -> Robustness:
    def fit(p: float, start: int | None = None) -> IterativeLabelSpreading:
        return IterativeLabelSpreading(p=p, start=start, method="published").fit(features)

    from_each = [fit(settings.p, start) for start in range(len(features))]
    return Robustness(
        p=settings.other_p,
        n_clusters_by_p=np.array([fit(p).n_clusters_ for p in settings.other_p]),
        n_clusters_by_start=np.array([model.n_clusters_ for model in from_each]),
        agreement_by_start=np.array(
            [adjusted_rand_score(chosen.labels_, model.labels_) for model in from_each]
        ),
    )
