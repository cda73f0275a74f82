"""What a verification study is made of, and the page that shows it."""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from opalux.base.plots import save

INTRODUCTION = """\
# Verification

Does the solver solve the equations that it claims to solve? `make verify` writes this page. That
run measured every number and every picture here; it ends with an error if a claim does not hold.
The problems are objects in `solver/verification/`; the tests in `tests/solver/verification/` check
the same claims on coarser grids.

The equations, with k = 1 as published and k = 1/3 for the textbook P1:

    ∂t E + c div F = c σ_a (a T⁴ − E) + S
    ∂t F + k c ∇E  = −c σ_c F
    ρ C_v ∂t T     = c σ_a (E − a T⁴)

N is the number of cells along an axis, h the width of a cell. Where no scheme is named it is
`consistent`, at `order: 1` (the default; solid lines) and `order: 2` (dashed lines); orders of
convergence are fitted by least squares to all the grids shown.
"""


Series = tuple[Sequence[int], Sequence[float]]

STYLES = {1: "-", 2: "--"}  # of the lines in all figures, by the scheme's order


@dataclasses.dataclass(frozen=True)
class Claim:
    """One thing that is measured, and whether it is as it should be."""

    text: str
    measured: str
    expected: str
    holds: bool


def at_least(text: str, value: float, bound: float, digits: int = 2) -> Claim:
    """Claim that ``value`` is no less than ``bound``."""
    return Claim(text, f"{value:.{digits}f}", f"≥ {bound:.{digits}f}", value >= bound)


def at_most(text: str, value: float, bound: float) -> Claim:
    """Claim that ``value`` is no more than ``bound``."""
    shown = f"{value:.1e}" if bound < 1 else f"{value:.2f}"
    return Claim(text, shown, f"≤ {bound:g}", value <= bound)


@dataclasses.dataclass(frozen=True)
class Section:
    """One study: prose in Markdown, what it claims, and its figures by file name."""

    title: str
    text: str
    claims: Sequence[Claim]
    figures: dict[str, Any]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def page(sections: Sequence[Section], images: str) -> str:
    """Return the page; ``images`` is the folder of the figures as the page sees it."""
    summary = table(
        ["claim", "expected", "measured", "holds"],
        [
            [claim.text, claim.expected, claim.measured, "yes" if claim.holds else "**no**"]
            for section in sections
            for claim in section.claims
        ],
    )
    parts = [INTRODUCTION, "## Summary", summary]
    for section in sections:
        parts += [f"## {section.title}", section.text.strip()]
        parts += [f"![{section.title}]({images}/{name})" for name in section.figures]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def save_figures(section: Section, folder: Path) -> None:
    """Write the figures of a section and close them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in section.figures.items():
        save(figure, folder / name)


def convergence_plot(axis: Any, lines: dict[str, dict[int, Series]]) -> None:
    """Draw errors against N with slopes to compare.

    Parameters
    ----------
    axis : matplotlib axis
    lines : per label and order of the scheme, the numbers of cells and the errors
    """
    for number, (label, series) in enumerate(lines.items()):
        for order, (cells, errors) in series.items():
            axis.loglog(
                cells, errors, STYLES[order], color=f"C{number}", marker="osD^vP*X"[number],
                markersize=5, label=label if order == min(series) else None,
            )  # fmt: skip
    for order in sorted({order for series in lines.values() for order in series}):
        drawn = [series[order] for series in lines.values() if order in series]
        cells = drawn[0][0]
        # Order 1 above all lines, order 2 below: where there is room.
        edge = max if order == 1 else min
        start = edge(errors[0] for _, errors in drawn) * (1.7 if order == 1 else 0.5)
        slope = [start * (cells[0] / n) ** order for n in cells]
        axis.loglog(cells, slope, "k:", linewidth=0.9)
        axis.annotate(
            f"order {order}", (cells[-1], slope[-1]), fontsize=8, xytext=(4, 0),
            textcoords="offset points", va="center",
        )  # fmt: skip
    orders = sorted({order for series in lines.values() for order in series})
    for order in orders if len(orders) > 1 else []:
        axis.plot([], [], f"k{STYLES[order]}", label=f"order {order}")
    axis.plot([], [], "k:", linewidth=0.9, label="slopes to compare")
    every = sorted({n for series in lines.values() for cells, _ in series.values() for n in cells})
    axis.set_xticks(every, [str(n) for n in every])
    axis.minorticks_off()
    axis.set_xlim(every[0] / 1.2, every[-1] * 1.8)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2)


def figure(width: float, height: float, columns: int = 1) -> tuple[Any, Any]:
    """Return a new figure and its axes in one row."""
    made, axes = plt.subplots(1, columns, figsize=(width, height), layout="constrained")
    return made, axes
