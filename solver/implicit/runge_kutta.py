"""Implicit steps: Euler's, and an L-stable Runge-Kutta method of second order, with their errors.

With γ = 1 − 1/√2 and f for all that changes U = (E, F, heat) in time (R. Alexander's SDIRK),

    U₁ = U_n + γ h f(U₁)                              at t_n + γ h
    U₂ = U_n + (1 − γ) h f(U₁) + γ h f(U₂)            at t_n + h, which is U_{n+1}

Both are stages of `newton` of the length γ h; the second starts from U_n + ((1 − γ)/γ)(U₁ − U_n).
The method damps what is fast (L-stable), and needs nothing but the state to go on.

The error of a step is what the quadrature of third order through f(U_n), f(U₁), f(U₂) would add;
f(U_n) is that of the end of the step before. Euler's error is h (f(U₁) − f(U_n))/2. The first step
has no f(U_n): γ h (f(U₂) − f(U₁)), or h f(U₁)/2, bounds its error.

Inside a step, U is the parabola through U_n and U_{n+1} with f(U_{n+1}) as its slope at the end: of
second order too, and for Euler's method a line.

References: R. Alexander, SIAM J. Numer. Anal. 14 (1977) 1006; E. Hairer, G. Wanner, Solving
ordinary differential equations II (1996), IV.6 and IV.8.
"""

import math

import numpy as np

from opalux.solver.formulas.formula import Formula
from opalux.solver.grid import Block
from opalux.solver.implicit.newton import Newton
from opalux.solver.implicit.step_error import keep_slopes, look_ahead, slope_at_end, step_error

E, FX, FY, T = range(4)
Q = 3

GAMMA = 1 - 1 / math.sqrt(2)
AHEAD = (1 - GAMMA) / GAMMA
"""The second stage starts so many times (U₁ − U_n) ahead of U_n."""

# Weights of f(U_n), f(U₁), f(U₂) in the error: the third-order quadrature less the method's own.
MIDDLE = 1 / (6 * GAMMA * (1 - GAMMA))
ERROR = (0.5 + GAMMA * MIDDLE - MIDDLE, MIDDLE - (1 - GAMMA), 0.5 - GAMMA * MIDDLE - GAMMA)


class RungeKutta:
    """Steps of one process's share of the grid; ``state`` is taken from t_n to t_n + h.

    Parameters
    ----------
    newton : solves the stages
    order : 1, Euler's method, or 2
    state, rho : (4, ny + 2, nx + 2), (ny + 2, nx + 2)
    source : S(x, y, t), or None
    block : the cells owned

    Attributes
    ----------
    order : as given
    slopes, known : (2, ny, nx) rates of E and T at t_n; whether they are: not before the first step
    start : (4, ny + 2, nx + 2) the state at t_n
    held : time at which edges and source stand still [sh]; None: they do not
    """

    def __init__(
        self,
        newton: Newton,
        order: int,
        state: np.ndarray,
        rho: np.ndarray,
        source: Formula | None,
        block: Block,
    ) -> None:
        self.order, self._newton, self._state, self._rho = order, newton, state, rho
        self._source, self._block = source, block
        self.start = np.zeros(state.shape)
        self._middle = np.zeros((2, *rho.shape))
        self.slopes, self.known = np.zeros((2, block.ny, block.nx)), False
        self._sums = np.zeros(4)
        self.held: float | None = None
        # Euler's method is one stage of the whole length: nothing lies ahead.
        self.gamma, self.ahead = (GAMMA, AHEAD) if order == 2 else (1.0, 0.0)
        self.weights = ERROR if order == 2 else (-0.5, 0.0, 0.5)
        # Without f(U_n), a method of one order less is what the step is compared with.
        self.first_weights = (0.0, -GAMMA, GAMMA) if order == 2 else (0.0, 0.0, 0.5)

    def _solve(self, t: float, tau: float) -> int:
        """Add τ S to what the stage starts from, and solve it."""
        t = t if self.held is None else self.held
        if self._source is not None:
            x, y = self._block.x[None, 1:-1], self._block.y[1:-1, None]
            self._newton.base[E, 1:-1, 1:-1] += tau * self._source(x=x, y=y, t=t)
        return self._newton.solve(t, tau)

    def first_stage(self, t: float, h: float) -> int:
        """Take the first stage of a step from t to t + h; return the iterations."""
        state, newton = self._state, self._newton
        self.start[...] = state
        newton.base[:3], newton.base[Q] = state[:3], 0.0
        newton.T_n[...] = state[T]
        tau = self.gamma * h
        iterations = self._solve(t + tau, tau)
        self._middle[0], self._middle[1] = state[E], state[T]
        return iterations

    def second_stage(self, t: float, h: float) -> int:
        """Take the second stage, if the method has one; return the iterations."""
        if self.order == 1:
            return 0
        newton = self._newton
        look_ahead(newton.base, self.start, self._state, self._rho, self.ahead, *newton.capacity)
        return self._solve(t + h, self.gamma * h)

    def error(self, h: float) -> np.ndarray:
        """Return Σ|error of E|, Σ|E|, Σ|error of T|, ΣT of the step just taken, on this process.

        Of the first step it is an upper bound.
        """
        weights = self.weights if self.known else self.first_weights
        step_error(
            self.start, self._middle, self._state, self.slopes, h, weights, self.ahead,
            self.gamma, self._sums,
        )  # fmt: skip
        return self._sums

    def change(self) -> np.ndarray:
        """Return Σ|change of E|, Σ|E|, Σ|change of T|, ΣT of the step just taken, as `error`."""
        inner = np.s_[1:-1, 1:-1]
        found = []
        for f in (E, T):
            end = self._state[f][inner]
            found += [np.abs(end - self.start[f][inner]).sum(), np.abs(end).sum()]
        return np.array(found)

    def accept(self, h: float) -> None:
        """Keep what the next step's error needs."""
        self.known = True
        keep_slopes(self.start, self._middle, self._state, self.slopes, h, self.ahead, self.gamma)

    def reject(self) -> None:
        """Go back to t_n."""
        self._state[...] = self.start

    @property
    def scratch(self) -> list[np.ndarray]:
        """The arrays that it holds."""
        return [self.start, self._middle, self.slopes]

    def between(
        self, share: np.ndarray, start: np.ndarray, middle: np.ndarray, end: np.ndarray
    ) -> np.ndarray:
        """Return values at t_n + ``share`` h (n,), from those at t_n, the stage, t_n + h."""
        left = (1 - share).reshape(-1, *[1] * start.ndim)
        slope = slope_at_end(start, middle, end, self.ahead, self.gamma)
        inside: np.ndarray = end - left * slope + left**2 * (start - end + slope)
        return inside
