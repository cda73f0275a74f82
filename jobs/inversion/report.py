"""The report of an evaluation: pictures as PNG files, and one HTML page that holds them all."""

import os
from collections.abc import Mapping
from pathlib import Path

from opalux.base.files import atomic, write_text
from opalux.base.page import Page, bold, code
from opalux.base.plots import png
from opalux.base.provenance import git_revision, version
from opalux.jobs.inversion import pictures
from opalux.jobs.inversion.comparison import Compared
from opalux.jobs.inversion.findings import Found
from opalux.jobs.inversion.kind import Kind
from opalux.jobs.inversion.low_scores import low_scores
from opalux.jobs.inversion.number import number
from opalux.jobs.inversion.repeated import OverTrainings
from opalux.jobs.inversion.trained import Trained


def write_report(out: Path, trained: Trained, kind: Kind, found: Found) -> None:
    """Write the pictures and report.html into ``out``.

    Parameters
    ----------
    out : folder
    trained : the network
    kind : of its answers
    found : what the report shows
    """
    figures = kind.figures(found.judged)
    logs = {
        path: lines
        for path, lines in found.logs.items()
        if any(line["kind"] == "validation" for line in lines)
    }
    run = next(iter(found.logs))
    if run in logs:
        figures["training"] = pictures.training_curves(logs[run], kind.shown)
    if len(logs) > 1:
        common = os.path.commonpath([os.path.dirname(path) for path in logs])
        named = {os.path.relpath(path, common): lines for path, lines in logs.items()}
        figures["steps"] = pictures.scores_by_steps(named, next(iter(kind.shown.items())))
    if found.curve:
        figures["learning_curve"] = kind.learning_curve(found.curve)
    for place, one in enumerate(found.compared.values()):
        figures[f"physics-{place}"] = pictures.ways(one)
    images = {name: png(figure) for name, figure in figures.items()}
    for name, image in images.items():
        with atomic(out / f"{name}.png") as temporary:
            temporary.write_bytes(image)
    write_text(out / "report.html", _page(Path(run), trained, kind, found, images).html())


def _page(
    run: Path, trained: Trained, kind: Kind, found: Found, images: Mapping[str, bytes]
) -> Page:
    judged, subsets, curve = found.judged, found.subsets, found.curve
    main = next(iter(judged.values()))
    ny, nx = trained.layout.shape
    settings, objective = trained.settings, trained.model.objective
    page = Page(f"{run.name}: judged on maps that it has not seen")
    first = next(iter(kind.meaning))
    page.answers(
        [
            "Network "
            + bold(settings.model.kind)
            + f" with {trained.weights:,} weights after {trained.step:,} steps of {settings.batch} "
            f"samples, trained on {settings.data.folder.name}"
            + (", and corrected by what the solver says of its maps" if trained.corrections else "")
            + f". It gives {objective.answer} from the signals at the edges.",
        ],
        [
            f"On {main.numbers['n_maps']} maps of {ny}×{nx} cells that it has not seen "
            f"({main.numbers['split']} split of {Path(main.numbers['data']).name}), the first "
            "measure is "
            + bold(number(main.headline[first]))
            + f" ({kind.meaning[first]}). It holds for maps, sources and noise like those of the "
            "training, and for no others.",
        ],
        [
            "For signals of your own: "
            + code(f"opalux reconstruct {run.name} SIGNALS…")
            + ". For other kinds of maps or noise, judge it on such first (apart.NAME.folder, "
            "apart.NAME.noise). If the validation score still rises at the end of the training "
            "curve, train longer; if the loss falls and the score does not, add maps.",
        ],
    )
    page.section("Measures")
    page.table(
        ["measure", *judged],
        [
            [meaning, *(number(result.headline[key]) for result in judged.values())]
            for key, meaning in kind.meaning.items()
        ],
    )
    for reason in low_scores({name: result.headline for name, result in judged.items()}):
        page.text(reason)
    kind.add_sections(page, main, images)
    if subsets:
        page.section("From parts of the signals")
        shown = [key for key in kind.meaning if key != "data_misfit"]
        page.table(
            ["signals", *(kind.meaning[key] for key in shown)],
            [
                [name, *(number(result.headline[key]) for key in shown)]
                for name, result in subsets.items()
            ],
        )
    if found.over:
        _add_trainings(page, kind, found.over)
    if found.compared:
        _add_ways(page, found.compared, images)
    if "training" in images:
        page.section("Training")
        page.figure(
            images["training"],
            "Loss and scores against the epoch",
            "Two curves against the epoch: the loss of the training, and the scores on maps that "
            "were held out; their last values are in metrics.jsonl.",
        )
    if "steps" in images:
        page.figure(
            images["steps"],
            "What all these trainings reach by their steps",
            "A score on the validation split against the steps of each training; its values are "
            "in the metrics.jsonl of each.",
        )
    if curve:
        page.section("Learning curve")
        page.table(
            ["training maps", "steps", *objective.meaning.values()],
            [
                [point["training_maps"], point["step"]]
                + [number(point[key]) for key in objective.meaning]
                for point in curve
            ],
        )
        page.figure(
            images["learning_curve"],
            "Scores against the number of training maps",
            "The numbers of the table above as curves.",
        )
    ours = main.scores
    if objective.published:
        page.section("Published figures")
        page.table(
            ["published figure", "published", "this run"],
            [
                [what, value, f"{ours[key]:.4f} ({ny}×{nx} maps)" if key in ours else None]
                for key, (what, value) in objective.published.items()
            ],
        )
    page.note(f"opalux {version()}, revision {git_revision()}")
    return page


def _add_trainings(page: Page, kind: Kind, over: Mapping[str, Mapping[str, OverTrainings]]) -> None:
    """Add mean and standard deviation of every measure over the trainings."""
    first = next(iter(over.values()))
    number_of = len(next(iter(first.values())).values)
    page.section(f"Over {number_of} trainings")
    page.text(
        "Mean and standard deviation of trainings that differ in their seed alone, on the same "
        "maps and noise. The numbers above are those of the first."
    )
    page.table(
        ["set", *(kind.meaning[key] for key in first)],
        [[name, *(str(measures[key]) for key in first)] for name, measures in over.items()],
    )


def _add_ways(page: Page, compared: Mapping[str, Compared], images: Mapping[str, bytes]) -> None:
    """Add network, refined and physics alone on the same maps."""
    page.section("Beside physics")
    page.text(
        "The network's map, the same refined by the exact gradient, and physics alone from a flat "
        "map. χ² is the mean squared residual of the signals in standard deviations of the noise: "
        "near 1, a map explains them."
    )
    measures = {
        "r2_pooled": "pooled R²",
        "rel_l2": "relative L2",
        "rel_l2_to_network": "beside the network's, median",
        "chi2": "χ², median",
        "seconds": "CPU s a map",
    }
    page.table(
        ["set", "maps", "way", *measures.values()],
        [
            [name, len(one.truth), way, *(number(row[key]) for key in measures)]
            for name, one in compared.items()
            for way, row in one.numbers()["ways"].items()
        ],
    )
    for place, (name, one) in enumerate(compared.items()):
        page.figure(
            images[f"physics-{place}"],
            f"{name}. {one.note}",
            "A true map beside the network's, the refined one and that of physics alone, and the "
            "error of each against the distance from the edge.",
        )
