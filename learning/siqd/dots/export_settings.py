"""Settings of ``opalux dots``.

Nothing here imports a scientific library, so that a command line can be checked at once.
"""

from typing import Literal, Self

import pydantic

from opalux.base.settings import Settings, SettingsPath
from opalux.learning.siqd.dots.settings import StructureSettings


class ExportSettings(Settings):
    """Structures to make or to read, and what to write of them."""

    structures: StructureSettings | None = None
    """Dots to cut from the lattice."""
    files: tuple[SettingsPath, ...] = ()
    """Structures of your own instead: XYZ files, plain or extended, of silicon and hydrogen."""
    format: Literal["extxyz", "cif"] = "extxyz"
    """Format of the files."""
    gaps: bool = True
    """Compute the gaps."""

    @pydantic.model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.structures is None) == (not self.files):
            raise ValueError("give either structures, to make them, or files, to read them")
        return self
