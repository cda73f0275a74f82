"""From the text of a formula to its tree: a tokeniser and a precedence parser.

Nothing of a formula is ever handed to Python's ``eval``. Accepted are numbers, the variables
offered, ``+ - * / ^ **``, comparisons, ``&& ||``, ``cond ? a : b`` and the functions of
`FUNCTIONS`; everything else is an error that names the place.
"""

import dataclasses
import difflib
import functools
import math
import re
from collections.abc import Sequence

import numpy as np

from opalux.base.errors import InputError
from opalux.solver.formulas.programs import (
    ABS,
    ACOS,
    ADD,
    AND,
    ASIN,
    ATAN,
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
    operate,
)

MAX_LENGTH = 2000  # characters; a formula longer than this is a mistake
MAX_DEPTH = 60  # nested parentheses
MAX_HEIGHT = 200  # operations that wait for one another

_BINARY = {
    "||": (1, OR), "&&": (2, AND),
    "<": (3, LT), "<=": (3, LE), ">": (3, GT), ">=": (3, GE), "==": (3, EQ), "!=": (3, NE),
    "+": (4, ADD), "-": (4, SUB), "*": (5, MUL), "/": (5, DIV),
}  # fmt: skip

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
    """A formula that cannot be read; the message shows the formula and the place of the error."""


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


def literal(value: float) -> Node:
    """Return the node of a number."""
    return Node(None, value=float(value))


def operation(op: int, *arguments: Node) -> Node:
    """Return the node of one operation, folding constants."""
    numbers = [argument.number for argument in arguments]
    if op == SELECT and numbers[0] is not None:
        return arguments[1] if numbers[0] != 0 else arguments[2]
    if op != SELECT and all(number is not None for number in numbers):
        with np.errstate(all="ignore"):
            x, y = (*(argument.value for argument in arguments), 0.0)[:2]
            return literal(operate(op, x, y))
    return Node(op, arguments, height=1 + max(argument.height for argument in arguments))


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
        if tree.height > MAX_HEIGHT:
            raise FormulaError(
                f"a formula of more than {MAX_HEIGHT} operations in a row; shorten it"
            )
        return tree

    def ternary(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail(f"nested more than {MAX_DEPTH} deep")
        condition = self.binary(1)
        if self.accept("?"):
            yes = self.ternary()
            self.expect(":")
            condition = operation(SELECT, condition, yes, self.ternary())
        self.depth -= 1
        return condition

    def binary(self, lowest: int) -> Node:
        left = self.unary()
        while self.kind == "symbol" and self.token in _BINARY:
            precedence, op = _BINARY[self.token]
            if precedence < lowest:
                break
            self.advance()
            left = operation(op, left, self.binary(precedence + 1))
        return left

    def unary(self) -> Node:  # binds less than ^: -2^2 = -4, as in mathematics
        negative = False
        while self.kind == "symbol" and self.token in "+-":
            negative ^= self.token == "-"
            self.advance()
        operand = self.power()
        return operation(NEG, operand) if negative else operand

    def power(self) -> Node:
        base = self.atom()
        if self.accept("^") or self.accept("**"):
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise self.fail(f"nested more than {MAX_DEPTH} deep")
            base = operation(POW, base, self.unary())  # right associative: a^b^c = a^(b^c)
            self.depth -= 1
        return base

    def atom(self) -> Node:
        if self.kind == "number":
            node = literal(float(self.token))
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
            return operation(op, *arguments)
        if name in self.variables:
            return Node(None, value=name)
        if name in CONSTANTS:
            return literal(CONSTANTS[name])
        self.start = place
        raise self.unknown("name", name, (*self.variables, *CONSTANTS))

    def unknown(self, what: str, name: str, known: tuple[str, ...]) -> FormulaError:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f", did you mean '{near[0]}'?" if near else ""
        return self.fail(f"unknown {what} '{name}'{hint}; known are {', '.join(known)}")


@functools.lru_cache(maxsize=1024)
def parse(text: str, variables: tuple[str, ...]) -> Node:
    """Return the tree of a formula. Cached: a campaign parses the same few formulas every time."""
    return _Parser(text, variables).parse()
