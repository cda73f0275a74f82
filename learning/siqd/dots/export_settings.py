"""Settings of ``opalux dots``.

Nothing here imports a scientific library, so that a command line can be checked at once.
"""

from typing import Literal, Self

import pydantic

from opalux.base.settings import Settings, SettingsPath
from opalux.learning.siqd.dots.settings import StructureSettings


class RelaxSettings(Settings):
    """How structures are relaxed before their gaps are computed; needs the extra ``relax``."""

    method: Literal["gfn1", "gfn2"] = "gfn1"
    """Method of tblite that gives the forces: GFN1-xTB or GFN2-xTB."""
    force: float = pydantic.Field(0.05, gt=0)
    """Largest force on an atom at which a structure is at rest [eV/Å]."""
    steps: int = pydantic.Field(300, ge=1)
    """Steps to take at most."""


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
    relax: RelaxSettings | None = None
    """Relax the structures first, and tell how far that moves the wavelength."""

    @pydantic.model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.structures is None) == (not self.files):
            raise ValueError("give either structures, to make them, or files, to read them")
        if self.relax and not self.gaps:
            raise ValueError("relax tells how far gaps move, but gaps is false; make it true")
        return self
