"""The edges of the staggered scheme on tensors: ghost cells, fluxes on edges, signals.

The equations are those of `opalux.solver.schemes.staggered_edges`. Tensors are (B, y, x); ``dim``
is the axis across an edge.
"""

import torch
from torch import Tensor

from opalux.solver.edges import EQUILIBRIUM, FREE, GIVEN, MARK, MARSHAK, WARMER
from opalux.solver.schemes.staggered_edges import CLOSED, DRIVEN, NORMAL, OPEN, E, T

UP, DOWN, LEFT, RIGHT = range(4)
ACROSS = (-2, -2, -1, -1)
"""The axis across each edge."""
FIRST = (-1, 0, 0, -1)
"""The layer of cells, or of faces, that is next to each edge."""
SECOND = (-2, 1, 1, -2)


def ghost(rule: int, inside: Tensor, given: Tensor, a: float, warm: Tensor | None) -> Tensor:
    """Return one field outside an edge; ``warm`` is T there, needed for E only."""
    if rule == FREE:
        return inside
    if rule == GIVEN:
        return given.expand_as(inside)
    if rule == EQUILIBRIUM:
        assert warm is not None
        return a * warm**4 + given
    if rule in (MARK, MARSHAK):
        return (a * given**4).expand_as(inside)
    assert rule == WARMER
    return torch.where(inside >= given, inside, given)


def outside(
    rules: list[int], E_in: Tensor, T_in: Tensor, given: Tensor, a: float
) -> tuple[Tensor, Tensor]:
    """Return E and T outside an edge, (B, cells).

    Parameters
    ----------
    rules : of the four fields
    E_in, T_in : (B, cells) in the first cells
    given : (B or 1, 4, cells), what the edge prescribes
    """
    warm = ghost(rules[T], T_in, given[:, T], a, None)
    return ghost(rules[E], E_in, given[:, E], a, warm), warm


def edge_flux(
    side: int, kind: int, beta: float, F: Tensor, G: Tensor, G_new: Tensor, E_1: Tensor,
    E_out: Tensor, given: Tensor, sigma: Tensor, c_dt: float, h: float, w: float, theta: float,
) -> Tensor:  # fmt: skip
    """Return the flux on an edge after a step, (B, cells); see `staggered_edges.push_edge`."""
    inwards = 1 if side in (DOWN, LEFT) else -1
    F_out = given[:, NORMAL[side]]
    if kind == CLOSED:
        return torch.zeros_like(F)
    if kind == DRIVEN:
        return F_out.expand_as(F)
    z = c_dt * sigma
    r = 1 + 0.5 * z
    if kind == OPEN:
        alpha = 0.5 / (1 + h * sigma / w)
        rb = r * (w * c_dt / (h * (1 - alpha)))
        P = (1 - alpha) * F + alpha * G
        P = (P - rb * (1 - theta) * (P - G) + rb * theta * G_new) / (1 + z * r + rb * theta)
        return (P - alpha * G_new) / (1 - alpha)
    k = w * w
    rb = r * (2 * k * beta * c_dt / h)
    change = -2 * (k * c_dt / h) * inwards * (E_1 - (E_out + inwards * F_out / w))
    return (F * (1 - rb * (1 - theta)) + r * change) / (1 + z * r + rb * theta)


def seen(side: int, E: Tensor, Fx: Tensor, Fy: Tensor, T: Tensor, at_edge: bool) -> Tensor:
    """Return E, Fx, Fy, T (B, 4, cells) on an edge, or in the cells beside it.

    Parameters
    ----------
    E, T : (B, ny, nx)
    Fx, Fy : (B, ny, nx + 1), (B, ny + 1, nx) at the same time
    """
    dim, first, second = ACROSS[side], FIRST[side], SECOND[side]
    normal, tangential = (Fy, Fx) if dim == -2 else (Fx, Fy)

    def layer(cells: Tensor) -> Tensor:
        if at_edge and cells.shape[dim] > 1:
            return 1.5 * cells.select(dim, first) - 0.5 * cells.select(dim, second)
        return cells.select(dim, first)

    on = normal.select(dim, first)
    across = on if at_edge else 0.5 * (on + normal.select(dim, second))
    depth = min(2, tangential.shape[dim])  # no more layers of it are needed
    start = 0 if first == 0 else tangential.shape[dim] - depth
    along = layer(centred(tangential.narrow(dim, start, depth), -3 - dim))
    x, y = (along, across) if dim == -2 else (across, along)
    return torch.stack((layer(E), x, y, layer(T)), dim=1)


def centred(faces: Tensor, dim: int) -> Tensor:
    """Return a flux in the centres of the cells, as the mean of two faces along ``dim``."""
    n = faces.shape[dim] - 1
    return 0.5 * (faces.narrow(dim, 0, n) + faces.narrow(dim, 1, n))
