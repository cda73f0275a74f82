"""The columns of a table of dots, and how they are found by their titles."""

import re
from collections.abc import Mapping

from opalux.base.errors import InputError
from opalux.learning.siqd.tables.units import ENERGIES, LENGTHS, split_title

FRACTIONS = ("f111", "f110", "f100", "f113")
FEATURES = ("diameter", "hsi_ratio", *FRACTIONS)
"""The features that describe a dot, in the order of every feature array."""
OPTIONAL = ("n_coord", "silicon", "hydrogen")
"""Columns that the published study dropped: mean coordination, amounts of silicon and hydrogen."""

UNITS: dict[str, tuple[str, ...]] = {
    "diameter": tuple(LENGTHS),
    "wavelength": (*LENGTHS, *ENERGIES),
    **dict.fromkeys(FRACTIONS, ("%",)),
    **dict.fromkeys(("silicon", "hydrogen"), ("%",)),
}
"""Units that are converted, by column; a column without an entry has none."""

ALIASES = {
    "diameter": "d davg averagediameter avgdiameter meandiameter averaged size",
    "hsi_ratio": "hsi htosi htosiratio hydrogentosiliconratio ratiohsi",
    "wavelength": "lambda emissionwavelength emission wavelengthofemission peakwavelength "
    "emissionenergy photonenergy",
    "n_coord": "coordination coordinationnumber averagecoordination ncoordination avgcoordination",
    "silicon": "si nsi numbersi siconcentration siliconconcentration concentrationsi sic",
    "hydrogen": "h nh numberh hconcentration hydrogenconcentration concentrationh hc",
    "formula": "composition chemicalformula",
    "name": "label id filename file structure",
    **{
        family: f"{family[1:]} fraction{family[1:]} facet{family[1:]} area{family[1:]} "
        f"facetfraction{family[1:]} surface{family[1:]}"
        for family in FRACTIONS
    },
}
"""All columns, each with its other names as `plain` writes them."""


def recognised(header: list[str], mapping: Mapping[str, str]) -> int:
    """Return how many of the columns a header has."""
    titles = {plain(title) for title in header}
    return sum(
        mapping[name] in header if name in mapping else bool(titles & {plain(name), *also.split()})
        for name, also in ALIASES.items()
    )


def find_columns(header: list[str], mapping: Mapping[str, str], origin: str) -> dict[str, int]:
    """Return the position in the header of each column that is there.

    Parameters
    ----------
    header : titles of the file
    mapping : title of each column whose title is not one of the known names
    origin : name of the file, for error messages

    Raises
    ------
    InputError
        When a mapped title or a column that the study needs is missing, or a unit is not known.
    """
    plain_titles = [plain(title) for title in header]
    places: dict[str, int] = {}
    for name, aliases in ALIASES.items():
        if name in mapping:
            places[name] = _mapped(header, mapping[name], name, origin)
            continue
        known = (plain(name), *aliases.split())
        found = [place for place, title in enumerate(plain_titles) if title in known]
        if len(found) > 1 and name not in ("name", "formula"):
            titles = ", ".join(f"'{header[place]}' (column {place + 1})" for place in found)
            raise InputError(
                f"{origin}: {titles} all look like {name}; say which one is meant, such as "
                f"data.columns: {{{name}: '{header[found[0]]}'}}, or give each a title of its own"
            )
        if found:
            # of several names of a dot, the most common form of title
            places[name] = min(found, key=lambda place: known.index(plain_titles[place]))
    for name, place in places.items():
        _check_unit(name, header[place], origin)
    needed = {"diameter", "wavelength", *FRACTIONS}
    missing = [name for name in ALIASES if name in needed and name not in places]
    has_ratio = "hsi_ratio" in places or "n_coord" in places or {"silicon", "hydrogen"} <= {*places}
    if not (has_ratio or {"formula", "name"} & {*places}):
        missing.append("hsi_ratio (or silicon and hydrogen, n_coord, or a formula)")
    if missing:
        raise InputError(
            f"{origin}: no column for {', '.join(missing)}; found {', '.join(header)}; "
            "name it in the configuration, such as data.columns: {diameter: 'D avg'}"
        )
    return places


def _mapped(header: list[str], title: str, name: str, origin: str) -> int:
    found = [place for place, own in enumerate(header) if own == title]
    if not found:
        raise InputError(
            f"{origin}: no column {title!r}, which the configuration gives for {name}; found "
            f"{', '.join(header)}"
        )
    if len(found) > 1:
        raise InputError(
            f"{origin}: columns {', '.join(str(place + 1) for place in found)} are all called "
            f"{title!r}, which the configuration gives for {name}; give each a title of its own"
        )
    return found[0]


def _check_unit(name: str, title: str, origin: str) -> None:
    unit, known = split_title(title)[1], UNITS.get(name, ())
    if unit is not None and unit not in known and name not in ("name", "formula"):
        expected = f"one of {', '.join(known)}" if known else "a number without unit"
        raise InputError(
            f"{origin}: found the unit {unit!r} of {name} in the title '{title}', expected "
            f"{expected}; convert the column and change its title"
        )


def plain(title: str) -> str:
    """Return a title without case, punctuation and unit: 'Diameter (nm)' becomes 'diameter'."""
    base = split_title(title)[0].lower().replace("λ", "lambda").replace("⌀", "d")
    return re.sub(r"[^a-z0-9]", "", base)
