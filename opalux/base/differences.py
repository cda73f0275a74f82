"""What differs between two configurations, in words for messages."""

from collections.abc import Iterator, Mapping
from typing import Any


def differences(before: Any, now: Any, *, added: bool = True, where: str = "") -> Iterator[str]:
    """Yield the dotted keys of nested mappings that differ, each with both values.

    Parameters
    ----------
    before, now : mappings; lists and tuples that hold the same are equal
    added : name keys that only ``now`` has, too
    where : dotted key at which both stand
    """
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in {**before, **now} if added else before:
            inner = f"{where}.{key}" if where else str(key)
            yield from differences(before.get(key), now.get(key), added=added, where=inner)
    elif _are_rows(before) and _are_rows(now) and len(before) == len(now):
        for number, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from differences(one, other, added=added, where=f"{where}.{number}")
    elif _plain(before) != _plain(now):
        yield f"{where}: {_short(before)} then, {_short(now)} now"


def _are_rows(value: Any) -> bool:
    """Return whether a value is a list of mappings, such as families or sources."""
    return isinstance(value, list | tuple) and all(isinstance(row, Mapping) for row in value)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
