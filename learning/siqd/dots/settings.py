"""Settings of the dots: the table to read, or the set to make.

Nothing here imports a scientific library, so that a command line can be checked at once.
"""

from typing import Literal

import pydantic

from opalux.base.settings import Settings, SettingsPath
from opalux.learning.siqd.dots.columns import ALIASES


class TableSettings(Settings):
    """Where the table of dots is, and the limits that each row must keep."""

    file: SettingsPath | None = None
    """CSV or XLSX file; left out: the rebuilt set that comes with the package."""
    sheet: str | None = None
    """Sheet of an XLSX file; left out: the first."""
    columns: dict[str, str] = pydantic.Field(default_factory=dict)
    """Header in the file of each column whose name is not recognised."""
    fraction_tolerance: float = pydantic.Field(0.02, ge=0)
    """Largest difference of the sum of the four facet fractions from 1."""
    hsi_tolerance: float = pydantic.Field(0.02, ge=0)
    """Largest difference of HSi_ratio from hydrogen / silicon, where the table gives all three."""
    coordination_tolerance: float = pydantic.Field(0.1, ge=0)
    """Largest difference of n_coord from 4 - HSi_ratio."""
    wavelengths: tuple[float, float] = (100.0, 3000.0)
    """Range of valid wavelengths [nm]."""

    @pydantic.field_validator("columns")
    @classmethod
    def _known(cls, columns: dict[str, str]) -> dict[str, str]:
        unknown = sorted(set(columns) - set(ALIASES))
        if unknown:
            raise ValueError(f"unknown column {unknown[0]}; choose among {', '.join(ALIASES)}")
        return columns


class StructureSettings(Settings):
    """Which dots to make."""

    centre: Literal["atom", "tetrahedral", "bond", "hexagonal"] = "bond"
    """Point of the lattice that becomes the centre of the dot."""
    largest: float = pydantic.Field(3.04, gt=0.5, le=6.0)
    """Largest diameter [nm]."""
    families: int = pydantic.Field(3, ge=1, le=4)
    """Most families of planes that enclose a dot."""
