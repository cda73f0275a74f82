"""Whether signals come from the physics that a network was trained on, as far as files tell."""

from collections.abc import Sequence
from typing import Any, Literal

from opalux.base.errors import InputError
from opalux.jobs.inversion.decisive import decisive, flat, same
from opalux.jobs.inversion.trained import Trained
from opalux.learning.data.measurement import Measurement

Physics = Literal["same", "any"]

TOLD = ("scheme", "order", "constants", "material", "edges")
"""Those whose values are told where they are assumed."""


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
    expected = dict(flat(decisive(trained_on, varies=varies)))
    if measurement.partial:
        return [], "a table keeps no physics; that of the training data is assumed"
    if measurement.physics is None:
        shown = (f"{key} {value}" for key, value in expected.items() if _is_told(key, value))
        return [], f"keeps no physics; assumed as in the training data: {', '.join(shown)}"
    found = dict(flat(decisive(measurement.physics, varies=varies)))
    differ = [
        f"{key}: {found.get(key)} there, {expected.get(key)} in the training data"
        for key in expected | found
        if key not in measurement.unknown and not same(found.get(key), expected.get(key))
    ]
    unknown = ", ".join(
        f"{key} {expected[key]}" for key in measurement.unknown if expected.get(key) is not None
    )
    return differ, f"does not say all; assumed as in the training data: {unknown}" * bool(unknown)


def _is_told(key: str, value: Any) -> bool:
    return key.split(".")[0] in TOLD and value is not None and not same(value, 0)
