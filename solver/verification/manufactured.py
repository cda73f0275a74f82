"""A manufactured solution in two dimensions, whose coefficients all vary.

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

from opalux.solver.formulas.formula import Formula
from opalux.solver.march import simulate
from opalux.solver.problem import Constants, Problem
from opalux.solver.verification.convergence import PERIODIC, centres, relative_l2

CONSTANTS = Constants()
C, A = CONSTANTS.c, CONSTANTS.a

EXTENT = (1.0, 0.8)  # [cm]
P, Q = "2*pi", "2.5*pi"  # one wave along x and along y [1/cm]
RHO = f"(1.5+0.5*sin({P}*x+{Q}*y))"
RHO_X, RHO_Y = f"0.5*{P}*cos({P}*x+{Q}*y)", f"0.5*{Q}*cos({P}*x+{Q}*y)"
SHAPE = f"cos({P}*x+0.4)*sin({Q}*y+0.5)"  # f
SHAPE_X = f"(-{P})*sin({P}*x+0.4)*sin({Q}*y+0.5)"
SHAPE_Y = f"{Q}*cos({P}*x+0.4)*cos({Q}*y+0.5)"
LAPLACE = f"(({P})^2+({Q})^2)"  # −Δf/f

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
    """The problem and its exact solution, which is periodic along x and y."""

    eddington: float = 1.0
    periodic: bool = False
    """Whether the edges are periodic instead of prescribed."""
    time: float = 0.3 / C

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
        """Return the problem on ``n`` x ``n`` cells.

        Prescribed values stand at the centres of the ghost cells at first order, and on the edge
        itself at second order.
        """
        (width, height), fields = EXTENT, self.fields
        out = 0.0 if changes.get("order") == 2 else 0.5 / n
        across = {
            "left": ("x", -out * width), "right": ("x", (1 + out) * width),
            "down": ("y", -out * height), "up": ("y", (1 + out) * height),
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
                "edges": PERIODIC
                if self.periodic
                else {
                    edge: {"kind": "prescribed"}
                    | {name: _fix(text, *place) for name, text in fields.items()}
                    for edge, place in across.items()
                },
            }
            | changes
        )

    def exact(self, n: int, t: float) -> np.ndarray:
        """Return the exact E, Fx, Fy, T at the cell centres, (4, n, n)."""
        x, y = centres(n, EXTENT[0])[None, :], centres(n, EXTENT[1])[:, None]
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
