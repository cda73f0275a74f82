"""A long table of measured values at the places and times that a network takes.

In time, values are interpolated by Akima's splines, which do not overshoot where a source begins;
along an edge linearly, or averaged where several detectors lie in one cell of the network. Over
gaps of more than `GAP` cells or times nothing is invented: what is there is not known.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import Akima1DInterpolator

from opalux.base.axes import EDGES, along
from opalux.base.errors import InputError
from opalux.jobs.inversion.signal_files import files_in
from opalux.learning.data.card import Card
from opalux.learning.data.measurement import Measurement
from opalux.solver.files.measurements import is_table, read_table
from opalux.solver.inversion.rows import Rows, joined

Array = NDArray[np.float64]

GAP = 4.0
"""Widest gap between detectors, or times, that is interpolated [cells or times of the network]."""
SLACK = 1e-6
"""Part of a cell or time by which rounding may move a place."""


def split_tables(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Return the long tables among files and folders, and everything else."""
    tables: list[Path] = []
    others: list[Path] = []
    for path in paths:
        inside = [path]
        if path.is_dir():
            inside = files_in(path) or [path]  # an empty folder is refused by whoever reads it
        for file in inside:
            readable = file.is_file() and file.suffix.lower() in (".csv", ".h5")
            (tables if readable and is_table(file) else others).append(file)
    return tables, others


def from_tables(paths: Sequence[Path], card: Card, times: Array) -> list[Measurement]:
    """Return what long tables say at the places and times of a network, one for each source.

    Parameters
    ----------
    paths : long tables
    card : of the data that the network was trained on
    times : (n_times,) that it takes [sh]

    Raises
    ------
    InputError
        When a table is wrong, or none of its detectors is on an edge of the domain.
    """
    parts = []
    for path in paths:
        rows = read_table(path).rows
        _require_on_domain(rows, path, card)
        parts.append(rows)
    rows = joined(parts)
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    measurements = []
    for name in rows.sources:
        own = rows.take(rows.source == name)
        of_edges = {edge: _on_edge(own, edge, card, times) for edge in EDGES}
        signals = {edge: values for edge, (values, _) in of_edges.items()}
        measurements.append(
            Measurement(
                origin=f"{paths[0]}{more}, source {name}",
                source=name,
                times=times,
                signals=signals,
                assumed=_left_out(own, signals, card, times),
                at="edge",
                quantities=card.quantities,
                partial=True,
                noise=_noise(own),
                seen={edge: seen for edge, (_, seen) in of_edges.items()},
            )
        )
    return measurements


def _noise(rows: Rows) -> float | None:
    """Return the median noise as a share of each channel's deviation; None: not in the table."""
    shares, channels = [], rows.channels
    for channel in np.unique(channels):
        own = channels == channel
        deviation = rows.value[own].std()
        if deviation > 0:
            shares.append(rows.sigma[own] / deviation)
    known = np.concatenate(shares) if shares else np.zeros(0)
    known = known[np.isfinite(known)]
    return float(np.median(known)) if len(known) else None


def _extent(edge: str, card: Card) -> tuple[float, float]:
    return card.extents[0 if along(edge) == "x" else 1]


def _require_on_domain(rows: Rows, path: Path, card: Card) -> None:
    if rows.inside.any():
        row = int(np.flatnonzero(rows.inside)[0])
        raise InputError(
            f"{path}: found a detector inside the domain ({rows.place(row)}), expected detectors "
            "on its edges, which networks read; leave it out, or use `opalux invert`"
        )
    for edge in EDGES:
        low, high = _extent(edge, card)
        place = rows.position[rows.edge == edge]
        outside = (place < low) | (place > high)
        if outside.any():
            raise InputError(
                f"{path}: edge {edge}: found a detector at {place[outside][0]:g} cm, expected "
                f"{low:g} to {high:g} cm, the domain of the network's training data"
            )


def _on_edge(rows: Rows, edge: str, card: Card, times: Array) -> tuple[Array, Array]:
    """Return the signals (quantities, n_times, cells) of an edge, and how its cells are seen.

    They are NaN where not known; for the second see `Measurement.seen`.
    """
    low, high = _extent(edge, card)
    n_cells = card.cells_on(edge)
    signals = np.full((len(card.quantities), len(times), n_cells), np.nan)
    here = rows.take(rows.edge == edge)
    seen = np.tile(np.eye(n_cells), (len(card.quantities), 1, 1))
    per_cm = n_cells / (high - low)
    cells, widths = (here.position - low) * per_cm, np.nan_to_num(here.width) * per_cm
    for number, quantity in enumerate(card.quantities):
        chosen = here.quantity == quantity
        if chosen.any():
            own, places, of_place = here.take(chosen), cells[chosen], widths[chosen]
            signals[number] = _at_places(own, places, times, n_cells)
            places, first = np.unique(places, return_index=True)
            along_edge = np.nan_to_num(_along(places, n_cells))
            seen[number] = along_edge @ _detectors(places, of_place[first], n_cells)
    return signals, seen


def _at_places(rows: Rows, cells: Array, times: Array, n_cells: int) -> Array:
    """Return one quantity at the network's times and cells (n_times, n_cells).

    ``cells`` : (rows,) positions, in cells from the low end of the edge.
    """
    places, number = np.unique(cells, return_inverse=True)
    at_times = np.stack(
        [
            _in_time(rows.time[number == k], rows.value[number == k], times)
            for k in range(len(places))
        ]
    )
    known = ~np.isnan(at_times)
    out = np.full((len(times), n_cells), np.nan)
    patterns, which = np.unique(known, axis=1, return_inverse=True)
    for k, pattern in enumerate(patterns.T):
        if pattern.any():
            columns = which.reshape(-1) == k
            matrix = _along(places[pattern], n_cells)
            out[columns] = (matrix @ at_times[np.ix_(pattern, columns)]).T
    return out


def _detectors(places: Array, widths: Array, n_cells: int) -> Array:
    """Return the matrix (places, n_cells) from cells to what detectors see: means over widths.

    A detector narrower than a cell sees the line between the centres of the cells beside it.
    """
    edges = np.arange(n_cells + 1.0)
    low, high = places[:, None] - widths[:, None] / 2, places[:, None] + widths[:, None] / 2
    covered = np.clip(np.minimum(high, edges[1:]) - np.maximum(low, edges[:-1]), 0.0, None)
    mean = covered / np.maximum(covered.sum(1, keepdims=True), 1e-12)
    centres = np.clip(places, 0.5, n_cells - 0.5)[:, None] - 0.5
    line = np.clip(1.0 - np.abs(centres - np.arange(n_cells)), 0.0, None)
    return np.where(widths[:, None] >= 1.0, mean, line)


def _in_time(given: Array, values: Array, times: Array) -> Array:
    """Return the values of one detector at ``times`` (n_times,), NaN in gaps and outside."""
    given, same = np.unique(given, return_inverse=True)
    values = np.bincount(same, values) / np.bincount(same)  # of several widths at one place
    step = (times[-1] - times[0]) / max(1, len(times) - 1)
    if len(given) == 1:
        return np.where(np.abs(times - given[0]) <= SLACK * step, values[0], np.nan)
    inside = np.clip(times, given[0], given[-1])
    spline = Akima1DInterpolator(given, values) if len(given) > 2 else None
    found = np.interp(inside, given, values) if spline is None else spline(inside)
    # Off the ends, half a step is as good as at them: signals of a simulation end a step early.
    off = np.abs(times - inside) > (0.5 + SLACK) * step
    after = np.clip(np.searchsorted(given, inside, side="right"), 1, len(given) - 1)
    wide = (given[after] - given[after - 1]) > (GAP + SLACK) * step
    nearest = np.minimum(np.abs(inside - given[after - 1]), np.abs(given[after] - inside))
    return np.where(off | (wide & (nearest > SLACK * step)), np.nan, found)


def _along(places: Array, n_cells: int) -> Array:
    """Return the matrix (n_cells, places) from detectors to cells; NaN in rows that are not known.

    A cell with several detectors takes their mean, another one the line between its neighbours,
    which goes on for half a gap beyond the outermost.
    """
    matrix = np.zeros((n_cells, len(places)))
    owner = np.minimum(places.astype(np.int64), n_cells - 1)
    for cell in range(n_cells):
        inside = np.flatnonzero(owner == cell)
        if len(inside) > 1:
            matrix[cell, inside] = 1 / len(inside)
            continue
        centre = cell + 0.5
        after = int(np.clip(np.searchsorted(places, centre), 1, max(1, len(places) - 1)))
        left, right = places[after - 1], places[min(after, len(places) - 1)]
        gap = right - left
        beyond = max(left - centre, centre - right, 0.0)
        nearest = min(abs(centre - left), abs(right - centre))
        if len(places) == 1 or gap > GAP + SLACK or beyond > gap / 2 + SLACK:
            matrix[cell] = np.nan if nearest > 0.5 + SLACK else 0.0
            if nearest <= 0.5 + SLACK:
                matrix[cell, int(np.argmin(np.abs(places - centre)))] = 1.0
            continue
        weight = (centre - left) / gap
        matrix[cell, after - 1], matrix[cell, after] = 1 - weight, weight
    return matrix


def _left_out(rows: Rows, signals: Mapping[str, Array], card: Card, times: Array) -> str:
    """Return in words what of the rows is not used, and what was not measured."""
    told = []
    others = sorted({str(name) for name in rows.quantity} - set(card.quantities))
    if others:
        told.append(f"not used: {', '.join(others)}, which the network does not take")
    late = int((rows.time > times[-1] * (1 + SLACK)).sum())
    if late:
        told.append(f"not used: {late} values after {times[-1]:.4g} sh, where its signals end")
    lacking = [
        f"{edge} {quantity}"
        for edge in card.edges
        for number, quantity in enumerate(card.quantities)
        if np.isnan(signals[edge][number]).all()
    ]
    share = float(np.mean([np.isnan(signals[edge]).mean() for edge in card.edges]))
    if lacking:
        told.append(f"not measured: {', '.join(lacking)}")
    if share:
        told.append(f"{share:.0%} of the network's places and times are not known")
    return "; ".join(told)
