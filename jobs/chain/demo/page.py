"""The report of the demo."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from opalux.base.page import Page, bold, code
from opalux.base.plots import png
from opalux.base.provenance import git_revision, version
from opalux.jobs.chain.demo.lines import PUBLISHED, SOLVE, TRAIN, Line


def demo_page(
    out: Path, lines: Sequence[Line], seconds: Sequence[float], metrics: dict[str, Any]
) -> str:
    """Return the report as HTML.

    Parameters
    ----------
    out : folder of the results of all stages
    lines, seconds : the stages and the time that each took [s]
    metrics : of the evaluation
    """
    page = Page(
        "From edge signals to the density inside",
        "A network has learned, from 840 of 1000 simulated densities, to reconstruct the density "
        "of a medium from what is measured on its edges. On "
        f"{metrics['n_maps']} maps that it has never seen it reaches a pooled R² of "
        + bold(f"{metrics['r2_pooled']:.4f}")
        + " at 32 × 32 cells.",
    )
    page.answers(
        [
            "A simulation, a data set, a network and its judgement, each by a command that you can "
            "type: they stand at the end."
        ],
        [
            "A pooled R² of 1 would be every cell of every map right; 0, no better than the mean. "
            "These maps are of the kind that the network has learned from."
        ],
        [
            "Look at the simulation: "
            + code(f"opalux view {out / SOLVE}")
            + ". Draw a map of your "
            "own and see what the network makes of it: "
            + code(f"opalux view {out / TRAIN} --paint")
            + "."
        ],
    )
    page.note(
        "Training and held-out maps come from the same solver and grid, without noise. The maps of "
        "the columns “finer grid, 1 % noise” do not. Such signals have to be calibrated first, by "
        "straight lines from grid to grid; the column without “calibrated” shows what comes out "
        "otherwise. The published network, at 64 × 64 cells and with another training set, reached "
        "0.87–0.89 on its own solver and grid, without noise."
    )
    page.section("The published density")
    page.figure(
        _published(out),
        "The published density, its reconstruction, and the error",
        "Three maps: smooth hills of 1 to 5 g/cm³, what the network makes of their signals, and "
        "the difference of the two.",
    )
    page.section("Best, median and worst of the held-out maps")
    page.figure(
        _picture(out / TRAIN / "maps.png"),
        "Truth, reconstruction and error",
        "The best, the median and the worst map, each beside its reconstruction and the error.",
    )
    _scores(page, {"held-out maps": metrics} | metrics["apart"])
    page.figure(
        _picture(out / TRAIN / "depth.png"),
        "Error against the distance to the edge",
        "Root mean square error against the distance to the nearest edge; it grows with depth.",
    )
    page.section("The simulation behind it: the published case")
    page.figure(
        _picture(out / SOLVE / "fields.png"),
        "Fields at the final time",
        "Density, radiation energy, flux and temperature as maps.",
    )
    page.figure(
        _picture(out / SOLVE / "signals.png"),
        "Signals on the edges",
        "Energy, flux and temperature along each edge over time, as changes from the first values.",
    )
    page.section("What was run")
    for line, taken in zip(lines, seconds, strict=True):
        page.text(f"{line.title}: {taken:.0f} s")
        page.code(line.typed)
    page.note(f"opalux {version()}, git {git_revision()}")
    return page.html()


def _scores(page: Page, sets: dict[str, dict[str, Any]]) -> None:
    from opalux.jobs.inversion.low_scores import low_scores
    from opalux.jobs.inversion.metrics import MEANING
    from opalux.jobs.inversion.number import number

    page.table(
        ["measure", *sets],
        [
            [meaning, *(number(result.get(key)) for result in sets.values())]
            for key, meaning in MEANING.items()
        ],
    )
    for reason in low_scores(sets):
        page.text(reason)


def _picture(path: Path) -> bytes:
    return path.read_bytes()


def _published(out: Path) -> bytes:
    """Draw the published density, its reconstruction by the network, and the difference."""
    from opalux.jobs.inversion.pictures import maps
    from opalux.jobs.inversion.reconstruction import reconstruct
    from opalux.jobs.inversion.trained import load_trained
    from opalux.learning.data.data_set import DataSet

    data = DataSet(out / PUBLISHED)
    position = int(data.split("train")[0])
    found = reconstruct(load_trained(out / TRAIN), data.signals(position), simulate=False)
    return png(maps(["published density"], data.density(position)[None], found.density[None]))
