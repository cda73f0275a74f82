"""The published algorithm cell by cell, as literally as it can be written down.

Slow on purpose: it shares nothing with the solver but the published description, so that the two
check each other on inputs for which there are no original data (non-square cells, formula edges).
Indices are [j][i] with ghosts, j = 0 the lower ghost row.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Value = Callable[..., float]


class Literal:
    """One run of the published program.

    ``edges`` maps u, d, l, r to (E, F, T): each None (Neumann), a function of (t, place), or for E
    a pair (start, stop) of a ``ponctuel`` source; F gives a pair.
    """

    def __init__(
        self,
        *,
        N: int,
        M: int,
        x: tuple[float, float],
        y: tuple[float, float],
        rho: np.ndarray,
        sigma_a: Value,
        sigma_c: Value,
        start: tuple[Value, Value, Value, Value],
        edges: dict[str, tuple[Any, Any, Any]],
        c: float = 299.0,
        a: float = 0.01372,
        C_v: float = 0.14361,
        cfl: float = 0.5,
        t_f: float = 0.001,
        precision: float = 1e-6,
    ) -> None:
        self.N, self.M, self.rho, self.edges = N, M, rho, edges
        self.sigma_a, self.sigma_c = sigma_a, sigma_c
        self.c, self.a, self.C_v, self.precision, self.t_f = c, a, C_v, precision, t_f
        self.dx, self.dy = (x[1] - x[0]) / N, (y[1] - y[0]) / M
        self.dt = cfl * self.dx / c
        self.x = [x[0] + (i - 1) * self.dx + self.dx / 2 for i in range(N + 2)]
        self.y = [y[0] + (j - 1) * self.dy + self.dy / 2 for j in range(M + 2)]
        shape = (M + 2, N + 2)
        self.E, self.Fx, self.Fy, self.T = (
            np.array([[value(self.x[i], self.y[j]) for i in range(N + 2)] for j in range(M + 2)])
            for value in start
        )
        assert self.E.shape == shape
        self.times: list[float] = []
        self.right_E: list[list[float]] = []

    def run(self) -> "Literal":
        """March to the first time after t_f."""
        t = 0.0
        while t <= self.t_f:
            self.times.append(t)
            self.right_E.append([self.E[j, self.N] for j in range(1, self.M + 1)])
            self.couple()
            self.ghosts(t)
            self.transport()
            t += self.dt
        return self

    def couple(self) -> None:
        """Step 1 of every cell."""
        for j in range(1, self.M + 1):
            for i in range(1, self.N + 1):
                E_n, T_n, rho = self.E[j, i], self.T[j, i], self.rho[j, i]
                Theta_n = self.a * T_n**4.0
                E_next, Theta_next = E_n, Theta_n
                while True:
                    E, Theta = E_next, Theta_next
                    T = (Theta / self.a) ** 0.25
                    mu = 1 / (T_n**3.0 + T_n * T**2.0 + T * T_n**2.0 + T**3.0)
                    s = self.c * self.sigma_a(rho, T)
                    one, two = 1 / self.dt + s, rho * self.C_v * mu / self.dt + s
                    alpha, beta = 1 / self.dt / one, s / one
                    gamma, delta = rho * self.C_v * mu / self.dt / two, s / two
                    E_next = (alpha * E_n + gamma * beta * Theta_n) / (1 - beta * delta)
                    Theta_next = (gamma * Theta_n + alpha * delta * E_n) / (1 - beta * delta)
                    if not (
                        abs(E_next - E) > self.precision
                        and abs(Theta_next - Theta) > self.precision
                    ):
                        break
                self.E[j, i], self.T[j, i] = E, T

    def ghosts(self, t: float) -> None:
        """Fill the ghost cells: up and down, then left and right; E before F before T."""
        for i in range(1, self.N + 1):
            self.ghost("u", t, self.x[i], (self.M + 1, i), (self.M, i))
            self.ghost("d", t, self.x[i], (0, i), (1, i))
        for j in range(1, self.M + 1):
            self.ghost("l", t, self.y[j], (j, 0), (j, 1))
            self.ghost("r", t, self.y[j], (j, self.N + 1), (j, self.N))

    def ghost(
        self, letter: str, t: float, place: float, k: tuple[int, int], inside: tuple[int, int]
    ) -> None:
        """Fill one ghost cell."""
        E, F, T = self.edges[letter]
        if E is None:
            self.E[k] = self.E[inside]
        elif isinstance(E, tuple):
            on = E[0] <= place <= E[1]
            self.E[k] = self.a * self.T[k] ** 4.0
            if on:
                self.E[k] += 5 * math.sin(2 * 500 * math.pi * t)
        else:
            self.E[k] = E(t, place)
        if F is None:
            self.Fx[k], self.Fy[k] = self.Fx[inside], self.Fy[inside]
        else:
            self.Fx[k], self.Fy[k] = F(t, place)
        self.T[k] = self.T[inside] if T is None else T(t, place)

    def transport(self) -> None:
        """Step 2 of every cell."""
        E, Fx, Fy = self.E.copy(), self.Fx.copy(), self.Fy.copy()
        area = self.dx * self.dy
        for j in range(1, self.M + 1):
            for i in range(1, self.N + 1):
                sum_E = np.zeros(2)
                sum_F, sum_M_sigma, sum_n = 0.0, 0.0, np.zeros(2)
                here = self.sigma_c(self.rho[j, i], self.T[j, i])
                for dj, di, length in (
                    (1, 0, self.dy),
                    (-1, 0, self.dy),
                    (0, -1, self.dx),
                    (0, 1, self.dx),
                ):
                    n = np.array([di, dj], dtype=float)
                    k = (j + dj, i + di)
                    sigma = 0.5 * (here + self.sigma_c(self.rho[k], self.T[k]))
                    M = 2 / (2 + self.dx * sigma)
                    Fn_k = Fx[j, i] * n[0] + Fy[j, i] * n[1]
                    Fn_l = Fx[k] * n[0] + Fy[k] * n[1]
                    sum_E += length * M * (0.5 * (E[j, i] + E[k]) - 0.5 * (Fn_l - Fn_k)) * n
                    sum_F += length * M * (0.5 * (Fn_k + Fn_l) - 0.5 * (E[k] - E[j, i]))
                    sum_M_sigma += M * sigma
                    sum_n += length * M * n
                D = 1 / self.dt + self.c * sum_M_sigma
                self.E[j, i] = E[j, i] - self.c * self.dt / area * sum_F
                old = np.array([Fx[j, i], Fy[j, i]])
                new = (old / self.dt + self.c / area * (E[j, i] * sum_n - sum_E)) / D
                self.Fx[j, i], self.Fy[j, i] = new
