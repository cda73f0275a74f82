"""How a network's map is refined by physics."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic

from opalux.base.config import check
from opalux.jobs.inversion.settings import ReconstructSettings
from opalux.jobs.measured.settings import InvertSettings, Noise


class RefineSettings(ReconstructSettings):
    """The keys of ``opalux reconstruct``, and those of its ``--refine``."""

    noise: Noise | None = None  # type: ignore[assignment]  # in more forms than the network is told
    """Of the signals: a share of each channel's standard deviation, or {absolute: ...}; rows of a
    table with a sigma of their own keep it."""
    bounds: tuple[float, float] = (0.05, 12.0)
    """With --refine: smallest and largest density [g/cm³]."""
    start: pydantic.PositiveFloat = 1.5
    """With --refine: the flat start [g/cm³], besides the network's map."""
    refinement: Literal["auto"] | Annotated[int, pydantic.Field(ge=1, le=16)] = "auto"
    """With --refine: simulate on a grid so many times finer than the map; auto: until the measured
    grid error of the signals is below the noise."""
    tv: pydantic.PositiveFloat = 15.0
    """With --refine: weight of the total variation: few, sharp edges are held likely."""
    steps: int = pydantic.Field(500, ge=3, le=100_000)
    """With --refine: gradients at most, from each of the two starts."""
    modes: int = pydantic.Field(320, ge=0, le=1000)
    """With --refine: directions at most along which the data's own information is measured for the
    spread (0: none)."""
    accept_chi2: pydantic.PositiveFloat = 2.0
    """With --refine: a larger χ² ends with exit code 3; the result is written, the data are not
    explained."""

    def for_inversion(self, problem: dict[str, Any], sources: dict[str, Any]) -> InvertSettings:
        """Return the same for ``opalux invert``, with the physics of the network's training."""
        own = ("noise", "bounds", "start", "refinement", "steps", "modes", "accept_chi2", "dt")
        given = {name: getattr(self, name) for name in own} | {
            "problem": problem,
            "sources": sources,
            "prior": {"kind": "tv", "weight": self.tv},
        }
        return check(InvertSettings, given, source="refine", folder=Path.cwd())
