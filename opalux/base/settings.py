"""The base of all settings, and the paths that stand in them."""

from pathlib import Path
from typing import Annotated, Any

import pydantic

FOLDER = "folder"
"""Key of the validation context: the folder that relative paths are relative to."""


class Settings(pydantic.BaseModel):
    """What a configuration says: frozen, without unknown keys, all numbers finite."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TypedText(str):
    """Text that was typed on the command line, not read from a file."""

    __slots__ = ()


def _typed_here(path: Any) -> Any:
    return Path.cwd() / path if isinstance(path, TypedText) else path


def _beside_the_file(path: Path, info: pydantic.ValidationInfo) -> Path:
    return Path((info.context or {}).get(FOLDER, "")) / path


SettingsPath = Annotated[
    Path, pydantic.BeforeValidator(_typed_here), pydantic.AfterValidator(_beside_the_file)
]
"""A path in settings.

Written in a file it is relative to that file; typed with ``--set``, or given in Python, to the
current folder.
"""
