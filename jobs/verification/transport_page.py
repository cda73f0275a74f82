"""The table and the page that say how far P1 is from transport."""

from collections.abc import Iterator, Mapping

from opalux.base.axes import EDGES
from opalux.base.page import NO_VALUE, Page, bold, code
from opalux.base.plots import png
from opalux.jobs.verification.distance import Distances
from opalux.jobs.verification.transport_pictures import fields_figure, signals_figure
from opalux.solver.problem import Problem
from opalux.solver.solution import Solution

COLUMNS = (("fields", "E"), ("fields", "T"), *((edge, name) for edge in EDGES for name in "EF"))
HEAD = ["E", "T", *(f"{edge} {name}" for edge in EDGES for name in ("E", "F·n"))]

LEAD = (
    "The same problem by P1 and by discrete ordinates on the same grid: what P1's closure, that "
    "radiation presses as k E in all directions, costs here."
)


def rows(apart: Mapping[str, Distances]) -> Iterator[list[str]]:
    """Yield a row for each solution: its name, and its distances in percent."""
    for name, found in apart.items():
        values = (found[where][quantity] for where, quantity in COLUMNS)
        yield [name, *(NO_VALUE if value is None else f"{value:.2%}" for value in values)]


def text_table(apart: Mapping[str, Distances]) -> list[str]:
    """Return the lines of the table for a log."""
    lines = [["", *HEAD], *rows(apart)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])
        for line in lines
    ]


def page(
    problem: Problem,
    text: str,
    solutions: Mapping[str, Solution],
    apart: Mapping[str, Distances],
) -> str:
    """Return the page.

    Parameters
    ----------
    text : the resolved configuration
    solutions : the reference, and what is compared with it
    apart : distances of the latter from the reference
    """
    reference = next(iter(solutions))
    made = Page("How far P1 is from transport", LEAD)
    made.answers(*_answers(problem, solutions, apart))
    made.section("Distances")
    made.text(
        f"Relative L2 distances from {reference}: of the fields at t = "
        f"{solutions[reference].t_final:.6g} sh, and of the signals in the cells along the edges "
        "over time. F·n is the flux through the edge; it has no distance at walls, and where it is "
        "less than a thousandth of E."
    )
    made.table(["", *HEAD], list(rows(apart)))
    made.text(
        "The last row is transport with about half as many angles each way: only what is well "
        "above it is P1's own. The error of P1's grid is in P1's rows, too: order: 2, or more "
        "cells, show how large it is."
    )
    free = [edge for edge in EDGES if getattr(problem.edges, edge).kind == "free"]
    if free:
        made.box(
            f"Free edges ({', '.join(free)}): light goes in there as it is in the cell beside, in "
            "transport as in P1. It is no open edge; give " + code("kind: vacuum") + " for that."
        )
    models = {name: each for name, each in solutions.items() if name.startswith("P1")}
    shown = {reference: solutions[reference], **models}
    made.section("Fields")
    made.figure(
        png(fields_figure(shown)),
        "At the final time, each row on one scale.",
        f"Maps of E and T by {', '.join(shown)}; how far they differ stands in the table above.",
    )
    made.section("Signals")
    made.figure(
        png(signals_figure(shown)),
        "Means along the edges, each row on one scale.",
        f"Curves over time of E and F·n at the four edges by {', '.join(shown)}; how far they "
        "differ stands in the table above.",
    )
    made.section("Problem")
    made.code(text)
    return made.html()


def _answers(
    problem: Problem, solutions: Mapping[str, Solution], apart: Mapping[str, Distances]
) -> tuple[list[str], list[str], list[str]]:
    """Return what you got, what it means and what to do next."""
    reference = next(iter(solutions))
    own = next(name for name in apart if name.startswith("P1"))
    models = {name: _signal_distance(one) for name, one in apart.items() if name.startswith("P1")}
    angles = [_signal_distance(one) for name, one in apart.items() if not name.startswith("P1")]
    best = min(models, key=lambda name: models[name])
    got = [
        bold("Your problem, solved twice")
        + f" on {problem.cells.nx} × {problem.cells.ny} cells: by {reference}, and by P1 with k = "
        + ", ".join(name.partition("k = ")[2] for name in models)
        + "."
    ]
    means = [
        f"The signals of {own}, yours, are {models[own]:.1%} from those of transport, in E over "
        "all edges (the largest of the four). That is an error of your model that no grid and no "
        "network removes."
    ]
    if angles and models[own] < 2.0 * angles[0]:
        means.append(
            f"But fewer angles alone change transport by {angles[0]:.1%}: the reference is not "
            "fine enough to tell."
        )
    then = []
    if best != own and models[best] < 0.8 * models[own]:
        k = best.partition("k = ")[2].replace("1/3", "0.3333333333")
        nearer = f"{best} is nearer, at {models[best]:.1%}: "
        then.append(nearer + code(f"--set constants.eddington={k}") + ".")
    then.append(
        "When you invert measurements, a noise below this distance would fit P1's own error: give "
        + code("noise")
        + " at least of this size."
    )
    if angles and models[own] < 2.0 * angles[0]:
        then.append("A finer reference: more angles, by " + code("--quadrature") + ".")
    return got, means, then


def _signal_distance(apart: Distances) -> float:
    """Return the largest distance of E over the edges."""
    return max(value for edge in EDGES if (value := apart[edge]["E"]) is not None)
