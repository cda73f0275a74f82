"""What of a configuration decides the signals, and whether two values of it say the same."""

from collections.abc import Iterator, Mapping
from typing import Any

from opalux.base.errors import InputError
from opalux.solver.formulas.formula import Formula

COMPARED = ("scheme", "order", "constants", "material", "source", "initial", "edges", "grid")
"""Keys of a configuration that decide the signals; the span of time is checked with the signals."""

ROUNDING = 1e-5
"""Relative difference of numbers that are the same; the published CSV keeps six digits."""

_POINT = {"rho": 1.7, "T": 3.1, "t": 0.0023, "x": 0.31, "y": 0.62, "t_0": 0.0011}
"""Where formulas are compared: no special values of any variable."""


def decisive(config: Mapping[str, Any], *, varies: bool) -> dict[str, Any]:
    """Return the part of a resolved configuration that decides the signals.

    With ``varies`` the place of the source is drawn for each sample, so that any is right.
    """
    kept = {key: config[key] for key in COMPARED if key in config}
    grid = dict(kept.get("grid") or {})
    x, y = grid.get("x"), grid.get("y")
    if y is None and x and grid.get("nx"):  # square cells, as many along y where that is not said
        y = [0.0, (grid.get("ny") or grid["nx"]) * (x[1] - x[0]) / grid["nx"]]
    kept["grid"] = {"x": x} if y is None else {"x": x, "y": y}
    material = dict(kept.get("material") or {})
    material.pop("density", None)
    kept["material"] = material
    edges = {}
    for name, edge in (kept.get("edges") or {}).items():
        extent = x if name in ("up", "down") else y
        edges[name] = _edge(edge, extent, varies=varies)
    kept["edges"] = edges
    return kept


def _edge(edge: Mapping[str, Any], extent: Any, *, varies: bool) -> Mapping[str, Any]:
    if edge.get("kind") == "prescribed":  # as a .cfg says it
        rules = [edge.get(name) for name in ("E", "Fx", "Fy", "T")]
        return {"kind": "free"} if rules == ["free"] * 4 else edge
    pulses = [_pulse(pulse, extent, varies=varies) for pulse in edge.get("sources") or ()]
    return {**edge, "sources": pulses} if pulses else edge


def _pulse(pulse: Mapping[str, Any], extent: Any, *, varies: bool) -> dict[str, Any]:
    low, high = extent or (None, None)
    ends = {
        "start": low if pulse.get("start") is None else pulse["start"],
        "stop": high if pulse.get("stop") is None else pulse["stop"],
    }
    return {**pulse, **({"start": None, "stop": None} if varies else ends)}


def flat(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted keys of nested mappings and lists, each with its plain value."""
    if isinstance(value, Mapping):
        pairs: Any = value.items()
    elif isinstance(value, list | tuple):
        pairs = enumerate(value)
    else:
        yield where, value
        return
    for key, inner in pairs:
        yield from flat(inner, f"{where}.{key}" if where else str(key))


def same(one: Any, other: Any) -> bool:
    """Return whether two values say the same; formulas may be written in different ways."""
    if one == other:
        return True
    try:
        a, b = (
            float(Formula(value, tuple(_POINT))(**_POINT)) if isinstance(value, str) else value
            for value in (one, other)
        )
        return bool(abs(a - b) <= ROUNDING * max(abs(a), abs(b)))
    except (InputError, TypeError, ValueError, ArithmeticError):
        return False
