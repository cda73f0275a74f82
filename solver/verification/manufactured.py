"""A manufactured solution in two dimensions: all coefficients vary, edges are prescribed.

Only the energy equation has a source term to choose, so the fields are built to satisfy the other
two equations exactly. With u = T⁴ = A + B e^{−λt} f(x, y) and

    C_v = C T,   σ_a = s ρ/T²         ⇒  ρ C_v ∂t T/(c σ_a) = C/(4 c s) ∂t u,
    E = a u + C/(4 c s) ∂t u             the temperature equation,

    F = −p ∇f,   p = P e^{−λt}/(ρ T),
    σ_c = κ ρ T + (3/4 + A/(4 T⁴)) λ/c   ⇒  ∂t F + k c ∇E = −c σ_c F

for P = k B (a − λ C/(4 c s))/κ: the opacities are those of the published case and of a medium that
gets transparent as it heats, up to a small term. What is left is the volume source

    S = ∂t E + div F + ρ C_v ∂t T        (c div F in the solver's scaling of F)
"""

import dataclasses
import re
from typing import Any

import numpy as np

from solver.formulas import Formula
from solver.march import simulate
from solver.problem import Constants, Problem
from solver.verification.convergence import centres, relative_l2

CONSTANTS = Constants()
C, A = CONSTANTS.c, CONSTANTS.a

RHO = "(1.5+0.5*sin(2*x+3*y))"
RHO_X, RHO_Y = "cos(2*x+3*y)", "1.5*cos(2*x+3*y)"
SHAPE = "cos(3*x+0.4)*sin(2*y+0.5)"  # f
SHAPE_X, SHAPE_Y = "(-3)*sin(3*x+0.4)*sin(2*y+0.5)", "2*cos(3*x+0.4)*cos(2*y+0.5)"
LAPLACE = 13.0  # −Δf/f

MEAN, HEIGHT = 6.0, 3.0  # A, B [keV⁴]
RATE = 2 * C  # λ [1/sh]
HEAT = 0.14361  # C
ABSORPTION, SCATTERING = 10.0, 2.0  # s, κ

LAG = HEAT / (4 * C * ABSORPTION) * RATE  # how far E is from equilibrium, in units of u − A
FALL = f"{HEIGHT}*exp(-{RATE!r}*t)"  # B e^{−λt}
U = f"({MEAN}+{FALL}*{SHAPE})"
ENERGY = f"{A!r}*{U} - {LAG!r}*{FALL}*{SHAPE}"
TEMPERATURE = f"{U}^0.25"


@dataclasses.dataclass(frozen=True)
class Manufactured:
    """The problem and its exact solution on [0, 1] x [0, 0.8] cm."""

    eddington: float = 1.0
    time: float = 0.3 / C
    extent: tuple[float, float] = (1.0, 0.8)

    @property
    def fields(self) -> dict[str, str]:
        """E, Fx, Fy [g/cm/sh²] and T [keV] as formulas of x, y and t."""
        pull = f"({self._flux!r}*exp(-{RATE!r}*t)/({RHO}*{TEMPERATURE}))"  # p
        return {
            "E": ENERGY,
            "Fx": f"-{pull}*{SHAPE_X}",
            "Fy": f"-{pull}*{SHAPE_Y}",
            "T": TEMPERATURE,
        }

    @property
    def _flux(self) -> float:
        """The number P."""
        return self.eddington * HEIGHT * (A - LAG) / SCATTERING

    @property
    def source(self) -> str:
        """S as a formula of x, y and t."""
        pull = f"({self._flux!r}*exp(-{RATE!r}*t)/({RHO}*{TEMPERATURE}))"
        steep = f"(({SHAPE_X})^2+({SHAPE_Y})^2)"
        bent = f"({SHAPE_X})*({RHO_X})+({SHAPE_Y})*({RHO_Y})"
        divergence = f"{pull}*({LAPLACE}*{SHAPE} + ({bent})/{RHO} + {FALL}*{steep}/(4*{U}))"
        radiation = f"{-RATE * (A - LAG)!r}*{FALL}*{SHAPE}"
        matter = f"{-RATE * HEAT / 4!r}*{RHO}*{FALL}*{SHAPE}/{U}^0.5"
        return f"{radiation} + {C!r}*{divergence} + {matter}"

    def problem(self, n: int, **changes: Any) -> Problem:
        """Return the problem on ``n`` x ``n`` cells; the edges are given at the ghost cells."""
        (width, height), fields = self.extent, self.fields
        across = {
            "left": ("x", -0.5 * width / n), "right": ("x", (n + 0.5) * width / n),
            "down": ("y", -0.5 * height / n), "up": ("y", (n + 0.5) * height / n),
        }  # fmt: skip
        small = f"{RATE / C!r}*(0.75+{MEAN / 4!r}/T^4)"
        return Problem.model_validate(
            {
                "grid": {"nx": n, "ny": n, "x": (0.0, width), "y": (0.0, height)},
                "time": {"final": self.time, "cfl": 0.4},
                "constants": {"eddington": self.eddington},
                "material": {
                    "density": RHO,
                    "sigma_a": f"{ABSORPTION!r}*rho/T^2",
                    "sigma_c": f"{SCATTERING!r}*rho*T + {small}",
                    "heat_capacity": f"{HEAT!r}*T",
                },
                "source": self.source,
                "initial": {name: _fix(text, "t", 0.0) for name, text in fields.items()},
                "edges": {
                    edge: {"kind": "prescribed"}
                    | {name: _fix(text, *place) for name, text in fields.items()}
                    for edge, place in across.items()
                },
            }
            | changes
        )

    def exact(self, n: int, t: float) -> np.ndarray:
        """Return the exact E, Fx, Fy, T at the cell centres, (4, n, n)."""
        x, y = centres(n, self.extent[0])[None, :], centres(n, self.extent[1])[:, None]
        return np.array(
            [Formula(text, ("x", "y", "t"))(x=x, y=y, t=t) for text in self.fields.values()]
        )

    def errors(self, n: int, **changes: Any) -> dict[str, float]:
        """Return the relative L2 errors of E, F and T on ``n`` x ``n`` cells."""
        found = simulate(self.problem(n, **changes)).fields
        exact = self.exact(n, self.time)
        parts = {"E": np.s_[:1], "F": np.s_[1:3], "T": np.s_[3:]}
        return {name: relative_l2(found[part], exact[part]) for name, part in parts.items()}


def _fix(text: str, variable: str, value: float) -> str:
    """Put a number in the place of a variable of a formula."""
    return re.sub(rf"\b{variable}\b", f"({value!r})", text)
