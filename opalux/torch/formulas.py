"""User formulas on tensors: their parsed trees, evaluated with torch operations.

The derivative is that of `opalux.solver.formulas.derivative`, tree by tree, as in the adjoint of
the kernels. So a branch that is not taken adds nothing, whereas autograd through `torch.where`
would add 0 · ∞ there.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from opalux.solver.formulas import programs as p
from opalux.solver.formulas.compiler import small_power
from opalux.solver.formulas.derivative import ZERO, derivative
from opalux.solver.formulas.syntax import Node


def _power(node: Node, x: Tensor, n: Tensor) -> Tensor:
    """Return xⁿ, small whole powers by the multiplications of the kernels."""
    exponent = small_power(node)
    if not exponent:
        return torch.pow(x, n)
    made = x
    for bit in f"{abs(exponent):b}"[1:]:
        made = made * made * x if bit == "1" else made * made
    return made if exponent > 0 else 1 / made


def _least(x: Tensor, y: Tensor) -> Tensor:
    return torch.where((x <= y) | x.isnan(), x, y)


def _most(x: Tensor, y: Tensor) -> Tensor:
    return torch.where((x >= y) | x.isnan(), x, y)


def _flag(test: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda x, y: test(x, y).to(x.dtype)


_OPERATIONS: dict[int, Callable[..., Tensor]] = {
    p.ADD: torch.add, p.SUB: torch.sub, p.MUL: torch.mul, p.DIV: torch.div, p.NEG: torch.neg,
    p.SIN: torch.sin, p.COS: torch.cos, p.TAN: torch.tan, p.ASIN: torch.asin, p.ACOS: torch.acos,
    p.ATAN: torch.atan, p.SINH: torch.sinh, p.COSH: torch.cosh, p.TANH: torch.tanh,
    p.EXP: torch.exp, p.LOG: torch.log, p.LOG10: torch.log10, p.LOG2: torch.log2,
    p.SQRT: torch.sqrt, p.ABS: torch.abs, p.SIGN: torch.sign, p.RINT: torch.round,
    p.MIN: _least, p.MAX: _most, p.LT: _flag(torch.lt), p.LE: _flag(torch.le),
    p.GT: _flag(torch.gt), p.GE: _flag(torch.ge), p.EQ: _flag(torch.eq), p.NE: _flag(torch.ne),
    p.AND: _flag(torch.logical_and), p.OR: _flag(torch.logical_or),
    p.SELECT: lambda test, yes, no: torch.where(test != 0, yes, no),
}  # fmt: skip


@functools.lru_cache(maxsize=1024)
def _number(value: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return a number as a tensor: a Python one would lose its precision in `torch.where`."""
    return torch.tensor(value, dtype=dtype, device=device)


def evaluate(tree: Node, values: Mapping[str, Tensor]) -> Tensor:
    """Return the value of a tree, of the shape of its variables; () where it uses none."""
    like = next(iter(values.values()))

    def of(node: Node) -> Tensor:
        if isinstance(node.value, str):
            return values[node.value]
        if node.number is not None:
            return _number(node.number, like.dtype, like.device)
        assert node.op is not None
        parts = [of(argument) for argument in node.arguments]
        if node.op == p.POW:
            return _power(node, *parts)
        return _OPERATIONS[node.op](*parts)

    return of(tree)


class _Evaluated(torch.autograd.Function):
    """`evaluate`, whose derivative is the derivative's tree."""

    @staticmethod
    def forward(ctx: Any, tree: Node, names: tuple[str, ...], *values: Tensor) -> Tensor:
        ctx.tree, ctx.names = tree, names
        ctx.save_for_backward(*values)
        return evaluate(tree, dict(zip(names, values, strict=True)))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *bars: Tensor) -> tuple[Tensor | None, ...]:
        values = dict(zip(ctx.names, ctx.saved_tensors, strict=True))
        out: list[Tensor | None] = [None, None]
        for name, needed in zip(ctx.names, ctx.needs_input_grad[2:], strict=True):
            tree = derivative(ctx.tree, name)
            out.append(bars[0] * evaluate(tree, values) if needed and tree != ZERO else None)
        return tuple(out)


class TorchFormula:
    """A formula of some variables, on tensors of one shape, dtype and device.

    Parameters
    ----------
    tree : of the formula
    variables : their names, in the order of the arguments
    """

    def __init__(self, tree: Node, variables: tuple[str, ...]) -> None:
        self.tree = tree
        self._names = variables

    def __call__(self, *values: Tensor) -> Tensor:
        """Evaluate; a formula that uses no variable gives a tensor of shape ()."""
        if self.tree.number is not None:
            return _number(self.tree.number, values[0].dtype, values[0].device)
        found: Tensor = _Evaluated.apply(self.tree, self._names, *values)
        return found

    def by(self, variable: str, *values: Tensor) -> Tensor:
        """Evaluate the derivative by a variable, () where it is a number."""
        return TorchFormula(derivative(self.tree, variable), self._names)(*values)
