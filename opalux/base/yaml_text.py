"""The only reader and writer of YAML: the plain values of YAML 1.2, without surprises.

PyYAML reads YAML 1.1, where 0100 is 64, 1:04 is 64, ``no`` is false and 1e-3 is a text. Here
numbers and words are what people expect (the core schema of YAML 1.2): 0100 is 100, 0o100 is 64,
1:04 and ``no`` are texts, and 1e-3 is a number.
"""

import math
import re
from typing import Any

import yaml

from opalux.base.errors import InputError

MOST_VALUES = 1_000_000
"""Most values that a text may hold; each repetition (``*name``) counts. More is an attack."""
DEEPEST = 100
"""Levels of nesting."""

_MERGE = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with the values of YAML 1.2; a key that stands twice is refused."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (as PyYAML has it)

    def get_single_node(self) -> yaml.Node | None:
        """Return the tree of the text, once it is known to be no larger than it looks."""
        node: yaml.Node | None = super().get_single_node()
        if node is not None:
            _size(node, {}, 0)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            if key_node.tag == _MERGE:  # explicit keys win over merged ones
                continue
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, str | int | float | bool | None):
                raise InputError(f"line {line}: a key must be a word")
            if key in seen:
                raise InputError(f"line {line}: key '{key}' stands twice")
            seen.add(key)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Quotes the texts that `_Loader` would read as something else."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012


_VALUES = {
    "null": (r"~|null|Null|NULL|", "~nN\0"),
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
        r"|[-+]?(\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN",
        "-+0123456789.",
    ),
    "merge": (r"<<", "<"),
}
for _kind, (_pattern, _first) in _VALUES.items():
    for _language in (_Loader, _Dumper):
        _language.add_implicit_resolver(
            f"tag:yaml.org,2002:{_kind}",
            re.compile(rf"^(?:{_pattern})$"),
            ["" if letter == "\0" else letter for letter in _first],
        )


def _int(loader: _Loader, node: yaml.ScalarNode) -> int:
    text = str(loader.construct_scalar(node))
    bases = {"0o": 8, "0x": 16}
    return int(text[2:], bases[text[:2]]) if text[:2] in bases else int(text)


def _float(loader: _Loader, node: yaml.ScalarNode) -> float:
    text = str(loader.construct_scalar(node)).lower()
    return float(text.replace(".inf", "inf").replace(".nan", "nan"))


_Loader.add_constructor("tag:yaml.org,2002:int", _int)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)


def _size(node: yaml.Node, known: dict[int, int], depth: int) -> int:
    """Return how many values ``node`` stands for; refuse more than anybody writes by hand."""
    if id(node) in known:
        size = known[id(node)]
        if size == 0:
            raise InputError("found a structure that holds itself, expected plain values")
        return size
    if depth > DEEPEST:
        raise InputError(f"found values nested deeper than {DEEPEST} levels; write them flatter")
    known[id(node)] = 0  # being counted
    size = 1
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            size += sum(_size(part, known, depth + 1) for part in pair)
    elif isinstance(node, yaml.SequenceNode):
        size += sum(_size(part, known, depth + 1) for part in node.value)
    if size > MOST_VALUES:
        raise InputError(
            f"found repetitions (*name) that stand for more than {MOST_VALUES} values; write out "
            "what is meant"
        )
    known[id(node)] = size
    return size


def parse_yaml(text: str, source: str) -> dict[str, Any]:
    """Parse YAML ``text`` into a mapping; ``source`` names it in error messages.

    Raises
    ------
    InputError
        When it is no YAML, no mapping, nested too deeply, or larger than it looks.
    """
    try:
        data = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "unreadable"
        raise InputError(f"{source}{line}: not valid YAML ({problem})") from None
    except InputError as error:
        raise InputError(f"{source}, {error}") from None
    except RecursionError:
        raise InputError(
            f"{source}, found values nested too deeply; write them in fewer than {DEEPEST} levels"
        ) from None
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        # What PyYAML lets through when a tag does not fit its value (!!bool x, 2026-99-99).
        raise InputError(f"{source}: not valid YAML ({error})") from None
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise InputError(
            f"{source}: found {type(data).__name__}, expected a mapping of 'key: value' lines"
        )
    return data


def to_yaml(content: Any, *, width: int = 80) -> str:
    """Return ``content`` (mappings, lists, plain values) as YAML text, in its own order."""
    text: str = yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=width)
    return text


def on_one_line(content: Any) -> str:
    """Return ``content`` as YAML without line breaks: ``{kind: free}``, ``[0.0, 1.0]``."""
    text: str = yaml.dump(
        content,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=math.inf,
        default_flow_style=True,
    )
    return text.removesuffix("...\n").strip()
