"""The base class of all settings, and the type of paths in settings."""

import typing
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pydantic

from opalux.base.shipped import in_current_folder

FOLDER = "folder"
"""Key of the validation context: the folder that relative paths are relative to."""


PYTHON_ONLY = "given in Python only"
"""Title, in its ``model_config``, of a model that has no place in a configuration file."""

_PLAIN = (int, float, str, Path, type(None), ...)


class Settings(pydantic.BaseModel):
    """The content of a configuration: frozen, without unknown keys, all numbers finite."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    not_keys: ClassVar[frozenset[str]] = frozenset()
    """Fields that a model has from another one and that its configuration may not give."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def _true_is_no_number(cls, data: Any) -> Any:
        """Refuse true and false where a number is expected; pydantic would read them as 1 and 0."""
        for name, value in data.items() if isinstance(data, dict) else ():
            field = cls.model_fields.get(name)
            if field and _holds_bool(value) and not _may_hold_bool(field.annotation):
                raise ValueError(f"{name}: found {value}, expected no true or false here")
        return data


class TypedText(str):
    """Text that was typed on the command line, not read from a file."""

    __slots__ = ()


def _holds_bool(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_holds_bool, value))
    return isinstance(value, bool)


def _may_hold_bool(annotation: Any) -> bool:
    """Return whether a field of this type may be given true or false, at any depth."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return any(map(_holds_bool, arguments))
    if origin is Annotated:
        return _may_hold_bool(arguments[0])
    if arguments:
        return any(map(_may_hold_bool, arguments))
    return annotation not in _PLAIN  # other types check what they are given


def _typed_here(path: Any) -> Any:
    if isinstance(path, str) and path.startswith("~"):
        return Path(path).expanduser()
    return Path.cwd() / path if isinstance(path, TypedText) else path


def _beside_the_file(path: Path, info: pydantic.ValidationInfo) -> Path:
    return in_current_folder(Path((info.context or {}).get(FOLDER, "")) / path)


SettingsPath = Annotated[
    Path, pydantic.BeforeValidator(_typed_here), pydantic.AfterValidator(_beside_the_file)
]
"""A path in settings.

Written in a file it is relative to that file; typed with ``--set``, or given in Python, to the
current folder.  Of a configuration that was given by its name, ``../../runs`` is ``./runs``.
"""
