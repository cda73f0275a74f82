"""The published study, step by step, on one table of dots."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pydantic
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import adjusted_rand_score

from opalux.base.errors import InputError
from opalux.base.settings import Settings
from opalux.learning.siqd.clustering.ils import IterativeLabelSpreading, count_of
from opalux.learning.siqd.dots.features import (
    Correlations,
    Preparation,
    Prepared,
    correlations,
    prepare,
)
from opalux.learning.siqd.dots.table import DotTable, Source
from opalux.learning.siqd.study import published
from opalux.learning.siqd.study.classify import BANDS, Assessment, Curve, Task, assess, bands, learn
from opalux.learning.siqd.study.conclusions import Purity, Separability, purity, separability

TASKS = ("bands", "clusters", "wavelength")
STEPS = 6


class StudySettings(Settings):
    """Choices of the study; the defaults are the paper's."""

    data: Source = Source()
    preparation: Preparation = Preparation()
    p: int | float = pydantic.Field(published.ILS_P, gt=0)
    """Width of Iterative Label Spreading: a count of dots, or, below 1, a share."""
    other_p: tuple[pydantic.PositiveInt, ...] = (6, 8, 10, 12, 15, 18, 20, 25, 30)
    """Widths at which the number of clusters is looked at besides."""
    folds: int = pydantic.Field(10, ge=2, le=50)
    """Folds of the cross-validation."""
    curve_sizes: int = pydantic.Field(8, ge=2, le=50)
    """Points of the learning curves."""
    largest_shift: float = pydantic.Field(30.0, gt=0, le=100)
    """The limits between bands are moved up to so far, either way, to see what that does [nm]."""
    shifts: int = pydantic.Field(21, ge=3)
    """How many moved limits are tried; an odd number has the colour bands themselves among them."""
    seed: int = pydantic.Field(42, ge=0)
    """Seed of the 80/20 split, the folds and the networks."""

    @pydantic.field_validator("p")
    @classmethod
    def _count_or_share(cls, p: float) -> float:
        count_of(p, published.N_KEPT)
        return p


@dataclasses.dataclass(frozen=True, kw_only=True)
class Robustness:
    """How far the clusters depend on what the paper leaves open.

    Attributes
    ----------
    p : widths tried (m,)
    n_clusters_by_p : clusters found for each (m,)
    n_clusters_by_start : clusters found from each dot as start (n,)
    agreement_by_start : adjusted Rand index of those with the clusters of the study (n,)
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
    table : every dot
    prepared : dots kept, and their scaled features
    correlations : of every column over every dot
    clustering : fitted on the scaled features
    robustness : of the clustering
    networks : the published networks by task
    curves : learning curves of the same
    forest : the random forest on the bands
    purity : of the clusters' colours
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
    """Do the study; ``done`` is told the name of each of the ``STEPS`` when it is over."""
    prepared, clustering, tasks = begin(table, settings)
    robustness = _robustness(prepared.features, clustering, settings)
    done("clusters")
    networks, curves = {}, {}
    for name, task in tasks.items():
        model = published.network(name, published.NETWORKS[name].parameters, settings.seed)
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
    """Prepare the dots and cluster them: what takes no time, and shows whether the rest can be.

    Raises
    ------
    InputError
        When there are too few dots, or one structure class only.
    """
    prepared = prepare(table, settings.preparation)
    clustering = IterativeLabelSpreading(p=settings.p).fit(prepared.features)
    return prepared, clustering, make_tasks(prepared, clustering.labels_, settings.seed)


def make_tasks(prepared: Prepared, clusters: NDArray[np.int64], seed: int) -> dict[str, Task]:
    """The three things to be learnt, by name."""
    colour = bands(prepared.wavelength)
    if len(np.unique(colour)) < 2:
        raise InputError(
            f"{prepared.table.origin}: found dots of one colour band, {BANDS[colour[0]]}; expected "
            "at least two to tell apart; give a table with more sizes"
        )
    if len(np.unique(clusters)) < 2:
        raise InputError(
            "found one structure class; expected at least two to tell apart; lower `p` "
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
        return IterativeLabelSpreading(p=p, start=start).fit(features)

    from_each = [fit(settings.p, start) for start in range(len(features))]
    return Robustness(
        p=settings.other_p,
        n_clusters_by_p=np.array([fit(p).n_clusters_ for p in settings.other_p]),
        n_clusters_by_start=np.array([model.n_clusters_ for model in from_each]),
        agreement_by_start=np.array(
            [adjusted_rand_score(chosen.labels_, model.labels_) for model in from_each]
        ),
    )
