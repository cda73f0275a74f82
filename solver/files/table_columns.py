"""The columns of the long table: their names, units and content, checked."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.solver.inversion.rows import QUANTITIES

Place = Callable[[int], str]

TEXTS = ("source", "edge", "quantity")
INSIDE = ("x", "y")  # of a detector inside the domain
ON_EDGE = ("edge", "position")
NUMBERS = ("position", *INSIDE, "width", "time", "value", "sigma")
OPTIONAL = ("width", "sigma", *INSIDE)
MAY_BE_EMPTY = ("edge", "position", *INSIDE, "sigma")
LENGTHS = {"cm": 1.0, "mm": 0.1, "um": 1e-4, "µm": 1e-4, "μm": 1e-4}
TIMES = {"sh": 1.0, "ns": 0.1, "ps": 1e-4, "s": 1e8}
UNITS = dict.fromkeys(("position", "width", *INSIDE), LENGTHS) | {"time": TIMES}
FARTHEST = 1e30
"""Numbers beyond it, and a sigma below its inverse, are refused: their squares would overflow."""
SHOWN = 40  # characters of a text in a message
HEADER = "source,edge,quantity,position [cm],time [sh],value,sigma"


def column_names(path: Path, titles: list[str]) -> Mapping[str, tuple[str, float]]:
    """Return the name and the scale to our unit of each column."""
    found: dict[str, tuple[str, float]] = {}
    for title in titles:
        match = re.fullmatch(r"\s*([^\[\]]*?)\s*(?:\[\s*([^\[\]]*?)\s*\])?\s*", title)
        name, unit = (match.group(1), match.group(2)) if match else (title, None)
        if name not in TEXTS + NUMBERS:
            raise InputError(
                f"{path}: found a column '{title}', expected the columns '{HEADER}' and, by "
                "choice, 'width [cm]', 'x [cm]' and 'y [cm]'; rename or remove it"
            )
        if name in (known for known, _ in found.values()):
            raise InputError(f"{path}: found column '{name}' twice; keep one")
        known = UNITS.get(name)
        if known is not None and unit not in known:
            shown = f"the unit [{unit}]" if unit is not None else "no unit"
            raise InputError(
                f"{path}: column {name}: found {shown}, expected one of "
                f"{', '.join(f'[{one}]' for one in known)} behind the name; write it in the header"
            )
        found[title] = name, 1.0 if known is None else known[str(unit)]
    names = {name for name, _ in found.values()}
    if len(names.intersection(INSIDE)) == 1:
        (one,) = names.intersection(INSIDE)
        raise InputError(f"{path}: found column {one} alone, expected x and y; add the other")
    optional = OPTIONAL + (ON_EDGE if names.issuperset(INSIDE) else ())
    missing = [name for name in TEXTS + NUMBERS if name not in optional and name not in names]
    if missing:
        raise InputError(
            f"{path}: found no column {', '.join(missing)}, expected '{HEADER}'; add it"
        )
    return found


def texts(given: Any, name: str, place: Place) -> NDArray[np.str_]:
    """Return a column of texts (n,), all of them known names; ``place`` says where a row stands."""
    found = np.array([str(one).strip() for one in given], dtype=np.str_)
    known = {"edge": EDGES, "quantity": QUANTITIES}.get(name)
    wrong = found == "" if known is None else ~np.isin(found, known)
    if name in MAY_BE_EMPTY:
        wrong &= found != ""
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        expected = "a name" if known is None else ", ".join(known)
        raise InputError(f"{place(row)}: found '{_cut(found[row])}', expected {expected}")
    return found


def numbers(given: Any, name: str, place: Place) -> NDArray[np.float64]:
    """Return a column of numbers (n,), NaN where one is empty that may be.

    Raises
    ------
    InputError
        When one is no number, not finite, out of the range of its column or beyond `FARTHEST`.
    """
    if not isinstance(given, np.ndarray) or given.dtype.kind not in "fiu":
        shown = [str(one).strip() for one in given]
        values = np.empty(len(shown))
        for row, text in enumerate(shown):
            if not text and name in MAY_BE_EMPTY:
                values[row] = np.nan
                continue
            try:
                values[row] = float(text.replace("_", "?"))  # Python would take 1_000 for 1000
            except ValueError:
                raise InputError(f"{place(row)}: found '{_cut(text)}', expected a number") from None
            if not np.isfinite(values[row]):
                raise InputError(f"{place(row)}: found {_cut(text)}, expected a finite number")
    else:
        values = given.astype(np.float64)
    empty = np.isnan(values) if name in MAY_BE_EMPTY else np.zeros(len(values), dtype=bool)
    wrong = ~np.isfinite(values) & ~empty
    expected = "a finite number"
    if not wrong.any() and name in ("sigma", "width"):
        wrong = (values <= 0) & ~empty if name == "sigma" else values < 0
        expected = "a number > 0" if name == "sigma" else "a number >= 0"
    if not wrong.any():
        wrong, expected = np.abs(values) > FARTHEST, f"a number up to {FARTHEST:g}"
    if not wrong.any() and name == "sigma":
        wrong, expected = values < 1 / FARTHEST, f"a number >= {1 / FARTHEST:g}"
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(f"{place(row)}: found {values[row]:g}, expected {expected}")
    return values


def _cut(text: str) -> str:
    """Return a text as it is shown in a message."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def places(
    edge: NDArray[np.str_],
    position: NDArray[np.float64],
    inside: Sequence[NDArray[np.float64]],
    quantity: NDArray[np.str_],
    place: Place,
) -> None:
    """Refuse rows that are neither on an edge nor inside, or both, or the flux out of nowhere.

    ``inside``: x and y; an empty edge means inside.
    """
    on_edge = edge != ""
    given = [~np.isnan(one) for one in inside]
    for wrong, found, expected in (
        (on_edge & np.isnan(position), "an edge without position", "both"),
        (on_edge & (given[0] | given[1]), "an edge and x or y", "an edge and position, or x and y"),
        (~on_edge & ~np.isnan(position), "a position without an edge", "an edge too, or x and y"),
        (~on_edge & ~(given[0] & given[1]), "no edge", "edge and position, or x and y"),
        (~on_edge & (quantity == "Fn"), "Fn inside the domain", "E, F or T: there is no edge"),
    ):
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise InputError(f"{place(row)}: found {found}, expected {expected}")
