"""Whole time series along whole edges, as files of a simulation keep them, as rows."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from opalux.base.axes import EDGES, QUANTITIES, along
from opalux.base.errors import InputError
from opalux.jobs.inversion.decisive import decisive, flat, same
from opalux.jobs.measured.settings import MeasuredProblem, Source
from opalux.learning.data.measurement import Measurement
from opalux.solver.files.table_columns import FARTHEST
from opalux.solver.inversion.rows import Rows, joined

NUMERICS = ("scheme", "order", "grid")
"""What files may do in another way than the problem: how it is solved, and how it is divided."""

TOLD = 3  # keys in a message


@dataclasses.dataclass(frozen=True)
class Picked:
    """Which times of the series are used.

    Attributes
    ----------
    one_in : of so many times the last one is used; 1: all
    values : of the times that are used
    whole : of all times up to the end of the problem
    """

    one_in: int
    values: int
    whole: int


def picked(series: Sequence[Measurement], final: float, most: int) -> Picked:
    """Choose the times, the most that keep all values together below a limit.

    Times are picked, not averaged, so that each value keeps its meaning and its noise.

    Parameters
    ----------
    series : as read
    final : end of the problem [sh]
    most : values of all series together

    Raises
    ------
    InputError
        When two times of each are too many.
    """
    sizes = [(int(_until(one, final).sum()), _values_a_time(one)) for one in series]
    whole = sum(times * values for times, values in sizes)
    one_in = max(1, -(-whole // most))
    while (values := sum(-(-times // one_in) * values for times, values in sizes)) > most:
        if one_in >= max(times for times, _ in sizes):
            break
        one_in += 1
    if any(-(-times // one_in) < 2 for times, _ in sizes):
        fewest = sum(min(times, 2) * values for times, values in sizes)
        raise InputError(
            f"most_values: found {most}, expected at least {fewest}, two times of each file; raise "
            "it, or give detectors of your choice in a table"
        )
    return Picked(one_in, values, whole)


def rows_of(measured: Measurement, problem: MeasuredProblem, one_in: int) -> Rows:
    """Return every ``one_in``-th time of signals along whole edges as rows, the last one included.

    Raises
    ------
    InputError
        When there are no numbers.
    """
    parts: list[Rows] = []
    kept = np.flatnonzero(_until(measured, problem.time.final))[::-1][::one_in][::-1]
    times = measured.times[kept]
    for edge in EDGES:
        values = np.asarray(measured.signals[edge])
        if not (np.abs(values) <= FARTHEST).all():
            raise InputError(
                f"{measured.origin}: edge {edge}: found NaN, infinity or numbers beyond "
                f"{FARTHEST:g}, expected signals"
            )
        low, high = getattr(problem.cells, along(edge))
        cells = values.shape[-1]
        places = low + (np.arange(cells) + 0.5) * ((high - low) / cells)
        for quantity, value in zip(QUANTITIES, values[:, kept], strict=True):
            n = value.size
            parts.append(
                Rows(
                    source=np.full(n, measured.source),
                    edge=np.full(n, edge),
                    quantity=np.full(n, quantity),
                    position=np.tile(places, len(times)),
                    width=np.zeros(n),
                    time=np.repeat(times, cells),
                    value=value.ravel().astype(float),
                    sigma=np.full(n, np.nan),
                )
            )
    return joined(parts)


def require_fit(series: Sequence[Measurement], problem: MeasuredProblem) -> None:
    """Refuse series of another domain, of too few times, or of one source twice.

    Raises
    ------
    InputError
        Names the file, what was found and what is expected.
    """
    final, origins = problem.time.final, dict[str, str]()
    for one in series:
        if one.source in origins:
            raise InputError(
                f"{one.origin}: found source {one.source}, as in {origins[one.source]}, expected "
                "each source once; leave one out"
            )
        origins[one.source] = one.origin
        _require_times(one)
        _require_domain(one, problem)
        until = int(_until(one, final).sum())
        if until < 2:
            raise InputError(
                f"{one.origin}: found {until} times up to problem.time.final = {final:g} sh, "
                "expected at least two; raise it"
            )


def remarks_on(series: Sequence[Measurement], picks: Picked, problem: MeasuredProblem) -> list[str]:
    """Return in words what was assumed of series, and what of them is not used."""
    final, remarks = problem.time.final, list[str]()
    for one in series:
        if one.assumed:
            remarks.append(f"{one.origin}: {one.assumed}")
        late = len(one.times) - int(_until(one, final).sum())
        if late:
            remarks.append(
                f"{one.origin}: {late} of {len(one.times)} times are after problem.time.final = "
                f"{final:g} sh and are left out"
            )
    if picks.one_in > 1:
        remarks.append(
            f"one time in {picks.one_in} of the files is used: {picks.values:,} of "
            f"{picks.whole:,} values; raise 'most_values' to use more"
        )
    return remarks


def other_physics(measured: Measurement, problem: Mapping[str, Any]) -> str:
    """Return in words what a file says of its physics that the resolved problem does not.

    Empty where they are the same, or the file says nothing. How both are solved is left out.
    """
    if measured.physics is None:
        return ""
    found, expected = (
        {
            key: value
            for key, value in flat(decisive(one, varies=False))
            if key.split(".")[0] not in NUMERICS
        }
        for one in (measured.physics, problem)
    )
    differ = [
        f"{key}: {found[key]} there, {expected[key]} in the configuration"
        for key in found
        if key in expected and key not in measured.unknown and not same(found[key], expected[key])
    ]
    if not differ:
        return ""
    more = f", and {len(differ) - TOLD} more keys" if len(differ) > TOLD else ""
    return f"{measured.origin}: comes from other physics ({'; '.join(differ[:TOLD])}{more})"


def cells_of(measured: Measurement) -> int:
    """Return the cells along x of the grid whose first cells were measured; 0: the edge itself."""
    return 0 if measured.at == "edge" else int(measured.signals["up"].shape[-1])


def source_of(measured: Measurement) -> Source | None:
    """Return what a file says of its source; None: nothing.

    Raises
    ------
    InputError
        When several portions radiate.
    """
    if measured.physics is None:
        return None
    edge = measured.physics["edges"][measured.source]
    pulses = edge.get("sources") or [{}]
    if len(pulses) != 1:
        raise InputError(
            f"{measured.origin}: found {len(pulses)} portions that radiate, expected one; solve "
            "each by itself"
        )
    return Source.model_validate({**pulses[0], "edge": measured.source, "T": edge.get("T", "5")})


def _until(measured: Measurement, final: float) -> np.ndarray:
    """Return which times (n,) are simulated."""
    return np.asarray(measured.times <= final * (1 + 1e-9))


def _values_a_time(measured: Measurement) -> int:
    return sum(signal.shape[0] * signal.shape[-1] for signal in measured.signals.values())


def _require_times(measured: Measurement) -> None:
    """Refuse times that are no numbers from 0 on, each later than the one before."""
    times = measured.times
    good = times.dtype.kind in "fiu" and np.isfinite(times).all()
    if not (good and (times >= 0).all() and (np.diff(times) > 0).all()):
        raise InputError(
            f"{measured.origin}: found times that do not grow from 0 sh on, expected each later "
            "than the one before; the file is damaged: make it anew"
        )


def _require_domain(measured: Measurement, problem: MeasuredProblem) -> None:
    """Refuse signals of a domain of another size, or of cells that the map's do not fit on."""
    grid = problem.cells
    along_x, along_y = (measured.signals[edge].shape[-1] for edge in ("up", "left"))
    if measured.at == "cell" and along_x * grid.ny != along_y * grid.nx:
        raise InputError(
            f"{measured.origin}: found signals of {along_x} x {along_y} cells, expected so many "
            f"times those of the map, {grid.nx} x {grid.ny}, along both axes; change problem.grid"
        )
    if measured.physics is None:
        return
    extent = decisive(measured.physics, varies=False)["grid"]
    for axis in "xy":
        ends, own = extent.get(axis), getattr(grid, axis)
        if ends is not None and not all(map(same, ends, own)):
            raise InputError(
                f"{measured.origin}: found a domain from {ends[0]:g} to {ends[1]:g} cm along "
                f"{axis}, expected {own[0]:g} to {own[1]:g} cm as in problem.grid; correct one"
            )
