"""Units in the titles of columns, and their conversion."""

import re

import numpy as np
from numpy.typing import NDArray

PLANCK_C = 1239.841984  # h c [eV nm]

LENGTHS = {"nm": 1.0, "Å": 0.1, "pm": 1e-3, "µm": 1e3}
"""Length of each unit [nm]."""
ENERGIES = {"eV": 1.0, "meV": 1e-3}
"""Energy of each unit [eV]."""
_SPELLINGS = {
    "nm": "nm",
    "nanometer": "nm",
    "nanometre": "nm",
    "nanometers": "nm",
    "nanometres": "nm",
    "å": "Å",
    "a": "Å",
    "ang": "Å",
    "angstrom": "Å",
    "angstroms": "Å",
    "ångström": "Å",
    "ångstrom": "Å",
    "pm": "pm",
    "µm": "µm",
    "μm": "µm",
    "um": "µm",
    "micron": "µm",
    "ev": "eV",
    "mev": "meV",
    "%": "%",
    "percent": "%",
    "pct": "%",
    "at%": "%",
    "at.%": "%",
    "area%": "%",
}
_BRACKETED = re.compile(r"^(.*?)\s*(?:\[([^\]]*)\]|\(([^()]*)\))\s*$")
_WORD = re.compile(r"^(.+?)[\s_/,]+(?:in\s+)?([^\s_/,]+)$")


def is_unit(text: str) -> bool:
    """Tell whether a text is a unit, perhaps in brackets."""
    return _spelt(text.strip().strip("[]()")) is not None or text.strip() == "-"


def split_title(title: str) -> tuple[str, str | None]:
    """Return a title without its unit, and the unit: 'D avg (nm)', 'diameter_nm' or 'D in Å'.

    A text in brackets that is no known unit is returned as it is, such that it can be refused.
    None: there is no unit.
    """
    title = title.strip()
    if match := _BRACKETED.match(title):
        unit = (match[2] or match[3] or "").strip()
        if unit in ("", "-", "1"):
            return match[1], None
        if _spelt(unit) or not re.fullmatch(r"[\d\s.,hkl-]+", unit):
            return match[1], _spelt(unit) or unit
        return title, None  # a Miller index, such as f(111)
    if title.endswith("%"):
        return title.removesuffix("%"), "%"
    match = _WORD.match(title)
    # A single a may be part of a name; only in brackets it is a unit.
    if match and match[2].lower() != "a" and (unit := _spelt(match[2])):
        return match[1], unit
    return title, None


def _spelt(unit: str) -> str | None:
    return _SPELLINGS.get(unit.lower().replace("\u212b", "å").replace(" ", ""))


def length_in_nm(values: NDArray[np.float64], unit: str | None) -> NDArray[np.float64] | None:
    """Return lengths [nm]; None for a unit that is no length."""
    scale = LENGTHS.get(unit or "nm")
    return None if scale is None else values * scale


def wavelength_in_nm(values: NDArray[np.float64], unit: str | None) -> NDArray[np.float64] | None:
    """Return wavelengths [nm] of lengths or photon energies; None for any other unit."""
    if unit not in ENERGIES:
        return length_in_nm(values, unit)
    with np.errstate(divide="ignore"):
        return PLANCK_C / (values * ENERGIES[unit])
