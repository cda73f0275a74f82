"""The text of the report: one page with the results beside the numbers of the paper."""

from collections.abc import Mapping, Sequence

from opalux.base.page import Page
from opalux.learning.siqd.clustering.peers import METHODS, SHARE
from opalux.learning.siqd.report.figures import SHORT
from opalux.learning.siqd.report.metrics import mean_agreement
from opalux.learning.siqd.report.pictures import CAPTIONS
from opalux.learning.siqd.study.comparison import (
    ODDITIES,
    TITLES,
    Compared,
    Verdict,
    class_rows,
    mean_and_deviation,
)
from opalux.learning.siqd.study.preparation import drops
from opalux.learning.siqd.study.run import Results
from opalux.learning.siqd.study.study import Study

TITLE = "Structure classes and colour bands of silicon quantum dots"

SUBSTITUTE = (
    "These dots are a rebuilt set, a tight-binding substitute for the CSIRO set of the paper "
    "(doi 10.4225/08/5721BB609EDB0). It holds every cut of the unrelaxed silicon lattice by one "
    "to three full families of planes {100}, {110}, {111}, {113} about the centre of a bond, up "
    "to a diameter of 3.04 nm, covered with hydrogen. The wavelength is that of a photon of the "
    "gap in the sp3d5s* model, not the emission of a relaxed dot. The numbers below can therefore "
    "be compared with the published ones in kind, but not digit by digit."
)


def html(
    results: Results,
    compared: Sequence[Compared],
    verdicts: Sequence[Verdict],
    pictures: Mapping[str, bytes],
    made: Sequence[tuple[str, str]],
) -> str:
    """Return the report as HTML.

    Parameters
    ----------
    results : of the run
    compared : published numbers and ours
    verdicts : conclusions of the paper, tested
    pictures : PNG files by name, as in ``CAPTIONS``
    made : how the report was made, as pairs of a name and a value
    """
    study = results.study
    page = Page(
        TITLE,
        "The analysis of A. J. Parker and A. S. Barnard, Nanoscale Horiz. 6, 277 (2021), doi "
        f"10.1039/d0nh00637h, on {len(study.table)} hydrogen-terminated silicon dots "
        f"({study.table.origin}), {len(study.prepared.table)} of them of visible wavelength.",
    )
    if study.table.rebuilt:
        page.box(SUBSTITUTE)
    page.section("The paper's conclusion, tested")
    page.table(
        ("question", "the paper", "here", "holds"),
        [(v.question, v.paper, v.ours, v.holds) for v in verdicts],
    )
    page.section("Published numbers and ours")
    page.table(
        ("quantity", "published", "ours", "why they differ, or what else to know"),
        [(row.what, row.published, row.ours, row.why) for row in compared],
    )
    _dots(page, study, pictures)
    _classes(page, pictures)
    _networks(page, study, pictures)
    if results.searched:
        _search(page, results)
    if results.outcomes:
        _clusterers(page, results, pictures)
    page.section("How this report was made")
    page.table(("", ""), made)
    return page.html()


def _show(page: Page, pictures: Mapping[str, bytes], *names: str) -> None:
    for name in names:
        page.figure(pictures[name], CAPTIONS[name])


def _oddities(page: Page, section: str) -> None:
    page.text("Unusual in the paper:")
    page.points(ODDITIES[section])


def _dots(page: Page, study: Study, pictures: Mapping[str, bytes]) -> None:
    page.section("Dots and features")
    _show(page, pictures, "fig1_dots")
    page.text(
        "Six features describe a dot: the diameter, the hydrogen-to-silicon ratio and the shares "
        "of the four families in the area of its facets, each scaled to 0–1. The other columns "
        "are dropped, because a feature holds the same information:"
    )
    page.table(
        ("dropped", "replaced by", "correlation"),
        [
            (SHORT[drop.name], SHORT[drop.partner], drop.correlation)
            for drop in drops(study.correlations)
        ],
    )
    _oddities(page, "features")
    _show(page, pictures, "figS1_correlations")


def _classes(page: Page, pictures: Mapping[str, bytes]) -> None:
    page.section("Structure classes")
    page.text(
        "Labels spread from the dot nearest to the mean to the nearest unlabelled dot, one dot at "
        "a time. The distance of each step is smoothed, and the curve is cut at its peaks. The "
        "bottoms of the valleys between the peaks become the seeds of the classes. Where a "
        "shoulder of the curve counts as a peak, a class can be as small as one dot."
    )
    _oddities(page, "structure classes")
    _show(page, pictures, "fig2_clusters", "figS5_robustness")
    _show(page, pictures, "figS3_by_cluster", "figS4_cluster_colours")


def _networks(page: Page, study: Study, pictures: Mapping[str, bytes]) -> None:
    page.section("Networks")
    _oddities(page, "networks")
    scores = ("precision / recall / F1, published", "dots", "ours, test part", "tested", "dots")
    for name, picture in (("bands", "fig3_bands"), ("clusters", "fig4_clusters_network")):
        _show(page, pictures, picture)
        page.table((TITLES[name], *scores), class_rows(study, name))
    _show(page, pictures, "fig5_wavelength", "figS2_by_band", "figS6_separability", "figS7_forest")
    page.text(
        "Over the folds, the random forest has an accuracy of "
        f"{mean_and_deviation(study.forest)}, the band network one of "
        f"{mean_and_deviation(study.networks['bands'])}. In the paper the forest is less accurate "
        "and separates only red from the other bands."
    )
    _show(page, pictures, *(name for name in CAPTIONS if "weights" in name))


def _search(page: Page, results: Results) -> None:
    page.section("Random search for hyper-parameters")
    page.text(
        "The score of a trial is the mean over folds of the training part. A trial is given up "
        "when perfect scores on the remaining folds could not make it the best; the winner is "
        "therefore the winner of the full search. It is then assessed like the published network."
    )
    page.table(
        ("task", "trials", "run in full", "winner", "search folds", "train / test", "folds"),
        [
            (
                TITLES[one.task],
                len(one.trials),
                one.complete,
                ", ".join(f"{key} {_short(value)}" for key, value in one.parameters.items()),
                one.best.mean,
                f"{one.assessment.train:.3f} / {one.assessment.test:.3f}",
                mean_and_deviation(one.assessment),
            )
            for one in results.searched
        ],
    )
    if results.yardsticks:
        page.table(
            ("same trials", "trials", "ours [s]", "RandomizedSearchCV [s]", "same winner"),
            [
                (TITLES[y.task], y.trials, y.ours, y.theirs, y.same_winner)
                for y in results.yardsticks
            ],
        )


def _clusterers(page: Page, results: Results, pictures: Mapping[str, bytes]) -> None:
    outcomes = results.outcomes
    page.section("Iterative Label Spreading and other clusterers")
    page.text(
        f"One rule gives the parameters for every set: p and the smallest cluster are {SHARE:.0%} "
        "of the points; the radius of DBSCAN is such that 95 % of the points have ten points "
        "within it. Single linkage and k-means are given the number of clusters. An index of 0 on "
        "the null set means that a method found clusters where there are none."
    )
    rows: list[tuple[object, ...]] = [
        (name, *(o.adjusted_rand for o in outcomes if o.point_set == name))
        for name in dict.fromkeys(o.point_set for o in outcomes)
    ]
    rows.append(("mean", *mean_agreement(outcomes).values()))
    page.table(("adjusted Rand index", *METHODS), rows)
    _show(page, pictures, "figS11_peers", "figS12_peers_by_p")


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
