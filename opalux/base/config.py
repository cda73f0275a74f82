"""Configurations: a file and ``--set`` overrides become one checked, frozen model."""

import difflib
import inspect
import re
import reprlib
import typing
from pathlib import Path
from typing import Any, TypeVar

import pydantic
from pydantic_core import PydanticSerializationError

from opalux.base.errors import InputError
from opalux.base.settings import FOLDER, TypedText
from opalux.base.shipped import true_folder
from opalux.base.yaml_text import parse_yaml, to_yaml

Model = TypeVar("Model", bound=pydantic.BaseModel)

BRANCH = re.compile(r"(literal|dict|list|tuple)\[")
"""Begin of pydantic's names for the branches of a union, which no user knows."""


def read_text(path: Path) -> str:
    """Return the text of the configuration file ``path``."""
    try:
        return path.read_text(encoding="utf-8-sig")  # some editors begin with a byte order mark
    except FileNotFoundError:
        raise InputError(f"{path}: no such configuration file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None


def apply_overrides(data: dict[str, Any], overrides: list[str]) -> None:
    """Write each ``a.b=value`` into the nested ``data``.

    Values are read as YAML; entries of lists are numbered from 0 (``edges.left.sources.0.start``).
    """
    for override in overrides:
        dotted, equals, text = override.partition("=")
        keys = dotted.split(".")
        if not equals or not all(keys):
            raise InputError(f"--set {override}: expected a.b=value")
        value = _typed(parse_yaml(f"value: {text}", f"--set {override}").get("value"))
        place: Any = data
        for key in keys[:-1]:
            if isinstance(place, list):
                place = place[_index(place, key, override)]
            else:
                place = place.setdefault(key, {})
            if not isinstance(place, dict | list):
                raise InputError(f"--set {override}: '{key}' is a value, not a group of keys")
        last = keys[-1]
        place[_index(place, last, override) if isinstance(place, list) else last] = value


def _typed(value: Any) -> Any:
    """Return a value of the command line; its texts are marked as typed there."""
    if isinstance(value, str):
        return TypedText(value)
    if isinstance(value, list):
        return [_typed(one) for one in value]
    if isinstance(value, dict):
        return {key: _typed(one) for key, one in value.items()}
    return value


def _index(place: list[Any], key: str, override: str) -> int:
    if not (key.isascii() and key.isdigit() and int(key) < len(place)):
        raise InputError(
            f"--set {override}: found '{key}', expected the number of one of {len(place)} entries"
        )
    return int(key)


def load(
    model: type[Model], path: str | Path, overrides: list[str] | None = None
) -> tuple[Model, str]:
    """Read a configuration file and check it.

    Parameters
    ----------
    model : the pydantic model that describes the configuration
    path : YAML file; relative paths in it are relative to its folder
    overrides : ``a.b=value`` settings that replace those of the file

    Returns
    -------
    The checked model and the resolved configuration as YAML text, defaults included.

    Raises
    ------
    InputError
        With one line per problem, each naming the key, what was found and what was expected.
    """
    path = Path(path)
    data = parse_yaml(read_text(path), str(path))
    apply_overrides(data, overrides or [])
    checked = check(model, data, source=str(path), folder=path.parent)
    return checked, dump(checked)


def check(
    model: type[Model],
    data: dict[str, Any],
    *,
    source: str,
    folder: Path,
    context: dict[str, Any] | None = None,
) -> Model:
    """Validate the mapping ``data``; see `load` for the errors.

    ``context`` is what validators may know beside the folder.
    """
    try:
        return model.model_validate(data, context={FOLDER: true_folder(folder), **(context or {})})
    except pydantic.ValidationError as error:
        details = error.errors()
        # A list whose entries are wrong is called too short as well.
        inside = {detail["loc"][:n] for detail in details for n in range(len(detail["loc"]))}
        problems = [
            _explain(model, detail)
            for detail in details
            if detail["type"] != "too_short" or detail["loc"] not in inside
            if not _of_another_branch(detail)
        ]
        raise InputError(f"{source}: " + "\n  ".join(dict.fromkeys(problems))) from None


def dump(checked: pydantic.BaseModel) -> str:
    """Return the resolved configuration as YAML text, in the order of the model's fields.

    Raises
    ------
    InputError
        When it holds something that has no text, such as an array.
    """
    try:
        return to_yaml(checked.model_dump(mode="json"))
    except PydanticSerializationError as error:
        raise InputError(str(error).partition("ValueError: ")[2] or str(error)) from None


def _of_another_branch(detail: Any) -> bool:
    """Return whether a union's word is what keys were compared with, or its keys a word."""
    branch, found = str(detail["loc"][-1] if detail["loc"] else ""), detail.get("input")
    if branch.startswith("literal["):
        return isinstance(found, dict | list)
    return branch.startswith("dict[") and detail["type"] == "dict_type" and isinstance(found, str)


def _explain(model: type[pydantic.BaseModel], detail: Any) -> str:
    location = detail["loc"]
    named = (str(part) for part in location)
    where = ".".join(part for part in named if not BRANCH.match(part)) or "configuration"
    found = detail.get("input")
    kind = detail["type"]
    if kind == "extra_forbidden":
        valid = _keys_beside(model, location)
        near = difflib.get_close_matches(str(location[-1]), valid, n=1, cutoff=0.7)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        known = f" (valid keys: {', '.join(valid)})" if valid else ""
        return f"{where}: unknown key{hint}{known}"
    if kind == "missing":
        return f"{where}: missing; add this key"
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if kind == "value_error":
        return f"{where}: {message}"
    if kind == "union_tag_invalid":
        tag = detail["ctx"]["discriminator"].strip("'")
        where, found = f"{where}.{tag}", detail["ctx"]["tag"]
        message = f"one of {detail['ctx']['expected_tags']}"
    elif kind == "union_tag_not_found":
        message = f"keys below it, with {detail['ctx']['discriminator']} among them"
    elif kind in ("model_type", "model_attributes_type", "dict_type"):
        keys = _keys_beside(model, (*location, ""))
        message = "keys below it" + (f": {', '.join(keys)}" if keys else "")
    elif kind in ("tuple_type", "list_type"):
        message = "a list"
    elif kind == "too_short":
        message = f"at least {detail['ctx']['min_length']} in the list"
    shown = reprlib.repr(found)  # bounded: YAML's aliases can nest billions of entries
    return f"{where}: found {shown if len(shown) < 80 else shown[:77] + '...'}, expected {message}"


def _keys_beside(model: type[pydantic.BaseModel], location: tuple[Any, ...]) -> list[str]:
    """Return the valid keys of the group that has the unknown key ``location[-1]``."""
    groups: list[type[pydantic.BaseModel]] = [model]
    for part in location[:-1]:
        inner: list[type[pydantic.BaseModel]] = []
        for group in groups:
            if part in group.model_fields:
                inner += _models_in(group.model_fields[part].annotation)
        # A part that is not a field is an index or the tag of a union: keep the candidates.
        groups = inner or [g for g in groups if _tagged(g, part)] or groups
    return list(dict.fromkeys(name for group in groups for name in group.model_fields))


def _tagged(group: type[pydantic.BaseModel], tag: Any) -> bool:
    if group.__name__ == tag:
        return True
    return any(tag in typing.get_args(f.annotation) for f in group.model_fields.values())


def _models_in(annotation: Any) -> list[type[pydantic.BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, pydantic.BaseModel):
        return [annotation]
    return [m for part in typing.get_args(annotation) for m in _models_in(part)]
