"""The rebuilt set: symmetric hydrogen-terminated dots with the gap of tight binding.

It replaces the CSIRO set of relaxed dots (doi 10.4225/08/5721BB609EDB0), whose wavelengths come
from density-functional tight binding. Shapes and sizes are the same and the electronic model is
related, but the dots are not relaxed, and the wavelength is that of the gap, not of the emission.
"""

import csv
import importlib.metadata
import io
from collections import Counter
from collections.abc import Iterable, Sequence

from opalux.learning.siqd.dots.gap import levels
from opalux.learning.siqd.dots.settings import StructureSettings
from opalux.learning.siqd.dots.structures import Dot, enumerate_dots
from opalux.learning.siqd.dots.tight_binding import wavelength

MODEL = "sp3d5s* nearest-neighbour tight binding, Si: Jancu 1998, H: Zheng 2005, unrelaxed"

Row = dict[str, str | int | float]
"""One dot of the set, by column."""


def dots_of(settings: StructureSettings) -> list[Dot]:
    """Return the dots to make, by increasing diameter."""
    return enumerate_dots(settings.centre, settings.largest, settings.families)


def names_of(dots: Sequence[Dot]) -> list[str]:
    """Return a name for each dot that no other one bears: the formula, numbered where it repeats.

    Isomers are numbered in the order of the list, from 1: Si708H318-1, Si708H318-2.
    """
    counts = Counter(dot.formula for dot in dots)
    seen: Counter[str] = Counter()
    names = []
    for formula in (dot.formula for dot in dots):
        seen[formula] += 1
        names.append(formula if counts[formula] == 1 else f"{formula}-{seen[formula]}")
    return names


def row(dot: Dot, name: str) -> Row:
    """Return features, levels and wavelength of one dot, with the model and the libraries."""
    edges = levels(dot)
    fractions = dot.facet_fractions
    return {
        "name": name,
        "diameter_nm": round(dot.diameter, 6),
        "hsi_ratio": round(dot.n_h / dot.n_si, 8),
        **{f"f{family}": round(share, 8) for family, share in fractions.items()},
        "wavelength_nm": round(float(wavelength(edges.gap)), 4),
        "n_si": dot.n_si,
        "n_h": dot.n_h,
        "n_coord": round(float(4.0 - dot.dangling.sum(axis=1).mean()), 8),
        "gap_eV": round(edges.gap, 7),
        "homo_eV": round(edges.homo, 7),
        "lumo_eV": round(edges.lumo, 7),
        "centre": dot.centre,
        "planes": " ".join(f"{family}:{offset}" for family, offset in dot.offsets.items()),
        "model": MODEL,
        "versions": versions(),
    }


def versions() -> str:
    """Return the versions of the libraries that compute a row."""
    return " ".join(f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "scipy"))


def rows_as_csv(rows: Iterable[Row]) -> str:
    """Return the rows as CSV text, with the columns in the order of the first row."""
    rows = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
