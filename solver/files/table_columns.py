"""The columns of the long table: their names, units and content, checked."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.solver.inversion.rows import QUANTITIES

Place = Callable[[int], str]

TEXTS = ("source", "edge", "quantity")
NUMBERS = ("position", "width", "time", "value", "sigma")
OPTIONAL = ("width", "sigma")
INSIDE = ("x", "y")  # a detector inside the domain, which is not known yet
LENGTHS = {"cm": 1.0, "mm": 0.1, "um": 1e-4, "µm": 1e-4, "μm": 1e-4}
TIMES = {"sh": 1.0, "ns": 0.1, "ps": 1e-4, "s": 1e8}
UNITS = dict.fromkeys(("position", "width", *INSIDE), LENGTHS) | {"time": TIMES}
HEADER = "source,edge,quantity,position [cm],time [sh],value,sigma"


def column_names(path: Path, titles: list[str]) -> Mapping[str, tuple[str, float]]:
    """Return the name and the scale to our unit of each column."""
    found: dict[str, tuple[str, float]] = {}
    for title in titles:
        match = re.fullmatch(r"\s*([^\[\]]*?)\s*(?:\[\s*([^\[\]]*?)\s*\])?\s*", title)
        name, unit = (match.group(1), match.group(2)) if match else (title, None)
        if name in INSIDE:
            raise InputError(
                f"{path}: column {name}: found detectors inside the domain, expected detectors on "
                "its edges; give edge and position"
            )
        if name not in TEXTS + NUMBERS:
            raise InputError(
                f"{path}: found a column '{title}', expected the columns '{HEADER}' and, by "
                "choice, 'width [cm]'; rename or remove it"
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
    missing = [
        name
        for name in TEXTS + NUMBERS
        if name not in OPTIONAL and name not in (known for known, _ in found.values())
    ]
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
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        expected = "a name" if known is None else ", ".join(known)
        raise InputError(f"{place(row)}: found '{found[row]}', expected {expected}")
    return found


def numbers(given: Any, name: str, place: Place) -> NDArray[np.float64]:
    """Return a column of numbers (n,), all of them finite; NaN where a sigma is empty."""
    if not isinstance(given, np.ndarray) or given.dtype.kind not in "fiu":
        shown = [str(one).strip() for one in given]
        values = np.empty(len(shown))
        for row, text in enumerate(shown):
            if not text and name == "sigma":
                values[row] = np.nan
                continue
            try:
                values[row] = float(text)
            except ValueError:
                raise InputError(f"{place(row)}: found '{text}', expected a number") from None
            if not np.isfinite(values[row]):
                raise InputError(f"{place(row)}: found {text}, expected a finite number")
    else:
        values = given.astype(np.float64)
    empty = np.isnan(values) if name == "sigma" else np.zeros(len(values), dtype=bool)
    wrong = ~np.isfinite(values) & ~empty
    expected = "a finite number"
    if not wrong.any() and name in ("sigma", "width"):
        wrong = (values <= 0) & ~empty if name == "sigma" else values < 0
        expected = "a number > 0" if name == "sigma" else "a number >= 0"
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(f"{place(row)}: found {values[row]:g}, expected {expected}")
    return values
