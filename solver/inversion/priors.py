"""Priors: what is held likely of a map before it is measured, as a penalty and its gradient.

All are of ρ in g/cm³ and of neighbouring cells of the map, so that a weight of 1 stands for one
squared standard deviation of the data.
"""

import dataclasses
from typing import Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Array = NDArray[np.float64]

TV_ROUNDING = 0.05  # [g/cm³]: below it, total variation is quadratic, so that it can be minimised


class Prior(Protocol):
    """A penalty R(ρ) on maps (ny, nx)."""

    def value(self, rho: Array) -> tuple[float, Array]:
        """Return R and ∂R/∂ρ."""
        ...

    def root(self, rho: Array) -> sp.csr_matrix:
        """Return B (any, cells) with BᵀB = ∂²R/∂ρ², or its positive part, near ``rho``."""
        ...

    def width_root(self, rho: Array) -> sp.csr_matrix:
        """Return B with BᵀB the precision of a Gaussian as wide as exp(−R) near ``rho``."""
        ...


@dataclasses.dataclass(frozen=True)
class NoPrior:
    """Nothing is held likely: R = 0."""

    def value(self, rho: Array) -> tuple[float, Array]:
        """Return R and ∂R/∂ρ."""
        return 0.0, np.zeros_like(rho)

    def root(self, rho: Array) -> sp.csr_matrix:
        """Return B with BᵀB = ∂²R/∂ρ²."""
        return sp.csr_matrix((0, rho.size))

    width_root = root


@dataclasses.dataclass(frozen=True)
class TotalVariation:
    """R = weight · Σ (√(|∇ρ|² + ε²) − ε): few, sharp edges."""

    weight: float

    def value(self, rho: Array) -> tuple[float, Array]:
        """Return R and ∂R/∂ρ."""
        dx, dy = _differences(rho)
        size = np.sqrt(dx**2 + dy**2 + TV_ROUNDING**2)
        gradient = _divergence(dx / size, dy / size)
        return self.weight * float((size - TV_ROUNDING).sum()), self.weight * gradient

    def root(self, rho: Array) -> sp.csr_matrix:
        """Return B with BᵀB = ∂²R/∂ρ² with |∇ρ| held (lagged diffusivity)."""
        dx, dy = _differences(rho)
        size = np.sqrt(dx**2 + dy**2 + TV_ROUNDING**2).ravel()
        return _gradient(rho.shape, self.weight / size)

    def width_root(self, rho: Array) -> sp.csr_matrix:
        """Return B with BᵀB the precision of a Gaussian as wide as exp(−R).

        Where ∇ρ = 0, exp(−weight |∇ρ|) is far wider than the curvature of its rounded tip says:
        each component of ∇ρ has the variance 3/weight².
        """
        dx, dy = _differences(rho)
        size = np.sqrt(dx**2 + dy**2 + TV_ROUNDING**2).ravel()
        return _gradient(rho.shape, np.minimum(self.weight / size, self.weight**2 / 3))


@dataclasses.dataclass(frozen=True)
class Smooth:
    """R = weight/2 · Σ |∇ρ|²: smooth maps (h1)."""

    weight: float

    def value(self, rho: Array) -> tuple[float, Array]:
        """Return R and ∂R/∂ρ."""
        dx, dy = _differences(rho)
        half = 0.5 * float((dx**2 + dy**2).sum())
        return self.weight * half, self.weight * _divergence(dx, dy)

    def root(self, rho: Array) -> sp.csr_matrix:
        """Return B with BᵀB = ∂²R/∂ρ²."""
        return _gradient(rho.shape, np.full(rho.size, self.weight))

    width_root = root


@dataclasses.dataclass(frozen=True, eq=False)
class Gaussian:
    """R = weight/2 · Σ ((ρ − mean)/spread)²: near a known map, each cell for itself.

    Attributes
    ----------
    mean, spread : (ny, nx) [g/cm³]
    """

    mean: Array
    spread: Array
    weight: float = 1.0

    def value(self, rho: Array) -> tuple[float, Array]:
        """Return R and ∂R/∂ρ."""
        far = (rho - self.mean) / self.spread
        return 0.5 * self.weight * float((far**2).sum()), self.weight * far / self.spread

    def root(self, rho: Array) -> sp.csr_matrix:
        """Return B with BᵀB = ∂²R/∂ρ²."""
        return sp.csr_matrix(sp.diags_array(np.sqrt(self.weight) / self.spread.ravel()))

    width_root = root


@dataclasses.dataclass(frozen=True)
class Both:
    """The sum of two priors: each says what it knows."""

    one: Prior
    other: Prior

    def value(self, rho: Array) -> tuple[float, Array]:
        """Return R and ∂R/∂ρ."""
        (R, slope), (more, steeper) = self.one.value(rho), self.other.value(rho)
        return R + more, slope + steeper

    def root(self, rho: Array) -> sp.csr_matrix:
        """Return B with BᵀB = ∂²R/∂ρ²."""
        return sp.csr_matrix(sp.vstack([self.one.root(rho), self.other.root(rho)]))

    def width_root(self, rho: Array) -> sp.csr_matrix:
        """Return B with BᵀB the precision of a Gaussian as wide as exp(−R)."""
        return sp.csr_matrix(sp.vstack([self.one.width_root(rho), self.other.width_root(rho)]))


def _differences(rho: Array) -> tuple[Array, Array]:
    """Return the differences to the right and upper neighbour; 0 at the edge."""
    dx, dy = np.zeros_like(rho), np.zeros_like(rho)
    dx[:, :-1], dy[:-1] = np.diff(rho, axis=1), np.diff(rho, axis=0)
    return dx, dy


def _divergence(qx: Array, qy: Array) -> Array:
    """Return the transpose of `_differences`, applied."""
    out = np.zeros_like(qx)
    out[:, :-1] -= qx[:, :-1]
    out[:, 1:] += qx[:, :-1]
    out[:-1] -= qy[:-1]
    out[1:] += qy[:-1]
    return out


def _gradient(shape: tuple[int, ...], weights: Array) -> sp.csr_matrix:
    """Return √weights times the differences along x and y (2 · cells, cells)."""
    ny, nx = shape

    def difference(n: int) -> sp.csr_matrix:
        full = np.ones(n)
        full[-1] = 0.0
        return sp.diags_array([-full, full[:-1]], offsets=[0, 1]).tocsr()

    along_x = sp.kron(sp.eye_array(ny), difference(nx))
    along_y = sp.kron(difference(ny), sp.eye_array(nx))
    root = sp.diags_array(np.sqrt(weights))
    return sp.csr_matrix(sp.vstack([root @ along_x, root @ along_y]))
