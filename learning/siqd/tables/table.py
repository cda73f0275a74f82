"""A table as columns of numbers, and one message for all that is wrong with it."""

import dataclasses
import itertools
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError

SHOWN = 5
"""Bad values that a message quotes; the lines of all are given."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """Rows, one for each particle.

    Attributes
    ----------
    origin : file from which the table was read
    rebuilt : centre of the dots, where this is a rebuilt set of silicon quantum dots
    names : of the rows (n,)
    columns : (n,) each, by name
    """

    origin: str
    rebuilt: str | None = None
    names: tuple[str, ...]
    columns: dict[str, NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.names)

    def side_by_side(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return some columns (n, len(names))."""
        return np.column_stack([self.columns[name] for name in names])

    def where(self, mask: NDArray[np.bool_]) -> "Table":
        """Return the table of the rows where ``mask`` (n,) is true."""
        return dataclasses.replace(
            self,
            names=tuple(name for name, kept in zip(self.names, mask, strict=True) if kept),
            columns={name: column[mask] for name, column in self.columns.items()},
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Problem:
    """Values of one column that are wrong for one reason.

    Attributes
    ----------
    text : what is wrong, with {} for the values
    lines : of the rows (m,)
    values : as they are to be shown (m,)
    """

    text: str
    lines: Sequence[int]
    values: Sequence[str]

    def __str__(self) -> str:
        shown = ", ".join(self.values[:SHOWN]) + (", …" if len(self.values) > SHOWN else "")
        where = "line" if len(self.lines) == 1 else "lines"
        return f"{where} {line_ranges(self.lines)}: {self.text.format(shown)}"


def line_ranges(lines: Sequence[int]) -> str:
    """Return line numbers as text: '3, 5–9'."""
    parts = []
    for _, group in itertools.groupby(enumerate(sorted(lines)), key=lambda pair: pair[1] - pair[0]):
        run = [line for _, line in group]
        parts.append(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}")
    return ", ".join(parts)


def find_problem(
    text: str,
    wrong: NDArray[np.bool_],
    lines: Sequence[int],
    values: NDArray[np.float64] | Sequence[object],
) -> list[Problem]:
    """Return the problem of the rows that are wrong (n,), or nothing when there are none.

    Parameters
    ----------
    text : what is wrong, with {} for the values
    wrong : (n,)
    lines : of all rows (n,)
    values : of all rows (n,)
    """
    places = np.flatnonzero(wrong).tolist()
    if not places:
        return []
    shown = [
        f"{values[i]:.4g}" if isinstance(values[i], float | np.floating) else repr(values[i])
        for i in places
    ]
    return [Problem(text=text, lines=[lines[i] for i in places], values=shown)]


def refuse(problems: Iterable[Problem], origin: str) -> None:
    """Raise an error for the problems of a table, if there are any; one line for each column."""
    found = list(problems)
    if found:
        count = sum(len(problem.lines) for problem in found)
        bad = "1 bad value" if count == 1 else f"{count} bad values"
        raise InputError(
            f"{origin}: {bad}; correct these rows or leave them out\n  "
            + "\n  ".join(str(problem) for problem in found)
        )
