"""Whether signals come from the physics that a network was trained on, as far as files tell."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from opalux.base.errors import InputError
from opalux.jobs.inversion.trained import Trained
from opalux.learning.data.measurement import Measurement
from opalux.solver.formulas.formula import Formula

Physics = Literal["same", "any"]

COMPARED = ("scheme", "order", "constants", "material", "source", "initial", "edges", "grid")
"""Keys of a configuration that decide the signals; the span of time is checked with the signals."""

TOLD = ("scheme", "order", "constants", "material", "edges")
"""Those whose values are told where they are assumed."""

ROUNDING = 1e-5
"""Relative difference of numbers that are the same; the published CSV keeps six digits."""

_POINT = {"rho": 1.7, "T": 3.1, "t": 0.0023, "x": 0.31, "y": 0.62, "t_0": 0.0011}
"""Where formulas are compared: no special values of any variable."""


def compare_physics(
    trained: Trained, measurements: Sequence[Measurement], physics: Physics
) -> tuple[str, ...]:
    """Compare what files say of their simulations with the training data.

    Parameters
    ----------
    trained : the network
    measurements : what it is given
    physics : same: other physics is refused; any: it is told

    Returns
    -------
    Lines for the user: what was assumed because files do not say it, and what differs.

    Raises
    ------
    InputError
        Names the keys that differ, and both values.
    """
    notes: dict[str, list[str]] = {}  # for each line, the origins that it is said of
    for measurement in measurements:
        # Whatever ``physics`` says: these are other numbers, not the same ones of other physics.
        if measurement.partial and trained.card.signals_at != measurement.at:
            raise InputError(
                f"{measurement.origin}: found values on the edges themselves, as in every table, "
                "but the network was trained on signals in the cells along the edges (at: cell); "
                "train on data with problem.scheme=staggered and problem.signals={at: edge}, or "
                "use `opalux invert`"
            )
        trained.card.require_signals_at(measurement.at, measurement.origin)
        if measurement.assumed:
            notes.setdefault(measurement.assumed, []).append(measurement.origin)
        differ, assumed = _compare(trained, measurement)
        if assumed:
            notes.setdefault(assumed, []).append(measurement.origin)
        if differ:
            more = f", and {len(differ) - 3} more keys" if len(differ) > 3 else ""
            line = (
                "comes from other physics than the network was trained on "
                f"({'; '.join(differ[:3])}{more})"
            )
            if physics == "same":
                raise InputError(
                    f"{measurement.origin}: {line}; train on such signals, or set physics=any to "
                    "reconstruct in spite of it"
                )
            notes.setdefault(f"warning: {line}", []).append(measurement.origin)
    return tuple(_said_of(line, origins) for line, origins in notes.items())


def _said_of(line: str, origins: list[str]) -> str:
    more = f" and {len(origins) - 1} more" if len(origins) > 1 else ""
    if line.startswith("warning: "):
        return f"warning: {origins[0]}{more}: {line.removeprefix('warning: ')}"
    return f"{origins[0]}{more}: {line}"


def _compare(trained: Trained, measurement: Measurement) -> tuple[list[str], str]:
    """Return the keys that differ with both values, and in words what is assumed to be the same."""
    campaign = trained.campaign
    if campaign is None:
        return [], "not compared: the network's data set was imported, so its physics is not known"
    if measurement.source not in campaign.source_names:
        return [], ""  # other checks tell more
    number = campaign.source_names.index(measurement.source)
    place = campaign.sources[number]
    low, high = place.span(campaign.problem.cells)
    trained_on = campaign.problem_for(place.edge, low, high).model_dump(mode="json")
    varies = place.width is not None or place.start[0] != place.start[1]
    expected = dict(_keys(decisive(trained_on, varies=varies), ""))
    if measurement.partial:
        return [], "a table keeps no physics; that of the training data is assumed"
    if measurement.physics is None:
        shown = (f"{key} {value}" for key, value in expected.items() if _is_told(key, value))
        return [], f"keeps no physics; assumed as in the training data: {', '.join(shown)}"
    found = dict(_keys(decisive(measurement.physics, varies=varies), ""))
    differ = [
        f"{key}: {found.get(key)} there, {expected.get(key)} in the training data"
        for key in expected | found
        if key not in measurement.unknown and not _equal(found.get(key), expected.get(key))
    ]
    unknown = ", ".join(
        f"{key} {expected[key]}" for key in measurement.unknown if expected.get(key) is not None
    )
    return differ, f"does not say all; assumed as in the training data: {unknown}" * bool(unknown)


def _is_told(key: str, value: Any) -> bool:
    return key.split(".")[0] in TOLD and value is not None and not _equal(value, 0)


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
