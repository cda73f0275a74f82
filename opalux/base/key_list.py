"""``opalux JOB --keys [PREFIX]``: the keys of a configuration, as text for a terminal."""

import difflib
import textwrap

from opalux.base.errors import InputError
from opalux.base.keys import Key, walk
from opalux.base.settings import Settings

WIDTH = 100


def key_list(model: type[Settings], prefix: str = "") -> str:
    """Return the keys whose path begins with ``prefix``: path, type, default and meaning.

    Raises
    ------
    InputError
        When no key does.
    """
    keys = list(walk(model))
    chosen = [key for key in keys if _is_below(key.path, prefix)] if prefix else keys
    if not chosen:
        paths = list(dict.fromkeys(key.path for key in keys))
        near = difflib.get_close_matches(prefix, paths, n=3, cutoff=0.5)
        top = [path for path in paths if "." not in path]
        raise InputError(
            f"--keys {prefix}: found no key of that name; "
            + (f"did you mean {', '.join(near)}?" if near else f"there are {', '.join(top)}")
        )
    lines: list[str] = []
    choice = ""
    for key in chosen:
        if key.choice and key.choice != choice:
            lines += ["", f"  with {key.choice}:"]
        choice = key.choice
        lines += _shown(key)
    return "\n".join(lines)


def _is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix.rstrip('.')}.")


def _shown(key: Key) -> list[str]:
    indent = "  " * (key.path.count(".") + bool(key.choice))
    default = {"": "", "required": "; required"}.get(key.default, f"; default {key.default}")
    text = textwrap.wrap(
        key.meaning, WIDTH, initial_indent=indent + "    ", subsequent_indent=indent + "    "
    )
    return [f"{indent}{key.path}: {key.type}{default}", *text]
