"""The rebuilt set: symmetric hydrogen-terminated dots with the gap of tight binding.

It stands in for the CSIRO set of relaxed dots (doi 10.4225/08/5721BB609EDB0), whose wavelengths
come from density-functional tight binding: same shapes and sizes, a related electronic model, no
relaxation, and the photon of the gap in place of the emission.
"""

import csv
import importlib.metadata
import io
from collections.abc import Iterable
from importlib.resources import files
from typing import Literal

import pydantic

from opalux.base.settings import Settings
from opalux.learning.siqd.dots.gap import levels
from opalux.learning.siqd.dots.structures import Dot, enumerate_dots
from opalux.learning.siqd.dots.tight_binding import wavelength

SHIPPED = files("opalux.learning.siqd.dots") / "data" / "tight_binding_dots.csv"
MODEL = "sp3d5s* nearest-neighbour tight binding, Si: Jancu 1998, H: Zheng 2005, unrelaxed"

Row = dict[str, str | int | float]


class Structures(Settings):
    """Which dots to make."""

    centre: Literal["atom", "tetrahedral", "bond", "hexagonal"] = "bond"
    """Point of the lattice about which it is cut."""
    largest: float = pydantic.Field(3.04, gt=0.5, le=6.0)
    """Largest diameter [nm]."""
    families: int = pydantic.Field(3, ge=1, le=4)
    """Families of planes that may enclose a dot."""

    def dots(self) -> list[Dot]:
        """The dots, by rising diameter."""
        return enumerate_dots(self.centre, self.largest, self.families)


def row(dot: Dot) -> Row:
    """Features, levels and wavelength of one dot, and how they were made."""
    edges = levels(dot)
    fractions = dot.facet_fractions
    return {
        "name": dot.formula,
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
    """The libraries whose numerics enter a row."""
    return " ".join(f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "scipy"))


def rows_as_csv(rows: Iterable[Row]) -> str:
    """The rows as CSV text, the columns in the order of the first."""
    rows = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
