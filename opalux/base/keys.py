"""The keys of a configuration, as its models say them: path, type, unit, default, meaning."""

import ast
import dataclasses
import functools
import inspect
import re
import textwrap
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from annotated_types import Ge, Gt, Le, Lt, MinLen

from opalux.base.settings import PYTHON_ONLY, Settings
from opalux.base.yaml_text import on_one_line

REQUIRED = "required"
"""Shown as the default of a key that has none."""

_PLAIN = {int: "whole number", float: "number", str: "text", bool: "true or false", Path: "path"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Group:
    """A group of keys: a model, and where it is one of several, what chooses it.

    Attributes
    ----------
    model : whose fields the keys are
    choice : such as ``kind: source``; empty where there is no choice
    """

    model: type[Settings]
    choice: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Key:
    """One key of a configuration.

    Attributes
    ----------
    path : dotted name; N stands for the number of an entry, NAME for a name of one's own
    type : in words
    unit : in brackets, or empty
    default : as YAML, or `REQUIRED`; empty where the keys below have defaults of their own
    meaning : a sentence
    choice : of the group that it is in, see `Group`
    groups : that may stand below it
    """

    path: str
    type: str
    unit: str
    default: str
    meaning: str
    choice: str
    groups: tuple[Group, ...]

    @property
    def name(self) -> str:
        """Last word of the path."""
        return self.path.rpartition(".")[2]


def keys_of(model: type[Settings], path: str = "", choice: str = "") -> list[Key]:
    """Return the keys of one group, without those below them, in the order of the fields."""
    known = meanings(model)
    return [
        _key(field, f"{path}.{name}" if path else name, known.get(name, ""), choice)
        for name, field in model.model_fields.items()
        if name not in model.not_keys
    ]


def walk(model: type[Settings], path: str = "", choice: str = "") -> Iterator[Key]:
    """Give all keys, each before those below it; a group that came before is not repeated.

    The second of two neighbours of one type says ``as`` and the path of the first.
    """
    seen: dict[tuple[type[Settings], ...], str] = {}
    for key in keys_of(model, path, choice):
        models = tuple(group.model for group in key.groups)
        if models and models in seen:
            yield dataclasses.replace(key, groups=(), type=f"as {seen[models]}")
            continue
        seen[models] = key.path
        yield key
        for group in key.groups:
            yield from walk(group.model, _below(key), group.choice)


def _below(key: Key) -> str:
    """Return the path of what stands below a key."""
    if key.type.startswith("list of"):
        return f"{key.path}.N"
    return f"{key.path}.NAME" if key.type.startswith("NAME:") else key.path


def _key(field: Any, path: str, meaning: str, choice: str) -> Key:
    annotation: Any = field.annotation
    if field.metadata:
        annotation = Annotated[annotation, *field.metadata]
    groups = _groups(annotation)
    default = field.get_default(call_default_factory=True)
    if field.is_required():
        shown = REQUIRED
    elif isinstance(default, pydantic.BaseModel) and len(groups) == 1:
        shown = ""
    else:
        shown = in_yaml(default)
    if not meaning and groups:
        kinds = [group.choice.removeprefix("kind: ") for group in groups]
        meaning = summary(groups[0].model) if len(kinds) == 1 else f"One of {', '.join(kinds)}."
    if not meaning and path.rpartition(".")[2] == "kind":
        meaning = "Which of the kinds this is."
    return Key(
        path=path,
        type=type_in_words(annotation),
        unit="" if shown == "" else unit_of(meaning),
        default=shown,
        meaning=meaning,
        choice=choice,
        groups=groups,
    )


def in_yaml(value: Any) -> str:
    """Return a default on one line of YAML."""
    return on_one_line(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, pydantic.BaseModel):
        kind = {"kind": value.kind} if hasattr(value, "kind") else {}
        return kind | value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return str(value) if isinstance(value, Path) else value


def unit_of(meaning: str) -> str:
    """Return the unit in brackets that a meaning names last, such as ``[cm]``; else nothing."""
    found = re.findall(r"\[[^\[\],]+\](?!\()", meaning)
    return found[-1] if found else ""


def type_in_words(annotation: Any) -> str:
    """Return what a key accepts."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1:])
    if origin is Literal:
        return " | ".join(in_yaml(one) for one in arguments)
    if origin in (typing.Union, types.UnionType):
        words = dict.fromkeys(type_in_words(one) for one in arguments if one is not type(None))
        if all(word.startswith("{kind: ") for word in words):
            return "group with kind" + (" | null" if type(None) in arguments else "")
        return " | ".join([*words, *(["null"] if type(None) in arguments else [])])
    if origin is tuple:
        if arguments[1:] == (Ellipsis,):
            return f"list of {type_in_words(arguments[0])}"
        return f"[{', '.join(type_in_words(one) for one in arguments)}]"
    if origin is dict:
        return f"NAME: {type_in_words(arguments[1])}"
    if inspect.isclass(annotation) and issubclass(annotation, Settings):
        kind = annotation.model_fields.get("kind")
        kinds = typing.get_args(kind.annotation) if kind else ()
        return f"{{kind: {kinds[0]}, …}}" if kinds else "group of keys"
    return _PLAIN.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _annotated(inner: Any, metadata: tuple[Any, ...]) -> str:
    """Return the words of a type with limits, or those that its input's type brings with it."""
    words, low, high = type_in_words(inner), "", ""
    for one in _flat(metadata):
        given = getattr(one, "json_schema_input_type", None)
        described = [getattr(part, "description", None) for part in typing.get_args(given)[1:]]
        if any(described):
            words = next(filter(None, described))
        match one:
            case Gt(gt=limit):
                low = f"> {limit}"
            case Ge(ge=limit):
                low = f"≥ {limit}"
            case Lt(lt=limit):
                high = f"< {limit}"
            case Le(le=limit):
                high = f"≤ {limit}"
            case MinLen(min_length=least) if words.startswith("list of"):
                words += f", at least {least}"
    limits = " and ".join(filter(None, (low, high)))
    optional = words.endswith(" | null")
    plain = words.removesuffix(" | null") + (f" {limits}" if limits else "")
    return plain + (" | null" if optional else "")


def _flat(metadata: tuple[Any, ...]) -> Iterator[Any]:
    for one in metadata:
        if isinstance(one, pydantic.fields.FieldInfo):
            yield from one.metadata
        else:
            yield one


def _groups(annotation: Any) -> tuple[Group, ...]:
    models = list(dict.fromkeys(_models_in(annotation)))
    if len(models) == 1:
        return (Group(model=models[0], choice=""),)
    return tuple(Group(model=model, choice=_choice(model)) for model in models)


def _models_in(annotation: Any) -> Iterator[type[Settings]]:
    if inspect.isclass(annotation) and issubclass(annotation, Settings):
        if annotation.model_config.get("title") != PYTHON_ONLY:
            yield annotation
        return
    for part in typing.get_args(annotation):
        yield from _models_in(part)


def _choice(model: type[Settings]) -> str:
    kind = model.model_fields.get("kind")
    words = typing.get_args(kind.annotation) if kind else ()
    return f"kind: {words[0]}" if words else ""


def summary(model: type[Settings]) -> str:
    """Return the first sentence of a model's docstring."""
    return inspect.cleandoc(model.__doc__ or "").partition("\n\n")[0].replace("\n", " ")


@functools.cache
def meanings(model: type[Settings]) -> dict[str, str]:
    """Return what the fields of a model mean, by the texts below them or under Attributes.

    Neighbours of one type and default, such as x and y, share the text below the last of them.
    """
    found: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if not (isinstance(owner, type) and issubclass(owner, Settings) and owner is not Settings):
            continue
        found |= _attributes_section(inspect.cleandoc(owner.__doc__ or ""))
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(owner)))
        except OSError:  # made by create_model: its fields come from other models
            continue
        (body,) = (node for node in tree.body if isinstance(node, ast.ClassDef))
        found |= _texts_below(body.body)
    return {name: _sentence(text) for name, text in found.items()}


def _sentence(text: str) -> str:
    """Return a text of a docstring as a sentence for everybody."""
    text = text.replace("``", "`")
    first = text.partition(" ")[0]
    begun = text if first.endswith(":") or "_" in first else text[:1].upper() + text[1:]
    return begun if begun.endswith((".", ":")) else f"{begun}."


def _texts_below(body: list[ast.stmt]) -> dict[str, str]:
    found: dict[str, str] = {}
    waiting: list[tuple[str, str]] = []
    for node in body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            kind = ast.dump(node.annotation) + (ast.dump(node.value) if node.value else "")
            waiting = [one for one in waiting if one[1] == kind] + [(node.target.id, kind)]
        elif (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            text = " ".join(node.value.value.split())
            found |= {name: text for name, _ in waiting}
            waiting = []
        else:
            waiting = []
    return found


def _attributes_section(docstring: str) -> dict[str, str]:
    """Return the entries ``a, b : text`` under Attributes in a numpydoc docstring."""
    match = re.search(r"^Attributes\n-+\n(.*?)(?=\n\n|\Z)", docstring, re.MULTILINE | re.DOTALL)
    found: dict[str, str] = {}
    for entry in re.findall(r"^\S[^\n]*(?:\n[ ]+[^\n]*)*", match[1] if match else "", re.MULTILINE):
        names, colon, text = entry.partition(" : ")
        if colon:
            found |= {name.strip(): " ".join(text.split()) for name in names.split(",")}
    return found
