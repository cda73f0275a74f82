"""The report of an evaluation: pictures as PNG files, and one HTML page that holds them all."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from opalux.base.files import atomic, write_text
from opalux.base.page import Page, bold
from opalux.base.plots import png
from opalux.base.provenance import git_revision, version
from opalux.jobs.inversion import pictures
from opalux.jobs.inversion.kind import Judged, Kind
from opalux.jobs.inversion.number import number
from opalux.jobs.inversion.trained import Trained
from opalux.learning.training import logbook


def write_report(
    out: Path,
    run: Path,
    trained: Trained,
    kind: Kind,
    judged: Mapping[str, Judged],
    curve: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Write the pictures and report.html into ``out``.

    Parameters
    ----------
    out : folder
    run : folder of the training run
    trained : the network
    kind : of its answers
    judged : by name of the set; the main one is the first
    curve : what networks reach by the number of maps that they were trained on
    """
    figures = kind.figures(judged)
    lines = logbook.read(run, kind.shown)
    if any(line["kind"] == "validation" for line in lines):
        figures["training"] = pictures.training_curves(lines, kind.shown)
    if curve:
        figures["learning_curve"] = kind.learning_curve(curve)
    images = {name: png(figure) for name, figure in figures.items()}
    for name, image in images.items():
        with atomic(out / f"{name}.png") as temporary:
            temporary.write_bytes(image)
    write_text(out / "report.html", _page(run, trained, kind, judged, images, curve).html())


def _page(
    run: Path,
    trained: Trained,
    kind: Kind,
    judged: Mapping[str, Judged],
    images: Mapping[str, bytes],
    curve: Sequence[Mapping[str, Any]],
) -> Page:
    main = next(iter(judged.values()))
    ny, nx = trained.layout.shape
    settings, objective = trained.settings, trained.model.objective
    page = Page(f"{run.name}: judged on maps that it has not seen")
    page.text(
        "Network "
        + bold(settings.model.kind)
        + f" with {trained.weights:,} weights after {trained.step:,} steps of {settings.batch} "
        f"samples, trained on {settings.data.folder}. It gives {objective.answer} from the "
        f"signals at the edges. Judged on {main.numbers['n_maps']} maps of {ny}×{nx} cells "
        f"({main.numbers['split']} split of {main.numbers['data']})."
    )
    page.section("Measures")
    page.table(
        ["measure", *judged],
        [
            [meaning, *(number(result.headline[key]) for result in judged.values())]
            for key, meaning in kind.meaning.items()
        ],
    )
    kind.add_sections(page, main, images)
    if "training" in images:
        page.section("Training")
        page.figure(images["training"], "Loss and scores against the epoch")
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
        page.figure(images["learning_curve"], "Scores against the number of training maps")
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
