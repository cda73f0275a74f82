"""The reference of the names in Python, made of their signatures and docstrings."""

import inspect
import re
from typing import Any

import opalux
from docs.website.markdown import fenced

_SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.MULTILINE)
_LISTS = ("Parameters", "Attributes", "Raises", "Returns", "Yields")


def page() -> str:
    """Return the page."""
    parts = [
        "# Names in Python",
        "",
        "The public interface; [From Python](../api.md) shows each in use. Arrays are (y, x), with "
        "row 0 at the bottom; units are cm, sh (10 ns), g, keV.",
        "",
    ]
    for name in sorted(opalux.__all__, key=str.lower):
        thing = getattr(opalux, name)
        parts += [f"## {name}", "", _signature(name, thing), described(inspect.getdoc(thing) or "")]
        if inspect.isclass(thing):
            parts += _members(name, thing)
    return "\n".join(parts) + "\n"


def _signature(name: str, thing: Any) -> str:
    if inspect.isclass(thing) and issubclass(thing, BaseException):
        return ""
    if hasattr(thing, "model_fields"):
        return fenced(f"{name}(**keys)", "python")
    try:
        text = str(inspect.signature(thing))
    except ValueError:
        return ""
    text = re.sub(
        r"\b(?:opalux|numpy|pathlib|collections\.abc|typing)(?:\.\w+)*\.(\w+)", r"\1", text
    )
    if len(text) > 80:
        text = re.sub(r", (?=\*?\w+(?::|,|\)))", ",\n    ", text)
    return fenced(f"{name}{text}", "python")


def _members(name: str, thing: type) -> list[str]:
    """Return what the class itself offers: its own public methods and properties."""
    lines: list[str] = []
    for member, value in vars(thing).items():
        plain = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        plain = getattr(plain, "func", plain)  # of a cached property
        doc = inspect.getdoc(plain)
        if member.startswith("_") or not inspect.isfunction(plain) or not doc:
            continue
        called = "" if isinstance(value, property) or plain is not value else "()"
        summary = doc.partition("\n\n")[0].replace("\n", " ")
        lines.append(f"- `{name}.{member}{called}`: {summary}")
    return [*lines, ""] if lines else []


def described(docstring: str) -> str:
    """Return a numpydoc docstring as Markdown: sections as bold words, entries as lists."""
    head, *rest = _SECTION.split(docstring)
    parts = [_prose(head)]
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        parts.append(f"**{title}**\n\n{_entries(body) if title in _LISTS else _prose(body)}")
    return "\n\n".join(filter(None, parts)) + "\n"


def _prose(text: str) -> str:
    text = text.strip("\n").replace("``", "`")
    blocks = []
    for block in re.split(r"\n{2,}", text):
        blocks.append(fenced(block, "pycon") if block.lstrip().startswith(">>>") else block)
    return "\n\n".join(blocks)


def _entries(body: str) -> str:
    """Return ``name : text``, with its further lines, as points of a list."""
    points: list[str] = []
    for line in body.strip("\n").replace("``", "`").splitlines():
        if line and not line.startswith(" "):
            name, colon, text = line.partition(" : ")
            points.append(f"- `{name}`: {text}" if colon else f"- {line}")
        elif points and line:
            points[-1] += " " + line.strip()
    return "\n".join(points)
