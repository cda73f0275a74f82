"""Whether signals come from the physics that a network was trained on, as far as files tell."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from opalux.base.errors import InputError
from opalux.jobs.inversion.trained import Trained
from opalux.learning.data.measurement import Measurement

COMPARED = ("scheme", "order", "constants", "material", "source", "initial", "edges", "grid")
"""Keys of a configuration that decide the signals; the span of time is checked with the signals."""


def require_same_physics(trained: Trained, measurements: Sequence[Measurement]) -> None:
    """Refuse signals whose files say that they were simulated with other physics.

    Raises
    ------
    InputError
        Names the keys that differ, and both values.
    """
    campaign = trained.campaign
    if campaign is None:
        return
    for measurement in measurements:
        if measurement.physics is None or measurement.source not in campaign.source_names:
            continue  # not known; and of an unknown source, other checks tell more
        number = campaign.source_names.index(measurement.source)
        place = campaign.sources[number]
        grid = campaign.problem.cells
        low, high = grid.x if place.edge in ("up", "down") else grid.y
        trained_on = campaign.problem_for(place.edge, low, high).model_dump(mode="json")
        varies = place.width is not None or place.start[0] != place.start[1]
        found = dict(_keys(_compared(measurement.physics, varies=varies), ""))
        expected = dict(_keys(_compared(trained_on, varies=varies), ""))
        differ = [
            f"{key}: {found.get(key)} there, {expected.get(key)} in the training data"
            for key in expected | found
            if not _equal(found.get(key), expected.get(key))
        ]
        if differ:
            more = f", and {len(differ) - 3} more keys" if len(differ) > 3 else ""
            raise InputError(
                f"{measurement.origin}: comes from other physics than the network was trained on "
                f"({'; '.join(differ[:3])}{more}); train on such signals, or set physics=any to "
                "reconstruct in spite of it"
            )


def _compared(config: Mapping[str, Any], *, varies: bool) -> dict[str, Any]:
    """Return the part of a resolved configuration that decides the signals.

    With ``varies`` the place of the source is drawn for each sample, so that any is right.
    """
    kept = {key: config[key] for key in COMPARED if key in config}
    grid = dict(kept.get("grid") or {})
    x, y = grid.get("x"), grid.get("y")
    if y is None and x and grid.get("nx") and grid.get("ny"):  # square cells
        y = [0.0, grid["ny"] * (x[1] - x[0]) / grid["nx"]]
    kept["grid"] = {"x": x} if y is None else {"x": x, "y": y}
    material = dict(kept.get("material") or {})
    material.pop("density", None)
    kept["material"] = material
    edges = {}
    for name, edge in (kept.get("edges") or {}).items():
        extent = x if name in ("up", "down") else y
        pulses = [_pulse(pulse, extent, varies=varies) for pulse in edge.get("sources") or ()]
        edges[name] = {**edge, "sources": pulses} if pulses else edge
    kept["edges"] = edges
    return kept


def _pulse(pulse: Mapping[str, Any], extent: Any, *, varies: bool) -> dict[str, Any]:
    low, high = extent or (None, None)
    ends = {
        "start": low if pulse.get("start") is None else pulse["start"],
        "stop": high if pulse.get("stop") is None else pulse["stop"],
    }
    return {**pulse, **({"start": None, "stop": None} if varies else ends)}


def _keys(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Yield the dotted keys of nested mappings and lists, each with its plain value."""
    if isinstance(value, Mapping):
        pairs: Any = value.items()
    elif isinstance(value, list | tuple):
        pairs = enumerate(value)
    else:
        yield where, value
        return
    for key, inner in pairs:
        yield from _keys(inner, f"{where}.{key}" if where else str(key))


def _equal(one: Any, other: Any) -> bool:
    """Return whether two values say the same; numbers may be written as texts, as formulas are."""
    try:
        a, b = float(one), float(other)
    except (TypeError, ValueError):
        return bool(one == other)
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b))
