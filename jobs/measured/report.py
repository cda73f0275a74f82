"""The report of an inversion: what it explains, in words, numbers and pictures."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opalux.base.files import atomic, write_text
from opalux.base.page import Page, bold
from opalux.base.plots import png
from opalux.base.provenance import git_revision, version
from opalux.jobs.measured.inversion import Inverted, Plan
from opalux.jobs.measured.pictures import fit_figure, map_figure

SPANS = 8  # of time, into which χ² is divided
AT_BOUND = 0.01  # share of cells at a bound from which on it is worth telling
NOISY = 0.5  # χ² below which the noise was surely stated too large


def chi2_by(result: Inverted, groups: NDArray[np.str_]) -> dict[str, float]:
    """Return χ² of the rows of each group."""
    squares = ((result.rows.value - result.predicted) / result.rows.sigma) ** 2
    return {
        str(name) or "inside": float(squares[groups == name].mean()) for name in np.unique(groups)
    }


def chi2_by_time(result: Inverted) -> dict[str, float]:
    """Return χ² of equal spans of time, by their middle [sh]; spans without rows are left out."""
    time = result.rows.time
    low, high = float(time.min()), float(time.max())
    span = np.minimum(((time - low) / ((high - low) or 1.0) * SPANS).astype(np.int64), SPANS - 1)
    middle = low + (np.arange(SPANS) + 0.5) * (high - low) / SPANS
    squares = ((result.rows.value - result.predicted) / result.rows.sigma) ** 2
    return {f"{middle[one]:.4g}": float(squares[span == one].mean()) for one in np.unique(span)}


def verdict(result: Inverted, plan: Plan) -> str:
    """Return in one line whether the data are explained, and if not, what may be the cause."""
    chi2, limit = result.chi2, plan.accepted
    if result.explained:
        text = f"χ² = {chi2:.3g}: the map explains the data"
        return text + ("; the noise is probably smaller than stated" if chi2 < NOISY else "")
    return (
        f"χ² = {chi2:.3g} is far above 1 (accepted: {limit:.3g}): the map does NOT explain the "
        f"data. Likely causes: {'; '.join(_causes(result, plan))}"
    )


def _causes(result: Inverted, plan: Plan) -> list[str]:
    causes: list[str] = []
    found, (low, high) = result.found, plan.settings.bounds
    if found.grid_error.left_over > 0.5:
        causes.append(
            f"the grid (its error is {found.grid_error.noise_units:.2g} times the noise: raise "
            "'refinement')"
        )
    at_bound = float(np.mean((result.density <= low * 1.001) | (result.density >= high / 1.001)))
    if at_bound > AT_BOUND:
        causes.append(f"the bounds ({at_bound:.0%} of the cells are at them)")
    last = found.history[-10:, 1]
    if len(last) and len(found.history) >= plan.settings.steps and last[0] > 1.02 * last[-1]:
        causes.append("too few steps (χ² still falls: raise 'steps')")
    causes += [
        "structures smaller than a cell of the map (give problem.grid more)",
        "the noise (smaller in the configuration than in the data)",
        "other physics (sources, edges, opacities, heat capacity, units)",
    ]
    return causes


def write_report(out: Path, result: Inverted, plan: Plan, numbers: dict[str, Any]) -> None:
    """Write map.png, fit.png and report.html into ``out``."""
    grid = plan.settings.problem.cells
    images = {
        "map": png(map_figure(result, (*grid.x, *grid.y))),
        "fit": png(fit_figure(result)),
    }
    for name, image in images.items():
        with atomic(out / f"{name}.png") as temporary:
            temporary.write_bytes(image)
    write_text(out / "report.html", _page(result, plan, numbers, images).html())


def _page(result: Inverted, plan: Plan, numbers: dict[str, Any], images: dict[str, bytes]) -> Page:
    page = Page("The density behind measured signals")
    ny, nx = result.density.shape
    page.answers(
        [
            bold(f"A map of {nx} × {ny} cells")
            + f" from {len(result.rows)} values of {len(result.rows.sources)} sources, by "
            f"{numbers['evaluations']} gradients in {numbers['seconds']:.0f} s.",
            "inversion.h5 holds the density, its standard deviation and the share that the data "
            "tell of each cell.",
        ],
        [verdict(result, plan) + "."],
        _next(result),
    )
    if plan.remarks:
        page.points(plan.remarks)
    page.section("The map")
    low, high = result.density.min(), result.density.max()
    page.figure(
        images["map"],
        _map_caption(result),
        f"Maps of {nx} × {ny} cells; the density lies between {low:.3g} and {high:.3g} g/cm³.",
    )
    page.section("What it explains")
    page.figure(
        images["fit"],
        "Measured and predicted signals, residuals, and χ² against time and place",
        "Signals as measured and as the map gives them, and what is left between them in standard "
        f"deviations of the noise; the mean of its square is {result.chi2:.3g}.",
    )
    rows = [
        [name, group, value]
        for name in ("source", "edge", "quantity", "time")
        for group, value in numbers[f"chi2_by_{name}"].items()
    ]
    page.table(["χ² by", "", "χ²"], [["all", "", result.chi2], *rows])
    if result.found.gains.size:
        page.section("Gains")
        page.table(
            ["", "gain", "spread"],
            [[name, *row.values()] for name, row in numbers["gains"].items()],
        )
    page.section("How it was found")
    found = result.found
    page.text(
        f"Simulated on a grid {found.refinement} times finer than the map. Its error in the "
        f"signals is {found.grid_error.noise_units:.2g} times the noise; signals are corrected for "
        f"it, which leaves about {found.grid_error.left_over:.2g}."
    )
    page.note(f"opalux {version()}, revision {git_revision()}")
    return page


def _next(result: Inverted) -> list[str]:
    if not result.explained:
        return [
            "Do not use the map yet. Look at χ² by source, edge and quantity below: what stands "
            "out there is likely to be described wrongly. Then go through the causes, first to "
            "last.",
        ]
    unsure = 0.0 if result.informed is None else float((result.informed < 0.5).mean())
    lines = []
    if unsure:
        lines.append(
            f"Less than half of what is known of {unsure:.0%} of the cells comes from the data: "
            "believe these cells no more than the prior. More sources, edges or times help."
        )
    lines.append(
        "Try another 'start' or 'prior': what changes much is not measured. 'opalux view' shows "
        "the map beside the signals; 'density: inversion.h5' simulates it again."
    )
    return lines


def _map_caption(result: Inverted) -> str:
    if result.spread is None:
        return "Density; the spread was not asked for, or the map is too large for it"
    return (
        "Density; its standard deviation; and the share of the knowledge of a cell that comes from "
        "the data: where it is near 0, the prior alone decides. The spread is too large along what "
        "was not asked for ('modes') and too small inside of sharp shapes"
    )
