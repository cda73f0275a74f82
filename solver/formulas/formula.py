"""User formulas: read once, and run as a few array instructions.

The text is parsed by a grammar of its own (`opalux.solver.formulas.syntax`) and compiled to a
register program (`opalux.solver.formulas.compiler`), which the kernels run.
"""

import functools
import math
import reprlib
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import pydantic

from opalux.solver.formulas.compiler import compiled
from opalux.solver.formulas.programs import Program, run
from opalux.solver.formulas.syntax import Node, parse

ROW = 1024  # cells evaluated at a time outside the kernels


class Formula:
    """A formula of given variables, for example the opacity ``rho*T`` [1/cm].

    Parameters
    ----------
    text : the formula; ``^`` and ``**`` are powers, ``log`` is the natural logarithm
    variables : the names it may use

    Raises
    ------
    FormulaError
        When the text is no formula of these variables.

    Examples
    --------
    >>> Formula("rho*T^2", ("rho", "T"))(rho=2.0, T=3.0)
    18.0
    """

    def __init__(self, text: str | float, variables: Sequence[str]) -> None:
        self.text = str(text).strip()
        self.variables = tuple(variables)
        self.tree = parse(self.text, self.variables)

    def __repr__(self) -> str:
        return f"Formula({self.text!r}, {self.variables})"

    @property
    def constant(self) -> float | None:
        """The value, if the formula uses no variable."""
        return self.tree.number

    @functools.cached_property
    def uses(self) -> frozenset[str]:
        """The variables that occur."""

        def walk(node: Node) -> set[str]:
            own = {node.value} if isinstance(node.value, str) else set()
            return own.union(*(walk(argument) for argument in node.arguments))

        return frozenset(walk(self.tree))

    def __call__(self, **values: Any) -> Any:
        """Evaluate on numpy arrays or numbers, one keyword per variable."""
        if self.constant is not None:
            shape = np.broadcast_shapes(*(np.shape(values[name]) for name in self.variables))
            return np.full(shape, self.constant) if shape else self.constant
        arrays = np.broadcast_arrays(*(np.asarray(values[name]) for name in self.variables))
        shape = arrays[0].shape
        code, result, registers = self.program.rows(len(self.variables), ROW)
        flat = [array.reshape(-1) for array in arrays]
        out = np.empty(math.prod(shape))
        for start in range(0, out.size, ROW):
            n = min(ROW, out.size - start)
            for register, array in zip(registers, flat, strict=False):
                register[:n] = array[start : start + n]
            run(code, registers, n)
            out[start : start + n] = registers[result, :n]
        return out.reshape(shape) if shape else float(out[0])

    @property
    def program(self) -> Program:
        """The register program that the kernels run."""
        return compiled(self.tree, self.variables)


def formula_of(*variables: str, also: tuple[str, ...] = ()) -> pydantic.BeforeValidator:
    """Return a validator that makes a pydantic ``str`` field the text of a formula.

    ``Annotated[str, formula_of("rho", "T")]`` takes numbers and formulas of rho and T; words in
    ``also`` pass as they are.
    """

    def check(found: object) -> str:
        if isinstance(found, bool) or not isinstance(found, str | int | float):
            shown = reprlib.repr(found)[:60]
            raise ValueError(f"found {shown}, expected a number or a formula")
        text = repr(found) if isinstance(found, float) else str(found)
        if text not in also:
            Formula(text, variables)
        return text

    words = f"number, or formula of {', '.join(variables)}"
    given = pydantic.Field(description=" | ".join([words, *also]))
    return pydantic.BeforeValidator(check, json_schema_input_type=Annotated[float | str, given])
