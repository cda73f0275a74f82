"""The columns of a table of dots, and how they are found by their titles."""

import re
from collections.abc import Mapping

from opalux.base.errors import InputError

FRACTIONS = ("f111", "f110", "f100", "f113")
FEATURES = ("diameter", "hsi_ratio", *FRACTIONS)
"""The features that describe a dot, in the order of every feature array."""
OPTIONAL = ("n_coord", "silicon", "hydrogen")
"""Columns that the published study dropped: mean coordination, amounts of silicon and hydrogen."""

LENGTHS = ("diameter", "wavelength")
"""Columns in nm."""

ALIASES = {
    "diameter": "d davg averagediameter avgdiameter meandiameter averaged size",
    "hsi_ratio": "hsi htosi htosiratio hydrogentosiliconratio ratiohsi",
    "wavelength": "lambda emissionwavelength emission wavelengthofemission peakwavelength",
    "n_coord": "coordination coordinationnumber averagecoordination ncoordination avgcoordination",
    "silicon": "si nsi numbersi siconcentration siliconconcentration concentrationsi sic",
    "hydrogen": "h nh numberh hconcentration hydrogenconcentration concentrationh hc",
    "name": "formula label id filename file structure",
    **{
        family: f"{family[1:]} fraction{family[1:]} facet{family[1:]} area{family[1:]} "
        f"facetfraction{family[1:]} surface{family[1:]}"
        for family in FRACTIONS
    },
}
"""All columns, each with its other names as `_plain` writes them."""


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
        When a mapped title or a column that the study needs is missing.
    """
    plain = [_plain(title) for title in header]
    places: dict[str, int] = {}
    for name, aliases in ALIASES.items():
        if name in mapping:
            if mapping[name] not in header:
                raise InputError(
                    f"{origin}: no column {mapping[name]!r}, which the configuration gives for "
                    f"{name}; found {', '.join(header)}"
                )
            places[name] = header.index(mapping[name])
            continue
        known = (_plain(name), *aliases.split())
        found = [place for place, title in enumerate(plain) if title in known]
        if len(found) > 1 and name != "name":
            titles = ", ".join(f"'{header[place]}' (column {place + 1})" for place in found)
            raise InputError(
                f"{origin}: {titles} all look like {name}; say which one is meant, such as "
                f"data.columns: {{{name}: '{header[found[0]]}'}}, or give each a title of its own"
            )
        if found:
            # of several names of a dot, the most common form of title
            places[name] = min(found, key=lambda place: known.index(plain[place]))
    for name in LENGTHS:
        title = header[places[name]] if name in places else ""
        if re.search("å|\u212b|angstr", title.lower()):
            raise InputError(
                f"{origin}: found '{title}' for {name}, expected nm; divide the column by 10 and "
                "change its title"
            )
    needed = {"diameter", "wavelength", *FRACTIONS}
    missing = [name for name in ALIASES if name in needed and name not in places]
    if "hsi_ratio" not in places and not ({"silicon", "hydrogen"} <= set(places)):
        missing.append("hsi_ratio (or silicon and hydrogen)")
    if missing:
        raise InputError(
            f"{origin}: no column for {', '.join(missing)}; found {', '.join(header)}; "
            "name it in the configuration, such as data.columns: {diameter: 'D avg'}"
        )
    return places


def _plain(title: str) -> str:
    """Return a title without case, punctuation and unit: 'Diameter (nm)' becomes 'diameter'."""
    letters = re.sub(r"[^a-z0-9]", "", title.lower().replace("λ", "lambda"))
    return letters.removesuffix("nm")
