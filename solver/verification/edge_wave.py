"""A damped wave cut off at arbitrary places by edges that are told of it.

In a medium that scatters but does not absorb, P1 has the solutions

    E = mean + Re Σ_± s_± e^{±iqx + λt},    F = Re Σ_± ± (iλ/cq) s_± e^{±iqx + λt},
    λ² + c σ λ + k c² q² = 0

Each kind of edge is given what makes this the solution inside. What it makes of that shows beside
the edge: there signals are read.
"""

import cmath
import dataclasses
import math
from typing import Any, Literal

import numpy as np

from opalux.solver.domains.domain import SerialDomain
from opalux.solver.march import March
from opalux.solver.problem import Constants, Problem
from opalux.solver.verification.convergence import PERIODIC, row
from opalux.solver.verification.variants import FIRST, SECOND, STAGGERED, Variant

CONSTANTS = Constants()
C, A = CONSTANTS.c, CONSTANTS.a
MEAN = 4.0  # above what the flux of the wave takes away at a vacuum edge
Q = 2 * math.pi  # [1/cm]

# The lowest orders of E and F beside an edge that are claimed, from 16 cells on.
LOWEST = {FIRST: 0.45, SECOND: 1.7, STAGGERED: 1.7}
LOWER = {
    (SECOND, "E"): 0.65,  # edges that mirror
    (SECOND, "F"): 0.9,
}

EdgeKind = Literal["source", "both", "E", "F", "mark", "marshak", "wall", "free", "periodic"]
KINDS: dict[EdgeKind, str] = {
    "source": "`source` with its F",
    "both": "`prescribed`, E and F",
    "E": "`prescribed`, E alone",
    "F": "`prescribed`, F alone",
    "mark": "`vacuum`, `mark`",
    "marshak": "`vacuum`, `marshak`",
    "wall": "`wall`",
    "free": "`free`, outgoing",
    "periodic": "`periodic`",
}


@dataclasses.dataclass(frozen=True)
class EdgeWave:
    """The wave on a row of cells between two edges of one kind.

    A `free` edge knows no wave that comes in: it stands on the right, in a transparent medium
    (σ = 0), before a wave that leaves. A `wall` stands where F is 0.
    """

    kind: EdgeKind
    eddington: float = 1.0
    time: float = 0.4 / C

    @property
    def sigma(self) -> float:
        """Opacity σ_c [1/cm]."""
        return 0.0 if self.kind == "free" else 2.0

    @property
    def ends(self) -> tuple[float, float]:
        """Where the wave is cut [cm]: anywhere; walls at nodes of F, a whole wave if periodic."""
        return {"wall": (0.0, 1.0), "periodic": (0.13, 1.13)}.get(self.kind, (0.13, 0.91))

    @property
    def shares(self) -> tuple[float, float]:
        """s_+ and s_−: a standing wave between walls, else mostly one that moves to the right."""
        return {"wall": (0.5, 0.5), "free": (1.0, 0.0)}.get(self.kind, (0.8, 0.3))

    @property
    def rate(self) -> complex:
        """The λ [1/sh] whose wave s_+ moves to the right."""
        half = C * self.sigma / 2
        return -half - 1j * math.sqrt(self.eddington * C**2 * Q**2 - half**2)

    def exact(self, x: np.ndarray | float, t: np.ndarray | float) -> tuple[Any, Any]:
        """Return E and F at the places ``x`` and times ``t``, which broadcast."""
        moves = np.exp(self.rate * np.asarray(t))
        E, F = (
            sum(waves[i] * np.exp(1j * waves[0] * np.asarray(x)) * moves for waves in self._waves())
            for i in (1, 2)
        )
        return MEAN + E.real, F.real

    def _waves(self) -> list[tuple[float, complex, complex]]:
        """Return per wave ±q and the complex heights of E and F."""
        pull = 1j * self.rate / (C * Q)
        right, left = self.shares
        return [(Q, right, pull * right), (-Q, left, -pull * left)]

    def _at_place(self, x: float) -> tuple[str, str]:
        """Return E and F at the place ``x`` as formulas of t."""
        E = sum(height * cmath.exp(1j * q * x) for q, height, _ in self._waves())
        F = sum(height * cmath.exp(1j * q * x) for q, _, height in self._waves())
        fall = f"exp({self.rate.real!r}*t)"
        texts = [f"{fall}*{_cosine(z, self.rate.imag, 't')}" for z in (E, F)]
        return f"{MEAN!r} + {texts[0]}", texts[1]

    def _at_start(self) -> tuple[str, str]:
        """Return E and F at t = 0 as formulas of x."""
        E = " + ".join(_cosine(height, q, "x") for q, height, _ in self._waves())
        F = " + ".join(_cosine(height, q, "x") for q, _, height in self._waves())
        return f"{MEAN!r} + {E}", F

    def _edge(self, side: str, kind: EdgeKind, out: float) -> dict[str, Any]:
        """Return the settings of an edge; states outside are given ``out`` [cm] off the edge."""
        inwards, place = (1, self.ends[0]) if side == "left" else (-1, self.ends[1])
        E, F = self._at_place(place - inwards * out)
        if kind in ("mark", "marshak"):
            E, F = self._at_place(place)
            beta = 2.0 if kind == "marshak" else 1 / math.sqrt(self.eddington)
            T = f"(({E} + {inwards * beta!r}*({F}))/{A!r})^0.25"
            return {"kind": "vacuum", "condition": kind, "T": T}
        if kind == "source":
            return {"kind": "source", "T": "1", "Fx": F, "sources": [{"signal": f"{E} - {A!r}"}]}
        fields = {"both": {"E": E, "Fx": F}, "E": {"E": E}, "F": {"Fx": F}}
        return {"kind": "prescribed"} | fields[kind] if kind in fields else {"kind": kind}

    def problem(self, n: int, **changes: Any) -> Problem:
        """Return the problem on ``n`` cells; ``changes`` go to `Problem`.

        `consistent` takes states outside to stand in the centres of ghost cells at first order, and
        on the edge itself at second.
        """
        low, high = self.ends
        first = changes.get("scheme", "consistent") == "consistent" and changes.get("order") != 2
        out = 0.5 * (high - low) / n if first else 0.0
        kinds = {"left": self.kind, "right": self.kind}
        if self.kind == "free":
            kinds["left"] = "both"
        E, F = self._at_start()
        return Problem.model_validate(
            {
                "grid": row(n, low, high),
                "time": {"final": self.time, "cfl": 0.49 / math.sqrt(self.eddington)},
                "constants": {"eddington": self.eddington},
                "material": {"density": 1, "sigma_a": "0", "sigma_c": self.sigma},
                "initial": {"E": E, "Fx": F, "T": "1"},
                "edges": PERIODIC
                if self.kind == "periodic"
                else {side: self._edge(side, kind, out) for side, kind in kinds.items()}
                | {"up": {"kind": "wall"}, "down": {"kind": "wall"}},
            }
            | changes
        )

    def lowest_order(self, variant: Variant) -> float:
        """Return the lowest order of signals that is claimed."""
        return LOWER.get((variant, self.kind), LOWEST[variant])

    def errors(self, n: int, **changes: Any) -> dict[str, float]:
        """Return the root mean square in time of the errors of E and F beside the edges.

        `E`, `F`: in the first cell; `E at the edge`, `F at the edge`: extrapolated to the edge from
        the first two cells. The larger of the two edges, in units of the wave (of height 1).
        """
        problem = self.problem(n, **changes)
        march = March(problem, SerialDomain(problem))
        found, times = [], []
        for _ in march.run(pauses=range(march.n_steps)):
            found.append(march.fields[:2, 0, [0, 1, -1, -2]])
            times.append(march.t)
        near, next_to = (np.array(found)[:, :, pick] for pick in ([0, 2], [1, 3]))
        h = (self.ends[1] - self.ends[0]) / n
        t = np.array(times)[:, None]
        errors: dict[str, float] = {}
        for name, value, inside in (
            ("", near, h / 2),
            (" at the edge", 1.5 * near - 0.5 * next_to, 0.0),
        ):
            places = np.array([self.ends[0] + inside, self.ends[1] - inside])
            off = value - np.stack(self.exact(places, t), axis=1)
            worst = np.sqrt((off**2).mean(axis=0)).max(axis=-1)
            errors |= {f"{field}{name}": float(e) for field, e in zip("EF", worst, strict=True)}
        return errors


def _cosine(z: complex, rate: float, variable: str) -> str:
    """Return Re z e^{i·rate·variable} as a formula."""
    size, phase = cmath.polar(z)
    return f"{size!r}*cos({phase!r} + ({rate!r})*{variable})"
