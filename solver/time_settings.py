"""How a problem is followed in time: equal explicit steps, implicit steps, or its steady state."""

from typing import Any, Literal, Self

import numpy as np
import pydantic

from opalux.base.settings import Settings

MOST_RECORDS = 10**6  # times at which signals are kept; they fill memory and files

IMPLICIT_KEYS = frozenset(
    {"method", "step", "adaptive", "tolerance", "accuracy", "records", "solver", "petsc"}
)
"""Keys of `Time` that explicit steps do not use."""

OPTIONS = ("ksp_", "pc_", "sub_", "mg_", "mat_")
"""Beginnings of the options of PETSc that have a meaning here."""

TOLERANCES = {"implicit": 1e-3, "steady": 1e-8}
"""What ``tolerance`` is where it is left out."""


class Time(Settings):
    """How long and in what steps."""

    final: float = pydantic.Field(0.01, gt=0)
    """Final time t_f [sh]."""
    cfl: float = pydantic.Field(0.5, gt=0)
    """Δt = cfl · min(Δx, Δy) / c. The limit of explicit steps is cfl·√k·min(Δx, Δy)·(1/Δx + 1/Δy)
    <= 1; implicit ones have none."""
    start: float = pydantic.Field(0.0, ge=0)
    """The t_0 that initial formulas may use [sh]; the run itself counts from 0."""
    method: Literal["explicit", "implicit", "steady"] = "explicit"
    """`explicit`: equal steps of the scheme. `implicit`: steps as long as accuracy allows.
    `steady`: what edges and sources, held as they are at `final`, lead to. The last two are for
    ``scheme: staggered``."""
    step: float | None = pydantic.Field(None, gt=0)
    """Of `implicit`, in the place of cfl: the first step, or all if not ``adaptive`` [sh]."""
    adaptive: bool = True
    """Of `implicit`: choose the steps by their error; else take equal ones."""
    tolerance: float | None = pydantic.Field(None, ge=1e-12, le=0.5)
    """Error of a step as a share of Σ|E| and of ΣT (1e-3); of `steady`, what may be left (1e-8)."""
    accuracy: Literal[1, 2] = 2
    """Order of `implicit` in time: 1, implicit Euler; 2, an L-stable Runge-Kutta method."""
    records: int | tuple[float, ...] = 200
    """Of `implicit`: how many evenly spaced times, from 0 on, have signals; or these times [sh]."""
    solver: Literal["auto", "petsc", "scipy"] = "auto"
    """What solves linear systems; `auto`: PETSc on several processes, scipy on one."""
    petsc: str = ""
    """PETSc's options for them, such as ``-ksp_type cg -pc_type gamg``."""

    @pydantic.field_validator("records", mode="after")
    @classmethod
    def _increasing(cls, records: int | tuple[float, ...]) -> int | tuple[float, ...]:
        times = isinstance(records, tuple)
        count = len(records) if isinstance(records, tuple) else records
        if not 1 <= count <= MOST_RECORDS:
            raise ValueError(f"found {count} records, expected 1 to {MOST_RECORDS}")
        if (times and (np.diff(records) <= 0).any()) or (times and records[0] < 0):  # type: ignore[index]
            raise ValueError("found times that do not increase from 0 or later; sort them")
        return records

    @pydantic.field_validator("petsc", mode="after")
    @classmethod
    def _options(cls, petsc: str) -> str:
        """Refuse what PETSc would pass over in silence: options of nothing that solves."""
        for word in petsc.split():
            number = word[1:2].isdigit() or word[1:2] == "."
            known = word.lstrip("-").startswith(OPTIONS)
            if word.startswith("-") and not number and not known:
                raise ValueError(f"found {word}, expected options that begin with -ksp_ or -pc_")
            if word == "-ksp_atol":
                raise ValueError("found -ksp_atol; residuals have no scale: give -ksp_rtol")
        if petsc and not petsc.lstrip().startswith("-"):
            raise ValueError(f"found '{petsc}', expected options such as '-ksp_type cg'")
        return petsc

    @pydantic.model_validator(mode="after")
    def _fits_the_method(self) -> Self:
        if self.method != "implicit":
            for name in ("step", "adaptive", "accuracy", "records"):
                self._refuse(name, "'method: implicit'")
        if self.method == "explicit":
            for name in ("tolerance", "solver", "petsc"):
                self._refuse(name, "'method: implicit' or 'steady'")
        if isinstance(self.records, tuple) and self.records[-1] > self.final * (1 + 1e-12):
            raise ValueError(
                f"records: found {self.records[-1]:.6g} sh, expected times up to final = "
                f"{self.final:.6g} sh; raise final, or leave them out"
            )
        if self.petsc and self.solver == "scipy":
            raise ValueError("petsc: found options with 'solver: scipy'; leave one of them out")
        return self

    def _refuse(self, name: str, use: str) -> None:
        """Refuse a key that this method would not look at."""
        found: Any = getattr(self, name)
        if found != type(self).model_fields[name].default:
            raise ValueError(
                f"{name}: found {found} with 'method: {self.method}', which does not use it; "
                f"give {use}, or leave {name} out"
            )

    @property
    def allowed_error(self) -> float:
        """The tolerance, filled in."""
        return TOLERANCES[self.method] if self.tolerance is None else self.tolerance

    @property
    def recorded(self) -> np.ndarray:
        """The times (n,) [sh] at which `implicit` and `steady` record signals."""
        if self.method == "steady":
            return np.array([self.final])
        if isinstance(self.records, tuple):
            return np.minimum(self.records, self.final)
        return np.arange(self.records) * (self.final / self.records)
