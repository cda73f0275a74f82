"""User formulas, parsed once by a grammar of their own and compiled to a few array instructions.

Nothing of a formula is ever handed to Python's ``eval``: a tokeniser and a precedence parser accept
numbers, the variables offered, ``+ - * / ^ **``, comparisons, ``&& ||``, ``cond ? a : b`` and the
functions of `FUNCTIONS`; everything else is an error that names the place.

The compiled form is a register program (`opalux.solver.formulas.programs`).
"""

import dataclasses
import difflib
import functools
import math
import re
import reprlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pydantic

from opalux.base.errors import InputError
from opalux.solver.formulas.programs import (
    ABS,
    ACOS,
    ADD,
    AND,
    ASIN,
    ATAN,
    COPY,
    COS,
    COSH,
    DIV,
    EQ,
    EXP,
    GE,
    GT,
    LE,
    LOG,
    LOG2,
    LOG10,
    LT,
    MAX,
    MIN,
    MUL,
    NE,
    NEG,
    OR,
    POW,
    RINT,
    SELECT,
    SIGN,
    SIN,
    SINH,
    SQRT,
    SUB,
    TAN,
    TANH,
    Program,
    operate,
    run,
)

MAX_LENGTH = 2000  # characters; a formula longer than this is a mistake
MAX_DEPTH = 60  # nested parentheses
MAX_HEIGHT = 200  # operations that wait for one another
ROW = 1024  # cells evaluated at a time outside the kernels

_BINARY = {
    "||": (1, OR), "&&": (2, AND),
    "<": (3, LT), "<=": (3, LE), ">": (3, GT), ">=": (3, GE), "==": (3, EQ), "!=": (3, NE),
    "+": (4, ADD), "-": (4, SUB), "*": (5, MUL), "/": (5, DIV),
}  # fmt: skip
_UNARY_MINUS_PRECEDENCE = 6  # above * and /, below ^: -2^2 = -4, as in mathematics

FUNCTIONS: dict[str, tuple[int, int]] = {  # name -> (instruction, number of arguments)
    "sin": (SIN, 1), "cos": (COS, 1), "tan": (TAN, 1), "asin": (ASIN, 1), "acos": (ACOS, 1),
    "atan": (ATAN, 1), "sinh": (SINH, 1), "cosh": (COSH, 1), "tanh": (TANH, 1), "exp": (EXP, 1),
    "log": (LOG, 1), "ln": (LOG, 1), "log10": (LOG10, 1), "log2": (LOG2, 1), "sqrt": (SQRT, 1),
    "abs": (ABS, 1), "sign": (SIGN, 1), "rint": (RINT, 1), "min": (MIN, 2), "max": (MAX, 2),
    "pow": (POW, 2),
}  # fmt: skip

CONSTANTS = {"pi": math.pi, "_pi": math.pi, "_e": math.e}


_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<symbol>\*\*|<=|>=|==|!=|&&|\|\||[-+*/^()<>,?:]))",
    re.ASCII,
)


class FormulaError(InputError):
    """A formula that cannot be read; the message shows the formula and names the place."""


@dataclasses.dataclass(frozen=True)
class Node:
    """One operation of a formula's tree: an instruction, a number or a variable."""

    op: int | None
    arguments: tuple["Node", ...] = ()
    value: float | str | None = None
    height: int = 0

    @property
    def number(self) -> float | None:
        """The value of a number, None for everything else."""
        return self.value if self.op is None and isinstance(self.value, float) else None


def _number(value: float) -> Node:
    return Node(None, value=float(value))


def _operation(op: int, *arguments: Node) -> Node:
    """Build a node, folding constants."""
    numbers = [argument.number for argument in arguments]
    if op == SELECT and numbers[0] is not None:
        return arguments[1] if numbers[0] != 0 else arguments[2]
    if op != SELECT and all(number is not None for number in numbers):
        with np.errstate(all="ignore"):
            x, y = (*(argument.value for argument in arguments), 0.0)[:2]
            return _number(operate(op, x, y))
    height = 1 + max(argument.height for argument in arguments)
    if height > MAX_HEIGHT:
        raise FormulaError(f"a formula of more than {MAX_HEIGHT} operations in a row; shorten it")
    return Node(op, arguments, height=height)


class _Parser:
    """Precedence climbing over the tokens of one formula."""

    def __init__(self, text: str, variables: Sequence[str]) -> None:
        self.text, self.variables = text, tuple(variables)
        self.position = self.depth = 0
        self.kind = self.token = ""
        self.start = 0
        if len(text) > MAX_LENGTH:
            raise FormulaError(f"a formula of {len(text)} characters; at most {MAX_LENGTH} allowed")
        self.advance()

    def fail(self, problem: str) -> FormulaError:
        return FormulaError(f"formula '{self.text}': {problem} (character {self.start + 1})")

    def advance(self) -> None:
        rest = self.text[self.position :]
        self.start = self.position + len(rest) - len(rest.lstrip())
        if not rest.strip():
            self.kind, self.token = "end", ""
            return
        match = _TOKEN.match(self.text, self.position)
        if not match:
            raise self.fail(f"unexpected '{self.text[self.start]}'")
        self.kind = match.lastgroup or ""
        self.token = match[self.kind]
        self.position = match.end()

    def accept(self, symbol: str) -> bool:
        if self.kind == "symbol" and self.token == symbol:
            self.advance()
            return True
        return False

    def expect(self, symbol: str) -> None:
        if not self.accept(symbol):
            raise self.fail(f"expected '{symbol}', found '{self.token or 'the end'}'")

    def parse(self) -> Node:
        tree = self.ternary()
        if self.kind != "end":
            raise self.fail(f"unexpected '{self.token}'")
        return tree

    def ternary(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail(f"nested more than {MAX_DEPTH} deep")
        condition = self.binary(1)
        if self.accept("?"):
            yes = self.ternary()
            self.expect(":")
            condition = _operation(SELECT, condition, yes, self.ternary())
        self.depth -= 1
        return condition

    def binary(self, lowest: int) -> Node:
        left = self.unary()
        while self.kind == "symbol" and self.token in _BINARY:
            precedence, op = _BINARY[self.token]
            if precedence < lowest:
                break
            self.advance()
            left = _operation(op, left, self.binary(precedence + 1))
        return left

    def unary(self) -> Node:
        negative = False
        while self.kind == "symbol" and self.token in "+-":
            negative ^= self.token == "-"
            self.advance()
        operand = self.power()
        return _operation(NEG, operand) if negative else operand

    def power(self) -> Node:
        base = self.atom()
        if self.accept("^") or self.accept("**"):
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise self.fail(f"nested more than {MAX_DEPTH} deep")
            base = _operation(POW, base, self.unary())  # right associative: a^b^c = a^(b^c)
            self.depth -= 1
        return base

    def atom(self) -> Node:
        if self.kind == "number":
            node = _number(float(self.token))
            self.advance()
            return node
        if self.accept("("):
            node = self.ternary()
            self.expect(")")
            return node
        if self.kind == "name":
            return self.name()
        raise self.fail(f"expected a number, a name or '(', found '{self.token or 'the end'}'")

    def name(self) -> Node:
        name, place = self.token, self.start
        self.advance()
        if self.kind == "symbol" and self.token == "(":
            if name not in FUNCTIONS:
                self.start = place
                raise self.unknown("function", name, tuple(FUNCTIONS))
            self.advance()
            op, count = FUNCTIONS[name]
            arguments = [self.ternary()]
            while self.accept(","):
                arguments.append(self.ternary())
            self.expect(")")
            if len(arguments) != count:
                raise self.fail(f"{name}() takes {count} argument(s), found {len(arguments)}")
            return _operation(op, *arguments)
        if name in self.variables:
            return Node(None, value=name)
        if name in CONSTANTS:
            return _number(CONSTANTS[name])
        self.start = place
        raise self.unknown("name", name, (*self.variables, *CONSTANTS))

    def unknown(self, what: str, name: str, known: tuple[str, ...]) -> FormulaError:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f", did you mean '{near[0]}'?" if near else ""
        return self.fail(f"unknown {what} '{name}'{hint}; known are {', '.join(known)}")


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
        self.tree = _parse(self.text, self.variables)

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
        return _compile(self.text, self.variables)


@functools.lru_cache(maxsize=1024)
def _parse(text: str, variables: tuple[str, ...]) -> Node:
    """Parse once: a campaign asks for the same few formulas in every simulation."""
    return _Parser(text, variables).parse()


@functools.lru_cache(maxsize=1024)
def _compile(text: str, variables: tuple[str, ...]) -> Program:
    """Return the register program of a formula."""
    tree = _parse(text, variables)
    constants: list[float] = []
    code: list[tuple[int, int, int, int]] = []
    n_variables = len(variables)

    def count(node: Node) -> None:
        if node.number is not None and node.number not in constants:
            constants.append(node.number)
        for argument in node.arguments:
            count(argument)

    count(tree)
    first = n_variables + len(constants)
    highest = first

    def emit(node: Node, free: int) -> int:
        """Compile ``node``; registers from ``free`` on may be overwritten."""
        nonlocal highest
        if isinstance(node.value, str):
            return variables.index(node.value)
        if node.number is not None:
            return n_variables + constants.index(node.number)
        assert node.op is not None
        exponent = node.arguments[-1].number if node.op == POW else None
        if exponent in (2.0, 3.0, 4.0):
            base = emit(node.arguments[0], free)
            square = free if exponent == 2 else free + 1
            code.append((MUL, square, base, base))
            if exponent != 2:
                code.append((MUL, free, square, base if exponent == 3 else square))
        elif node.op == SELECT:
            condition, yes, no = node.arguments
            code.append((COPY, free, emit(no, free), 0))
            mask = emit(condition, free + 1)
            code.append((SELECT, free, mask, emit(yes, free + 2)))
        else:
            a = emit(node.arguments[0], free)
            b = emit(node.arguments[1], free + 1) if len(node.arguments) > 1 else 0
            code.append((node.op, free, a, b))
        highest = max(highest, free + 3)
        return free

    result = emit(tree, first)
    return Program(
        np.array(code, dtype=np.int64).reshape(-1, 4),
        np.array(constants, dtype=np.float64),
        highest,
        result,
    )


def formula_of(*variables: str, also: tuple[str, ...] = ()) -> pydantic.BeforeValidator:
    """Return what turns a pydantic ``str`` field into the text of a formula, checked when read.

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

    return pydantic.BeforeValidator(check)
