"""Settings of the dots: the table to read, or the set to make.

Nothing here imports a scientific library, so that a command line can be checked at once.
"""

from typing import Literal, Self

import pydantic

from opalux.base.settings import Settings, SettingsPath


class TableSettings(Settings):
    """Where the table of dots is, and the limits that each row must keep."""

    file: SettingsPath | None = None
    """CSV or XLSX file; left out: a set that comes with the package."""
    shipped: Literal["bond", "hexagonal"] = "bond"
    """Which one: the rebuilt dots about the centre of a bond, or about the hexagonal site."""
    example: Literal["wine", "diabetes", "breast_cancer", "iris"] | None = None
    """A public table that scikit-learn brings, for a study with a subject of its own."""
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

    @pydantic.model_validator(mode="after")
    def _one_table(self) -> Self:
        if self.file is not None and self.example is not None:
            raise ValueError("give either file or example: each names the table to study")
        return self


class StructureSettings(Settings):
    """Which dots to make."""

    centre: Literal["atom", "tetrahedral", "bond", "hexagonal"] = "bond"
    """Point of the lattice that becomes the centre of the dot."""
    largest: float = pydantic.Field(3.04, gt=0.5, le=6.0)
    """Largest diameter [nm]."""
    families: int = pydantic.Field(3, ge=1, le=4)
    """Most families of planes that enclose a dot."""
