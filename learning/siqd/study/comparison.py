"""Compare published numbers with ours, and say why they differ."""

import dataclasses

import numpy as np

from opalux.learning.siqd.study import published
from opalux.learning.siqd.study.classify import Assessment
from opalux.learning.siqd.study.interval import Interval, place
from opalux.learning.siqd.study.silicon import BANDS
from opalux.learning.siqd.study.study import Study

ODDITIES = {
    "features": (
        "n_coord equals 4 − HSi_ratio for every fully terminated dot: what the paper calls a "
        "strong correlation is an identity.",
        "The four facet fractions sum to 1, so that three of them give the fourth.",
        "Robust scaling followed by scaling to 0–1 equals scaling to 0–1.",
        "The features are scaled over all dots, before the cut at 400 nm "
        "(preparation.scale_before_cut changes this).",
    ),
    "structure classes": (
        "The paper does not name the dot from which labels spread first; figure S5 shows the "
        "result for many starts.",
        "p is meant as the least size of a class, but nothing in the published rule enforces it: "
        "a class can be as small as one dot (`least` merges small ones).",
    ),
    "networks": (
        "The networks are trained by L-BFGS with early_stopping and a learning-rate schedule. "
        "This solver uses neither, so the two settings have no effect.",
        "The scores of the classifiers are called R²; the value that scikit-learn returns for "
        "them is the accuracy.",
        "With the activation identity the band network is a linear classifier for any layers.",
        "Test scores such as 0.933 and 0.983 are multiples of 1/60: the test part has 60 dots, "
        "and one dot changes the score by 0.017. The seed of the split is not given, so the score "
        "is compared with ours over many splits.",
        "If rows are sorted by size and folds are not shuffled, the regressor must extrapolate; "
        "the published cross-validation must have been shuffled.",
    ),
}
"""What is unusual in the paper, by the section of the report where it matters."""


CENTRES = {"bond": "the centre of a bond", "hexagonal": "the hexagonal site"}


def centre_in_words(study: Study) -> str:
    """Return the point about which the dots of a rebuilt set are cut."""
    centre = study.table.rebuilt or ""
    return CENTRES.get(centre, f"the {centre} site")


def titles(study: Study) -> dict[str, str]:
    """Return what each task is called in the report, by role."""
    name = study.prepared.subject.property
    if study.settings.preset:
        return {"classes": "colour bands", "clusters": "structure classes", "property": name}
    return {"classes": f"classes of {name}", "clusters": "structure classes", "property": name}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Compared:
    """One published number and ours.

    Attributes
    ----------
    what : the quantity
    published, ours : as text; ours as median (5 to 95 %) where it is spread over repetitions
    where : where the published number lies among ours
    why : why they differ, or what else to know
    """

    what: str
    published: str
    ours: str
    where: str = ""
    why: str


def compare(study: Study) -> list[Compared]:
    """Return the published numbers and ours, in the order of the paper; for others' data, none."""
    if not study.settings.preset:
        return []
    rebuilt = study.table.rebuilt is not None
    kept, diameter = study.prepared.table, study.table.columns["diameter"]
    classes = study.prepared.classes
    counts = np.bincount(study.prepared.labels, minlength=len(classes.names))
    sizes = np.bincount(study.clustering.labels_)
    shortest = study.settings.preparation.shortest
    rows = [
        Compared(
            what="dots",
            published=str(published.N_DOTS),
            ours=str(len(study.table)),
            why=f"Rebuilt: all cuts of the unrelaxed lattice about {centre_in_words(study)}, up to "
            f"{diameter.max():.2f} nm."
            if rebuilt
            else "The table given.",
        ),
        Compared(
            what="diameters [nm]",
            published="{}–{}".format(*published.DIAMETERS),
            ours=f"{diameter.min():.2f}–{diameter.max():.2f}",
            why="Diameter is twice the mean radius of the surface silicon; the paper gives no rule."
            if rebuilt
            else "The table given.",
        ),
        Compared(
            what=f"dots from {shortest:g} nm on",
            published=f"{published.N_KEPT} (from 400 nm on)",
            ours=str(len(kept)),
            why="Gaps of tight binding, not emission of relaxed dots: the small ones are bluer."
            if rebuilt
            else f"Cut at {shortest:g} nm.",
        ),
        Compared(
            what="dots in each colour band, " + ", ".join(classes.names),
            published=" / ".join(map(str, published.BAND_COUNTS)),
            ours=" / ".join(map(str, counts)),
            why="Wavelengths are those of tight binding." if rebuilt else "The table given.",
        ),
        Compared(
            what=f"structure classes (p = {study.settings.width})",
            published=f"{published.N_CLUSTERS}, of "
            + " / ".join(map(str, published.CLUSTER_COUNTS)),
            ours=f"{len(sizes)}, of " + " / ".join(map(str, sizes)),
            where=f"{np.mean(study.starts.n_clusters == published.N_CLUSTERS):.0%} of the starts "
            "give 6",
            why="The number depends on p and on the start of the spreading, neither of them "
            "forced by the data (figures 2 and S5)"
            + (", and on shapes: the published set is another sample of them." if rebuilt else "."),
        ),
    ]
    for role in study.tasks:
        rows += _network_rows(study, role)
    return rows


def _network_rows(study: Study, role: str) -> list[Compared]:
    task = study.tasks[role]
    paper, ours, repeated = (
        published.NETWORKS[task.name],
        study.networks[role],
        study.repeated[role],
    )
    what = f"{titles(study)[role]}: {'R²' if role == 'property' else 'accuracy'}"
    why = {
        "classes": f"One test dot is worth {1 / len(ours.test_rows):.3f}; the published split and "
        "seed are not given.",
        "clusters": "Other clusters, so another task: compare the order of magnitude only.",
        "property": "A smooth function of size and shape on either set of wavelengths.",
    }[role]
    folds = f"{len(ours.fold_scores)} folds"
    return [
        Compared(
            what=f"{what}, training",
            published=f"{paper.train:.3f}",
            ours=str(Interval.of(repeated.train)),
            where=_where(paper.train, repeated.train),
            why="Over splits and seeds of the network.",
        ),
        Compared(
            what=f"{what}, test",
            published=f"{paper.test:.3f}",
            ours=str(repeated.score),
            where=_where(paper.test, repeated.test),
            why=why,
        ),
        Compared(
            what=f"{what}, {folds}",
            published=f"{paper.cv:.3f} ± {paper.cv_deviation:.3f} (10 folds)",
            ours=mean_and_deviation(ours),
            where=_where(paper.cv, ours.fold_scores),
            why="Shuffled folds" + ("." if role == "property" else " that keep class shares."),
        ),
    ]


def _where(value: float, values: np.ndarray) -> str:
    """Return where a published number lies among ours, as text."""
    low, high = values.min(), values.max()
    # A published number has three digits.
    if value < low - 5e-4:
        return f"below all {len(values)}"
    if value > high + 5e-4:
        return f"above all {len(values)}"
    return f"at {place(value, np.round(values, 3)):.0%} of ours"


def mean_and_deviation(assessment: Assessment) -> str:
    """Return mean and standard deviation over the folds, as text."""
    return f"{assessment.fold_scores.mean():.3f} ± {assessment.fold_scores.std():.3f}"


def class_rows(study: Study, role: str) -> list[tuple[object, ...]]:
    """Return one row for each class of a task.

    It holds name, published scores and count (for the preset), our scores, number of tested rows
    and count. Structure classes with the same number in the two sets do not hold the same dots.
    """
    ours = study.networks[role].class_scores
    if not study.settings.preset:
        return [(s.name, _scores(s.precision, s.recall, s.f1), s.tested, s.count) for s in ours]
    paper = published.CLASS_SCORES["bands" if role == "classes" else "clusters"]
    counts = published.BAND_COUNTS if role == "classes" else published.CLUSTER_COUNTS
    # Bands are compared by their names, structure classes by their numbers.
    names = BANDS if role == "classes" else tuple(str(i + 1) for i in range(len(paper)))
    here = {scores.name: scores for scores in ours}
    rows: list[tuple[object, ...]] = []
    for name in [*(s.name for s in ours), *(name for name in names if name not in here)]:
        theirs: tuple[object, ...] = (None, None)
        if name in names:
            i = names.index(name)
            theirs = (_scores(*paper[i]), counts[i])
        scores = here.get(name)
        own: tuple[object, ...] = (None, None, None)
        if scores is not None:
            own = (_scores(scores.precision, scores.recall, scores.f1), scores.tested, scores.count)
        rows.append((name, *theirs, *own))
    return rows


def _scores(precision: float, recall: float, f1: float) -> str:
    return f"{precision:.2f} / {recall:.2f} / {f1:.2f}"
