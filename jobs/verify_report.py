"""What a verification study is made of, and the page that shows it."""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from jobs.pictures import save

INTRODUCTION = """\
# Verification

Does the solver solve the equations it says it solves? `make verify` writes this page: every
number and every picture on it was measured by that run, which ends with an error if a claim does
not hold. The problems are objects in `solver/verification/`; the tests in
`tests/solver/test_verification.py` hold coarser grids to the same claims.

The equations, with k = 1 as published and k = 1/3 for the textbook P1:

    ∂t E + c div F = c σ_a (a T⁴ − E) + S
    ∂t F + k c ∇E  = −c σ_c F
    ρ C_v ∂t T     = c σ_a (E − a T⁴)

N is the number of cells along an axis, h the width of a cell; orders are fitted by least squares to
all the grids shown.
"""


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
    return Claim(text, f"{value:.1e}", f"≤ {bound:.0e}", value <= bound)


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


def convergence_plot(
    axis: Any, lines: dict[str, tuple[Sequence[int], Sequence[float]]], orders: Sequence[int]
) -> None:
    """Draw errors against N, one line a label, with slopes to compare."""
    markers = "osD^vP*X"
    for (label, (cells, errors)), marker in zip(lines.items(), markers, strict=False):
        axis.loglog(cells, errors, marker=marker, markersize=5, label=label)
    cells = next(iter(lines.values()))[0]
    lowest = min(min(errors) for _, errors in lines.values())
    highest = max(max(errors) for _, errors in lines.values())
    for order in orders:
        start = highest * 1.6 if order == 1 else lowest * 0.6 * (cells[-1] / cells[0]) ** order
        axis.loglog(cells, [start * (cells[0] / n) ** order for n in cells], "k--", linewidth=0.8)
        axis.annotate(
            f"order {order}", (cells[-1], start * (cells[0] / cells[-1]) ** order), fontsize=8,
            xytext=(4, 0), textcoords="offset points", va="center",
        )  # fmt: skip
    every = sorted({n for series, _ in lines.values() for n in series})
    axis.set_xticks(every, [str(n) for n in every])
    axis.minorticks_off()
    axis.set_xlim(every[0] / 1.2, every[-1] * 1.7)
    axis.grid(alpha=0.3)


def figure(width: float, height: float, columns: int = 1) -> tuple[Any, Any]:
    """Return a new figure and its axes in one row."""
    made, axes = plt.subplots(1, columns, figsize=(width, height), layout="constrained")
    return made, axes
