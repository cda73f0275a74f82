"""A configuration in which every key is explained; those with defaults stand behind a #."""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opalux.base.config import apply_overrides, check
from opalux.base.keys import REQUIRED, Key, keys_of
from opalux.base.settings import Settings
from opalux.base.shipped import CONFIGS
from opalux.base.yaml_text import on_one_line, parse_yaml

WIDTH = 96
CONFIGS_WORD = "CONFIGS"
"""Stands in a starter for the folder of the configurations that come with Opalux."""


def starter(job: str, model: type[Settings], overrides: list[str], folder: Path) -> str:
    """Return the file to begin with for a job.

    Parameters
    ----------
    job : its name
    model : of its configuration
    overrides : ``a.b=value`` for keys that are to be filled in
    folder : where the file will lie; relative paths are relative to it

    Raises
    ------
    InputError
        When an override does not fit.
    """
    path = CONFIGS / "init" / f"{job}.yaml"
    text = path.read_text(encoding="utf-8").replace(CONFIGS_WORD, str(CONFIGS))
    given = parse_yaml(text, str(path))
    apply_overrides(given, overrides)
    if job != "pipeline":  # which also looks for what lies at its paths
        check(model, given, source=f"opalux init {job}", folder=folder)
    schema = CONFIGS / "schema" / f"{job}.json"
    what, also = f"A configuration of 'opalux {job}'.", f" All: 'opalux {job} --keys [PREFIX]'."
    if job == "site":
        what, also = "The settings of a cluster, for 'opalux pipeline'.", ""
    said = f"{what} Keys behind # have these values already; remove the # to change one.{also}"
    head = [f"# yaml-language-server: $schema={schema}", *_comment(said), ""]
    return "\n".join([*head, *_group(model, given, "")]) + "\n"


def _group(model: type[Settings], given: dict[str, Any], path: str) -> Iterator[str]:
    """Give the lines of a group: each key below its meaning."""
    for key in keys_of(model, path):
        if key.name in given:
            if key.name != "kind":
                yield from _comment(key.meaning)
            yield from _filled(key, given[key.name])
        elif key.default != REQUIRED:
            yield from _comment(key.meaning)
            yield from (f"#{line}" for line in _defaults(key))


def _filled(key: Key, value: Any) -> Iterator[str]:
    below = _chosen(key, value)
    if below is not None and value:  # an empty group would be read as null
        yield f"{key.name}:"
        yield from _indented(_group(below, value, key.path))
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        yield f"{key.name}:"
        yield from (f"  - {on_one_line(one)}" for one in value)
    elif isinstance(value, dict) and key.type.startswith("NAME:"):
        yield f"{key.name}:"
        yield from (f"  {name}: {on_one_line(one)}" for name, one in value.items())
    else:
        yield f"{key.name}: {on_one_line(value)}"


def _chosen(key: Key, value: Any) -> type[Settings] | None:
    """Return the model of a group that is filled in; None where the value is no single group."""
    if not isinstance(value, dict) or key.type.startswith(("NAME:", "list of")):
        return None
    choices = {group.choice: group.model for group in key.groups}
    return choices.get("") or choices.get(f"kind: {value.get('kind')}")


def _defaults(key: Key) -> Iterator[str]:
    if key.default:
        yield f"{key.name}: {key.default}"
        return
    yield f"{key.name}:"
    for below in keys_of(key.groups[0].model, key.path):
        if below.default != REQUIRED:
            yield from _indented(iter([*_comment(below.meaning), *_defaults(below)]))


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ")
