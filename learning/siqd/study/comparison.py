"""Compare published numbers with ours, and say why they differ."""

import dataclasses

import numpy as np

from opalux.learning.siqd.study import published
from opalux.learning.siqd.study.bands import BANDS
from opalux.learning.siqd.study.classify import Assessment
from opalux.learning.siqd.study.study import TASKS, Study

TITLES = {
    "bands": "colour bands",
    "clusters": "structure classes",
    "wavelength": "wavelength",
}

ODDITIES = {
    "features": (
        "n_coord equals 4 − HSi_ratio for every fully terminated dot: what the paper calls a "
        "strong correlation is an identity.",
        "The four facet fractions sum to 1, so that three of them give the fourth.",
        "Robust scaling followed by scaling to 0–1 equals scaling to 0–1.",
        "The paper does not say whether scaling or the cut at 400 nm came first; here the cut "
        "comes first (preparation.scale_before_cut changes this).",
    ),
    "structure classes": (
        "The paper does not name the dot from which labels spread first; figure S5 shows the "
        "result for every start.",
    ),
    "networks": (
        "The networks are trained by L-BFGS with early_stopping and a learning-rate schedule. "
        "This solver uses neither, so the two settings have no effect.",
        "The scores of the classifiers are called R²; the value that scikit-learn returns for "
        "them is the accuracy.",
        "With the activation identity the band network is a linear classifier for any layers.",
        "Test scores such as 0.933 and 0.983 are multiples of 1/60: the test part has 60 dots, "
        "and one dot changes the score by 0.017. The seed of the split is not given.",
        "If rows are sorted by size and folds are not shuffled, the regressor must extrapolate; "
        "the published cross-validation must have been shuffled.",
    ),
}
"""What is unusual in the paper, by the section of the report where it matters."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Compared:
    """One published number and ours.

    Attributes
    ----------
    what : the quantity
    published, ours : as text
    why : why they differ, or what else to know
    """

    what: str
    published: str
    ours: str
    why: str


def compare(study: Study) -> list[Compared]:
    """Return the published numbers and ours, in the order of the paper."""
    rebuilt = study.table.rebuilt
    kept, diameter = study.prepared.table, study.table.columns["diameter"]
    counts = [int(scores.count) for scores in study.networks["bands"].class_scores]
    sizes = np.bincount(study.clustering.labels_)
    rows = [
        Compared(
            what="dots",
            published=str(published.N_DOTS),
            ours=str(len(study.table)),
            why="Rebuilt: all cuts of the unrelaxed lattice about the bond centre, up to 3.04 nm."
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
            what="dots from 400 nm on",
            published=str(published.N_KEPT),
            ours=str(len(kept)),
            why="Gaps of tight binding, not emission of relaxed dots: the small ones are bluer."
            if rebuilt
            else f"Cut at {study.settings.preparation.shortest:g} nm.",
        ),
        Compared(
            what="dots in each colour band, " + ", ".join(BANDS),
            published=" / ".join(map(str, published.BAND_COUNTS)),
            ours=" / ".join(map(str, counts)),
            why="The wavelengths of the rebuilt set lie a little further to the red at 2.7–3 nm."
            if rebuilt
            else "The table given.",
        ),
        Compared(
            what=f"structure classes (p = {study.settings.p})",
            published=f"{published.N_CLUSTERS}, of "
            + " / ".join(map(str, published.CLUSTER_COUNTS)),
            ours=f"{len(sizes)}, of " + " / ".join(map(str, sizes)),
            why="The number depends on p and on the start of the spreading, neither of them "
            "forced by the data (figures 2 and S5)"
            + (", and on shapes: the published set is another sample of them." if rebuilt else "."),
        ),
    ]
    for task in TASKS:
        rows += _network_rows(study, task)
    return rows


def _network_rows(study: Study, task: str) -> list[Compared]:
    paper, ours = published.NETWORKS[task], study.networks[task]
    score = "R²" if task == "wavelength" else "accuracy"
    why = {
        "bands": "One test dot is worth "
        f"{1 / len(ours.test_rows):.3f}; the split is ours, and errors lie at the limits.",
        "clusters": "Other clusters, so another task: compare the order of magnitude only.",
        "wavelength": "A smooth function of size and shape on either set of wavelengths.",
    }[task]
    return [
        Compared(
            what=f"{TITLES[task]}: {score}, training / test",
            published=f"{paper.train:.3f} / {paper.test:.3f}",
            ours=f"{ours.train:.3f} / {ours.test:.3f}",
            why=why,
        ),
        Compared(
            what=f"{TITLES[task]}: {score}, {len(ours.fold_scores)} folds",
            published=f"{paper.cv:.3f} ± {paper.cv_deviation:.3f} (10 folds)",
            ours=mean_and_deviation(ours),
            why="Shuffled folds" + ("." if task == "wavelength" else " that keep class shares."),
        ),
    ]


def mean_and_deviation(assessment: Assessment) -> str:
    """Return mean and standard deviation over the folds, as text."""
    return f"{assessment.fold_scores.mean():.3f} ± {assessment.fold_scores.std():.3f}"


def class_rows(study: Study, task: str) -> list[tuple[object, ...]]:
    """Return one row for each class of a task.

    It holds name, published scores and count, our scores, number of tested dots and count.
    Structure classes with the same number in the two sets do not hold the same dots.
    """
    paper = published.CLASS_SCORES[task]
    counts = published.BAND_COUNTS if task == "bands" else published.CLUSTER_COUNTS
    ours = study.networks[task].class_scores
    rows: list[tuple[object, ...]] = []
    for i in range(max(len(paper), len(ours))):
        theirs = (_three(*paper[i]), counts[i]) if i < len(paper) else ("", "")
        if i < len(ours):
            scores = ours[i]
            found = _three(scores.precision, scores.recall, scores.f1) if scores.tested else "none"
            rows.append((scores.name, *theirs, found, scores.tested, scores.count))
        else:
            rows.append((str(i + 1), *theirs, "", "", ""))
    return rows


def _three(precision: float, recall: float, f1: float) -> str:
    return f"{precision:.2f} / {recall:.2f} / {f1:.2f}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """A conclusion of the paper, tested.

    Attributes
    ----------
    key : short name
    question : asked of the data
    holds : whether the paper's answer holds here
    paper, ours : the two answers
    """

    key: str
    question: str
    holds: bool
    paper: str
    ours: str


def verdicts(study: Study) -> list[Verdict]:
    """Return the three conclusions of the paper, tested; each answer names its rule."""
    colour, apart = study.purity, study.separability
    network = study.networks["wavelength"]
    pure = colour.mutual_information >= 0.5
    near = float(np.median(apart.error_distances)) if len(apart.error_distances) else 0.0
    own_classes = apart.silhouette_bands >= 0.25 or near >= 0.5 * apart.typical_distance
    r2 = float(network.fold_scores.mean())
    better = int((apart.accuracy_shifted >= apart.accuracy).sum())
    low, high = apart.accuracy_shifted.min(), apart.accuracy_shifted.max()
    return [
        Verdict(
            key="structure_classes_have_no_spectral_purity",
            question="Are structure classes spectrally pure?",
            holds=not pure,
            paper="No.",
            ours=f"{'Yes' if pure else 'No'}: mutual information of clusters and bands, adjusted "
            f"for chance, is {colour.mutual_information:.3f} (pure from 0.5 on; 1: the same "
            f"classes). {colour.overall:.1%} of the dots have the most frequent colour of their "
            f"cluster; in random clusters it is {colour.by_chance:.1%}.",
        ),
        Verdict(
            key="colour_bands_are_no_separable_classes",
            question="Are colour bands separate classes?",
            holds=not own_classes,
            paper="No: the eye defines them, not the data.",
            ours=f"{'Yes' if own_classes else 'No'}: their silhouette is "
            f"{apart.silhouette_bands:.2f} (clusters: {apart.silhouette_clusters:.2f}; separate "
            f"from 0.25 on), and half of the errors are at most {near:.1f} nm from a limit (all "
            f"dots: {apart.typical_distance:.1f} nm). The bands can be predicted, with accuracy "
            f"{apart.accuracy:.3f}, because the size predicts the wavelength: the regressor, which "
            f"was not trained on bands, reaches {apart.accuracy_from_regression:.3f}. When all "
            f"limits are moved by up to {apart.shifts.max():.0f} nm, the network reaches "
            f"{low:.2f} to {high:.2f}; at {better} of {len(apart.shifts)} shifts it is at least "
            "as accurate as with the colour bands.",
        ),
        Verdict(
            key="regression_is_nearly_exact",
            question="Can the wavelength be computed from the features?",
            holds=r2 >= 0.95,
            paper="Yes, nearly exactly: R² 0.994 ± 0.007 over folds.",
            ours=f"{'Yes' if r2 >= 0.95 else 'No'}: R² {mean_and_deviation(network)} over "
            "shuffled folds (yes from 0.95 on).",
        ),
    ]
