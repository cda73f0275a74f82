"""The text of the report: one page with the results beside the numbers of the paper."""

import dataclasses
from collections.abc import Mapping, Sequence

from opalux.base.page import Page, bold
from opalux.learning.siqd.clustering.peers import METHODS, SHARE
from opalux.learning.siqd.report.alts import alts
from opalux.learning.siqd.report.answers import first_answers
from opalux.learning.siqd.report.look import short
from opalux.learning.siqd.report.metrics import mean_agreement
from opalux.learning.siqd.report.pictures import captions
from opalux.learning.siqd.study.comparison import (
    ODDITIES,
    Compared,
    centre_in_words,
    class_rows,
    mean_and_deviation,
    titles,
)
from opalux.learning.siqd.study.interval import Interval
from opalux.learning.siqd.study.preparation import drops
from opalux.learning.siqd.study.run import Results
from opalux.learning.siqd.study.study import Study
from opalux.learning.siqd.study.verdicts import Verdict

TITLE = "Structure classes and colour bands of silicon quantum dots"


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
    compared : published numbers and ours; empty for others' data
    verdicts : the questions, answered
    pictures : PNG files by name, as in ``captions``
    made : how the report was made, as pairs of a name and a value
    """
    study = results.study
    report = _Report(_page(study), results, pictures)
    page = report.page
    page.answers(*first_answers(study, verdicts))
    if study.table.rebuilt:
        page.box(_substitute(study))
    _answers(page, study, verdicts)
    if compared:
        page.section("Published numbers and ours")
        page.text(
            "Ours are medians over splits and seeds, in brackets from 5 to 95 %; for folds, mean "
            "and standard deviation."
        )
        page.table(
            ("quantity", "published", "ours", "the published one is", "why they differ"),
            [(row.what, row.published, row.ours, row.where, row.why) for row in compared],
        )
    _rows(report)
    _classes(report)
    _networks(report)
    if results.searched:
        _search(page, results)
    if results.outcomes:
        _clusterers(report)
    page.section("How this report was made")
    page.table(("", ""), made)
    return page.html()


class _Report:
    """The page with what its sections are made of."""

    def __init__(self, page: Page, results: Results, pictures: Mapping[str, bytes]) -> None:
        self.page, self.results, self.study = page, results, results.study
        self._pictures, self._captions, self._alts = pictures, captions(results), alts(results)

    def show(self, *beginnings: str) -> None:
        """Add every figure whose name begins so, where it exists."""
        for beginning in beginnings:
            for name, caption in self._captions.items():
                if name.startswith(beginning):
                    self.page.figure(self._pictures[name], caption, self._alts.get(name, ""))

    def oddities(self, section: str) -> None:
        """Add what is unusual in the paper, where the paper is the subject."""
        if self.study.settings.preset:
            self.page.text("Unusual in the paper:")
            self.page.points(ODDITIES[section])


def _page(study: Study) -> Page:
    table, kept, subject = study.table, study.prepared.table, study.prepared.subject
    if study.settings.preset:
        return Page(
            TITLE,
            "The analysis of A. J. Parker and A. S. Barnard, Nanoscale Horiz. 6, 277 (2021), doi "
            f"10.1039/d0nh00637h, on {len(table)} hydrogen-terminated silicon dots "
            f"({table.origin}), {len(kept)} of them of the wavelengths that are studied.",
        )
    return Page(
        f"Structure classes of {subject.rows}, and classes of {subject.property}",
        f"{len(table)} {subject.rows} ({table.origin}), {len(kept)} of them inside the limits, "
        f"described by {len(subject.features)} features. Are classes in the space of features "
        f"classes of {subject.property}?",
    )


def _substitute(study: Study) -> str:
    largest = study.table.columns["diameter"].max()
    return (
        "These dots are a rebuilt set, a tight-binding substitute for the CSIRO set of the paper "
        "(doi 10.4225/08/5721BB609EDB0). It holds every cut of the unrelaxed silicon lattice by "
        "full families of planes {100}, {110}, {111}, {113} about "
        f"{centre_in_words(study)}, up to a diameter of {largest:.2f} nm, covered with hydrogen. "
        "The wavelength is that of a photon of the gap in the sp3d5s* model, not the emission of "
        "a relaxed dot. The numbers below can therefore be compared with the published ones in "
        "kind, but not digit by digit."
    )


def _answers(page: Page, study: Study, verdicts: Sequence[Verdict]) -> None:
    page.section("Answers")
    page.text(
        "An answer is yes or no only where the whole interval of its score, 5 to 95 %, lies on one "
        "side of the limit that it names. Intervals are over splits and seeds, or over resampled "
        "rows."
    )
    if study.settings.preset:
        page.table(
            ("question", "the paper", "here", "why", "agrees"),
            [(v.question, v.paper, bold(v.answer), v.reason, v.holds) for v in verdicts],
        )
    else:
        page.table(
            ("question", "answer", "why"),
            [(v.question, bold(v.answer), v.reason) for v in verdicts],
        )


def _rows(report: _Report) -> None:
    page, study = report.page, report.study
    subject = study.prepared.subject
    page.section("Features")
    report.show("fig1_")
    page.text(
        f"{len(subject.features)} features describe each of the {subject.rows}: "
        + ", ".join(short(study, name) for name in subject.features)
        + ". Each is scaled to 0–1."
    )
    for group in subject.parts:
        names = ", ".join(short(study, name) for name in group)
        page.text(
            f"{names} are parts of a whole and sum to 1. So they are permuted and shuffled as one."
        )
    dropped = drops(study.correlations, subject)
    if dropped:
        page.text("Other columns are dropped, because a feature holds the same information:")
        page.table(
            ("dropped", "replaced by", "correlation"),
            [
                (short(study, drop.name), short(study, drop.partner), drop.correlation)
                for drop in dropped
            ],
        )
    report.oddities("features")
    report.show("figS1_")


def _classes(report: _Report) -> None:
    page, study = report.page, report.study
    page.section("Structure classes")
    cut = {
        "published": "The distance of each step is smoothed, and the curve is cut at its peaks.",
        "jumps": "The curve of the distances is cut where it stands out from the valleys beside.",
    }[study.settings.rule]
    page.text(
        "Labels spread from the row nearest to the mean to the nearest unlabelled row, one at a "
        f"time. {cut} The bottoms of the valleys between the cuts become the seeds of the classes."
    )
    report.oddities("structure classes")
    report.show("fig2_", "figS5_")
    page.text("Other clusterers on the same features, with the same least size of a class:")
    page.table(
        (
            "clusterer",
            "classes",
            "smallest",
            "in none",
            "silhouette",
            "adjusted Rand index with the structure classes",
            f"mutual information with the classes of {study.prepared.subject.property}",
        ),
        [dataclasses.astuple(found) for found in study.clusterers],
    )
    report.show("figS3_", "figS4_")


def _networks(report: _Report) -> None:
    page, study = report.page, report.study
    page.section("Networks")
    report.oddities("networks")
    models = {"network": study.repeated, **study.others}
    names = titles(study)
    page.text(
        f"Test scores over {len(study.repeated['classes'].test)} splits, each with its own seed, "
        "as median (5 to 95 %): accuracy, or R² for the property."
    )
    page.table(
        ("model", *(names[role] for role in study.tasks)),
        [
            (model, *(str(by[role].score) if role in by else None for role in study.tasks))
            for model, by in models.items()
        ]
        + [
            (
                "network, target shuffled",
                *(str(Interval.of(study.repeated[role].null)) for role in study.tasks),
            )
        ],
    )
    report.show("figS7_")
    scores: tuple[str, ...] = ("precision / recall / F1", "tested", "rows")
    if study.settings.preset:
        scores = ("published", "dots", "ours, test part of one split", "tested", "dots")
    for role, picture in (("classes", "fig3_"), ("clusters", "fig4_")):
        if role in study.tasks:
            report.show(picture)
            page.table((names[role], *scores), class_rows(study, role))
    report.show("fig5_", "figS2_", "figS6_")
    report.show(*(f"figS{i}_weights" for i in range(8, 11)))


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
                one.task,
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
            [(y.task, y.trials, y.ours, y.theirs, y.same_winner) for y in results.yardsticks],
        )


def _clusterers(report: _Report) -> None:
    page, outcomes = report.page, report.results.outcomes
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
    report.show("figS12_", "figS13_")


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
