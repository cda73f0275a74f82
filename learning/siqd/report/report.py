"""The report of the study: one page that says what was found and sets it beside the paper."""

from collections.abc import Callable, Sequence

from matplotlib.figure import Figure

from opalux.base.page import Page
from opalux.learning.siqd.clustering.peers import METHODS, SHARE, Outcome, TestSet, sweep
from opalux.learning.siqd.dots.features import drops
from opalux.learning.siqd.report import figures, supplement
from opalux.learning.siqd.report.tables import mean_agreement
from opalux.learning.siqd.study.comparison import (
    ODDITIES,
    TITLES,
    Compared,
    Verdict,
    class_rows,
    spread,
)
from opalux.learning.siqd.study.search import Searched, Yardstick
from opalux.learning.siqd.study.study import TASKS, Study

SHARES = (0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1, 0.12)

SUBSTITUTE = (
    "These dots are a rebuilt set, a tight-binding substitute for the CSIRO set of the paper "
    "(doi 10.4225/08/5721BB609EDB0). Every cut of the unrelaxed silicon lattice by one to three "
    "full families of planes {100}, {110}, {111}, {113} about the centre of a bond is taken up to "
    "a diameter of 3.04 nm and covered with hydrogen; its wavelength is that of a photon of the "
    "gap in the sp3d5s* model, not the emission of a relaxed dot. Numbers below are therefore "
    "comparable with the published ones in kind, not digit by digit."
)

CAPTIONS = {
    "fig1_dots": "Figure 1. The dots: wavelength against diameter, and the colour bands.",
    "fig2_clusters": "Figure 2. Structure classes by Iterative Label Spreading.",
    "fig3_bands": "Figure 3. The network for the colour bands.",
    "fig4_clusters_network": "Figure 4. The network for the structure classes.",
    "fig5_wavelength": "Figure 5. The regressor for the wavelength; colour: band.",
    "figS1_correlations": "Figure S1. Correlation and skew of every column, over all dots.",
    "figS2_by_band": "Figure S2. Features by colour band. Boxes: quartiles; whiskers: 1.5 "
    "interquartile ranges; points: dots.",
    "figS3_by_cluster": "Figure S3. Features and wavelength by structure class.",
    "figS4_cluster_colours": "Figure S4. Colours in each structure class, and in all dots.",
    "figS5_robustness": "Figure S5. What the number of structure classes depends on.",
    "figS6_separability": "Figure S6. Whether colour bands are classes of their own.",
    "figS7_forest": "Figure S7. Random forest on the colour bands.",
    **{
        f"figS{8 + i}_weights_{task}": f"Figure S{8 + i}. Weights and biases of the network for "
        f"the {TITLES[task]}; one column a unit, the last row its bias."
        for i, task in enumerate(TASKS)
    },
    "figS11_peers": "Figure S11. Clusterers on the usual test sets.",
    "figS12_peers_by_p": "Figure S12. Iterative Label Spreading on these sets, by p.",
}


def draw(
    study: Study, sets: Sequence[TestSet], outcomes: Sequence[Outcome], done: Callable[[str], None]
) -> dict[str, bytes]:
    """Every figure as PNG, by file name without ending; the last two only if there are sets."""
    networks, curves = study.networks, study.curves
    makers: dict[str, Callable[[], Figure]] = {
        "fig1_dots": lambda: figures.dots(study),
        "fig2_clusters": lambda: figures.clusters(study),
        "fig3_bands": lambda: figures.classified(
            networks["bands"], curves["bands"], TITLES["bands"]
        ),
        "fig4_clusters_network": lambda: figures.classified(
            networks["clusters"], curves["clusters"], TITLES["clusters"]
        ),
        "fig5_wavelength": lambda: figures.regression(networks["wavelength"], curves["wavelength"]),
        "figS1_correlations": lambda: supplement.correlation_map(study),
        "figS2_by_band": lambda: supplement.distributions(study, "bands"),
        "figS3_by_cluster": lambda: supplement.distributions(study, "clusters"),
        "figS4_cluster_colours": lambda: supplement.cluster_colour(study),
        "figS5_robustness": lambda: supplement.robustness(study),
        "figS6_separability": lambda: supplement.separability(study),
        "figS7_forest": lambda: supplement.forest(study),
        "figS8_weights_bands": lambda: supplement.weights(study, "bands"),
        "figS9_weights_clusters": lambda: supplement.weights(study, "clusters"),
        "figS10_weights_wavelength": lambda: supplement.weights(study, "wavelength"),
    }
    if sets:
        makers["figS11_peers"] = lambda: supplement.peers(sets, outcomes)
        makers["figS12_peers_by_p"] = lambda: supplement.peers_by_p(
            sweep(list(sets), SHARES), SHARES
        )
    drawn = {}
    for name, make in makers.items():
        drawn[name] = figures.as_png(make())
        done(name)
    return drawn


def write(
    study: Study,
    compared: Sequence[Compared],
    found: Sequence[Verdict],
    pictures: dict[str, bytes],
    outcomes: Sequence[Outcome],
    searched: Sequence[Searched],
    yardsticks: Sequence[Yardstick],
    made: Sequence[tuple[str, str]],
) -> str:
    """The report as HTML.

    Parameters
    ----------
    study, compared, found : results, set beside the paper, and its conclusions tested
    pictures : as drawn
    outcomes : of the clusterers on the test sets; may be empty
    searched, yardsticks : of the random search; may be empty
    made : how the report was made, as pairs of a name and a value
    """
    page = Page("Structure classes and colour bands of silicon quantum dots")

    def show(*names: str) -> None:
        for name in names:
            page.figure(pictures[name], CAPTIONS[name])

    def odd(section: str) -> None:
        page.text("Odd in the paper:")
        page.points(ODDITIES[section])

    page.text(
        "The analysis of A. J. Parker and A. S. Barnard, Nanoscale Horiz. 6, 277 (2021), doi "
        f"10.1039/d0nh00637h, on {len(study.table)} hydrogen-terminated silicon dots "
        f"({study.table.origin}), {len(study.prepared.table)} of them of visible wavelength."
    )
    if study.table.rebuilt:
        page.box(SUBSTITUTE)
    page.section("The paper's conclusion, tested")
    page.table(
        ("question", "the paper", "here", "holds"),
        [(v.question, v.paper, v.ours, "yes" if v.holds else "no") for v in found],
    )
    page.section("Published numbers and ours")
    page.table(
        ("quantity", "published", "ours", "why they differ, or what to know"),
        [(row.what, row.published, row.ours, row.why) for row in compared],
    )
    page.section("Dots and features")
    show("fig1_dots")
    page.text(
        "Six features describe a dot: diameter, hydrogen-to-silicon ratio and the shares of the "
        "four families in the area of its facets, each scaled to 0–1. The other columns are "
        "dropped because a feature says the same:"
    )
    page.table(
        ("dropped", "stands in for it", "correlation"),
        [
            (figures.SHORT[drop.name], figures.SHORT[drop.partner], drop.correlation)
            for drop in drops(study.correlations)
        ],
    )
    odd("features")
    show("figS1_correlations")
    page.section("Structure classes")
    page.text(
        "Labels spread from the dot nearest the mean to the nearest unlabelled dot, one at a time. "
        "The distance of each step is smoothed and cut at its peaks; the bottoms of the valleys "
        "between seed the classes. A class can be as small as one dot where a shoulder of the "
        "curve counts as a peak."
    )
    odd("structure classes")
    show("fig2_clusters", "figS5_robustness", "figS3_by_cluster", "figS4_cluster_colours")
    page.section("Networks")
    odd("networks")
    for name, picture in (("bands", "fig3_bands"), ("clusters", "fig4_clusters_network")):
        show(picture)
        page.table(
            (
                TITLES[name],
                "precision / recall / F1, published",
                "dots",
                "ours, test part",
                "dots tested",
                "dots",
            ),
            class_rows(study, name),
        )
    show("fig5_wavelength", "figS2_by_band", "figS6_separability", "figS7_forest")
    page.text(
        f"The random forest reaches an accuracy of {spread(study.forest)} over folds, the band "
        f"network {spread(study.networks['bands'])}. In the paper the forest does worse and tells "
        "only red from the rest."
    )
    show("figS8_weights_bands", "figS9_weights_clusters", "figS10_weights_wavelength")
    if searched:
        _write_search(page, searched, yardsticks)
    if outcomes:
        page.section("Iterative Label Spreading beside other clusterers")
        page.text(
            f"One rule for the parameters on every set: p and the smallest cluster are {SHARE:.0%} "
            "of the points, the radius of DBSCAN holds ten points about 95 % of them; single "
            "linkage and k-means are told the number of clusters. An index of 0 on the null set "
            "means that clusters were seen where there are none."
        )
        means = mean_agreement(outcomes)
        page.table(
            ("adjusted Rand index", *METHODS),
            [
                *(
                    (name, *(o.adjusted_rand for o in outcomes if o.test_set == name))
                    for name in dict.fromkeys(o.test_set for o in outcomes)
                ),
                ("mean", *means.values()),
            ],
        )
        show("figS11_peers", "figS12_peers_by_p")
    page.section("How this was made")
    page.table(("", ""), made)
    return page.html()


def _write_search(
    page: Page, searched: Sequence[Searched], yardsticks: Sequence[Yardstick]
) -> None:
    page.section("Random search for hyper-parameters")
    page.text(
        "Each trial is scored over folds of the training part and given up once perfect scores on "
        "the folds left could not make it the best; the winner is that of the full search. "
        "The winner is then judged like the published network."
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
                spread(one.assessment),
            )
            for one in searched
        ],
    )
    if yardsticks:
        page.table(
            ("same trials", "trials", "ours [s]", "RandomizedSearchCV [s]", "same winner"),
            [
                (TITLES[y.task], y.trials, y.ours, y.theirs, "yes" if y.same_winner else "no")
                for y in yardsticks
            ],
        )


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
