"""Signals as a torch function of the density, with the exact adjoint of the compiled kernels."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.solver.gradient import MEMORY, SignalGradient
from opalux.solver.problem import Problem


def signals(problem: Problem, rho: Tensor, memory: int = MEMORY) -> dict[str, Tensor]:
    """Return the signals of a problem for a density, as a differentiable function of it.

    They are solved on the CPU in float64 by `opalux.solver.gradient.SignalGradient`, wherever
    ``rho`` lies; only first derivatives are known.

    Parameters
    ----------
    problem : with ``scheme: staggered`` in float64; its density is not used
    rho : (ny, nx) [g/cm³], or (B, ny, nx), which are solved one after the other
    memory : bytes that the states kept for the way back may take, for each map

    Returns
    -------
    per edge (n, 4, cells), or (B, n, 4, cells), of the dtype and on the device of ``rho``: E, Fx,
    Fy, T before each step, at ``problem.signals.at``

    Raises
    ------
    InputError
        When the problem has no gradient, or a density does not fit it.
    """
    grid = problem.cells
    if rho.ndim not in (2, 3) or tuple(rho.shape[-2:]) != (grid.ny, grid.nx) or not rho.numel():
        raise InputError(
            f"rho: found shape {tuple(rho.shape)}, expected ({grid.ny}, {grid.nx}) or "
            f"(B, {grid.ny}, {grid.nx}), as the problem's grid"
        )
    if not rho.is_floating_point():
        raise InputError(f"rho: found {rho.dtype}, expected floating point; give rho.double()")
    if rho.ndim == 3:
        maps = [signals(problem, one, memory) for one in rho]
        return {name: torch.stack([one[name] for one in maps]) for name in EDGES}
    found = _Signals.apply(rho, SignalGradient(problem, memory))
    return dict(zip(EDGES, found, strict=True))


class _Signals(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rho: Tensor, gradient: SignalGradient) -> tuple[Tensor, ...]:
        found = gradient.simulate(rho.detach().cpu().double().numpy())
        ctx.gradient = gradient
        return tuple(torch.from_numpy(found[name]).to(rho) for name in EDGES)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *bars: Tensor) -> tuple[Tensor, None]:
        weights = {name: bar.cpu().double().numpy() for name, bar in zip(EDGES, bars, strict=True)}
        return torch.from_numpy(ctx.gradient.pull(weights)).to(bars[0]), None
