"""The report of an evaluation: pictures as PNG files, and one HTML page that holds them all."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from opalux.base.files import atomic
from opalux.base.provenance import git_revision, version
from opalux.jobs.inversion import metrics, pictures
from opalux.jobs.inversion.judge import Judged
from opalux.learning.training import logbook
from opalux.learning.training.predict import Trained

PUBLISHED = {
    "r2_pooled": ("V-Net, 64×64 maps: pooled R²", "0.87–0.89"),
    "r2": ("CNN, place and height of a niche: R²", "0.9881 (0.9480 with max pooling)"),
    "custom_score": (
        "CNN, place within 0.1 cm and height within 1 g/cm³ (custom score)",
        "0.9350 (0.5575 with max pooling)",
    ),
    "binary_accuracy": (
        "CNN, sources that have the niche in front: binary accuracy",
        "0.9886 (0.7500 with max pooling)",
    ),
    "strict_score": (
        "CNN, all four labels right (strict score)",
        "0.9545 (0.2727 with max pooling)",
    ),
}
"""Figures of the published work (Ngueguin, 2021, and the internship report before it)."""

MEANING = {
    "r2_pooled": "R², all cells of all maps pooled",
    "r2_mean": "R² of each map, mean",
    "rel_l1": "Σ|ρ̂−ρ| / Σ|ρ|, mean over maps",
    "rel_l2": "‖ρ̂−ρ‖ / ‖ρ‖, mean over maps",
    "mae": "mean absolute error [g/cm³]",
    "ssim": "structural similarity",
    "data_misfit": "‖F(ρ̂)−d‖ / ‖d‖ by simulation of ρ̂, mean over maps",
}

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
       color: #1b1f24; background: #fff }
table { border-collapse: collapse; margin: .5rem 0 1.5rem }
th, td { border-bottom: 1px solid #d0d7de; padding: .25rem .7rem; text-align: right }
th:first-child, td:first-child { text-align: left }
img { max-width: 100% }
.note { color: #57606a }
"""


def write(
    out: Path,
    run: Path,
    trained: Trained,
    judged: Mapping[str, Judged],
    curve: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Write the pictures and report.html into ``out``.

    Parameters
    ----------
    out : folder
    run : folder of the training run
    trained : the network
    judged : by name of the test set; the main one's name is empty
    curve : what networks reach by the number of maps that they were trained on
    """
    main = judged[""]
    cell = 1.0 / main.truth.shape[-1]
    titles, rows = _chosen(main)
    named = {name or "held-out maps": result for name, result in judged.items()}
    curves = {
        name: metrics.error_by_depth(result.truth, result.predicted)
        for name, result in named.items()
    }
    figures = {
        "maps": pictures.maps(titles, main.truth[rows], main.predicted[rows]),
        "depth": pictures.error_against_depth(curves, cell),
        "cells": pictures.found_against_true(main.truth, main.predicted),
    }
    lines = logbook.read(run)
    if any(line["kind"] == "validation" for line in lines):
        figures["training"] = pictures.training_curves(lines)
    if curve:
        figures["learning_curve"] = pictures.learning_curve(curve)
    images = {name: _png(figure) for name, figure in figures.items()}
    for name, image in images.items():
        with atomic(out / f"{name}.png") as temporary:
            temporary.write_bytes(image)
    with atomic(out / "report.html") as temporary:
        temporary.write_text(_page(run, trained, named, images, curve), encoding="utf-8")


def _chosen(judged: Judged) -> tuple[list[str], list[int]]:
    """Return titles and numbers of the best, median and worst map."""
    each = np.nan_to_num(metrics.r2_each(judged.truth, judged.predicted), nan=-np.inf)
    order = np.argsort(each)[::-1]
    rows = [int(order[0]), int(order[len(order) // 2]), int(order[-1])]
    names = ("best", "median", "worst")
    return [
        f"{name}: R² {each[row]:.3f}\n{judged.families[row]}"
        for name, row in zip(names, rows, strict=True)
    ], rows


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=110)
    return buffer.getvalue()


def _page(
    run: Path,
    trained: Trained,
    judged: Mapping[str, Judged],
    images: Mapping[str, bytes],
    curve: Sequence[Mapping[str, Any]],
) -> str:
    main = next(iter(judged.values()))
    ny, nx = main.truth.shape[-2:]
    weights = sum(p.numel() for p in trained.model.parameters())
    settings = trained.settings

    def image(name: str, text: str) -> str:
        if name not in images:
            return ""
        code = base64.b64encode(images[name]).decode()
        return f'<p><img alt="{html.escape(text)}" src="data:image/png;base64,{code}"></p>'

    scores = table(
        ["measure", *judged],
        [
            [MEANING[key], *(number(result.numbers[key]) for result in judged.values())]
            for key in metrics.HEADLINE
        ],
    )
    families = table(
        ["family", "maps", "pooled R²", "mean R²", "MAE [g/cm³]", "SSIM"],
        [
            [
                label,
                str(n["n_maps"]),
                *map(number, (n["r2_pooled"], n["r2_mean"], n["mae"], n["ssim"])),
            ]
            for label, n in main.numbers["families"].items()
        ],
    )
    published = _published({"r2_pooled": main.numbers["r2_pooled"]}, f"{ny}×{nx} maps")
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<title>Reconstruction report: {html.escape(run.name)}</title>
<style>{STYLE}</style></head><body>
<h1>Density from edge signals: {html.escape(run.name)}</h1>
<p>Network <b>{settings.model.kind}</b> with {weights:,} weights after {trained.step:,} steps of
{settings.batch} samples, trained on {html.escape(str(settings.data.folder))}. Judged on
{main.numbers["n_maps"]} maps of {ny}×{nx} cells that it has not seen
({main.numbers["split"]} split of {html.escape(main.numbers["data"])}).</p>
<h2>Measures</h2>
{scores}
<p class="note">Unless a set says otherwise, its signals come from the same solver on the same grid
without noise, which flatters every method; sets with a finer grid or noise are judged apart.
{main.numbers["misfit_maps"]} reconstructions of each set were simulated again for the data
misfit.</p>
{_uncertainty(main)}
<h2>Best, median and worst map</h2>
{image("maps", "Truth, reconstruction and error of the best, median and worst map")}
<h2>By family</h2>
{families}
<h2>Where the errors are</h2>
{image("depth", "Error against the distance from the edge")}
{image("cells", "Reconstructed against true density")}
<h2>Training</h2>
{image("training", "Loss and R² against the epoch")}
{_learning_curve(curve)}
{image("learning_curve", "R² and mean absolute error against the number of training maps")}
<h2>Published figures</h2>
{published}
<p class="note">opalux {html.escape(version())}, revision {html.escape(git_revision())}</p>
</body></html>
"""


def _learning_curve(curve: Sequence[Mapping[str, Any]]) -> str:
    if not curve:
        return ""
    rows = [
        [str(point["training_maps"]), str(point["step"])]
        + [number(point[key]) for key in ("r2_pooled", "r2_mean", "mae")]
        for point in curve
    ]
    header = ["training maps", "steps", "pooled R²", "mean R²", "MAE [g/cm³]"]
    return f"<h2>Learning curve</h2>\n{table(header, rows)}"


def _uncertainty(judged: Judged) -> str:
    found = judged.numbers["uncertainty"]
    if found is None:
        return ""
    return (
        f"<p>The reconstructions from turned and reflected signals, and of all networks, differ: "
        f"their standard deviation holds {found['within_1']:.0%} of the errors (twice it: "
        f"{found['within_2']:.0%}) and must be multiplied by {found['scale']:.2f} to be as large "
        f"as the error.</p>"
    )


def write_niche(out: Path, run: Path, trained: Trained, numbers: Mapping[str, Any]) -> None:
    """Write report.html for a network that looks for a niche."""
    ny, nx = trained.model.layout.shape
    scores = table(
        ["score", "value"], [[name, f"{value:.4f}"] for name, value in numbers["scores"].items()]
    )
    page = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<title>Niche report: {html.escape(run.name)}</title>
<style>{STYLE}</style></head><body>
<h1>A niche from edge signals: {html.escape(run.name)}</h1>
<p>Judged on {numbers["n_maps"]} maps of {ny}×{nx} cells that it has not seen
({numbers["split"]} split of {html.escape(numbers["data"])}).</p>
{scores}
<h2>Published figures</h2>
{_published(numbers["scores"], f"{ny}×{nx} maps")}
<p class="note">opalux {html.escape(version())}, revision {html.escape(git_revision())}</p>
</body></html>
"""
    with atomic(out / "report.html") as temporary:
        temporary.write_text(page, encoding="utf-8")


def _published(ours: Mapping[str, float], what: str) -> str:
    """Return the table of published figures, with ``ours`` beside those that compare."""
    return table(
        ["published figure", "published", "this run"],
        [
            [name, value, f"{ours[key]:.4f} ({what})" if key in ours else "—"]
            for key, (name, value) in PUBLISHED.items()
        ],
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an HTML table of plain text."""

    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return "<table>" + line(header, "th") + "".join(line(row, "td") for row in rows) + "</table>"


def number(value: float | None) -> str:
    """Return a measure as the reports show it; a dash where it was not taken."""
    return "—" if value is None else f"{value:.4g}"
