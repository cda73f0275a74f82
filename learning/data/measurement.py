"""Signals that are not from a data set, brought into the form that a network takes."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opalux.base.axes import QUANTITIES, At
from opalux.base.errors import InputError
from opalux.learning.data.layout import Layout
from opalux.learning.data.resampler import resample

FAR = 10.0
"""Signals further from a channel's mean are refused [standard deviations]."""


@dataclasses.dataclass(frozen=True)
class Measurement:
    """The signals of all edges, recorded while one source was on.

    Attributes
    ----------
    origin : file or other origin, for messages
    source : name of the source, as in the data card
    times : (n,) [sh], ascending
    signals : per edge (quantities, n, cells); of a ``partial`` one NaN where nothing was measured
    physics : resolved configuration of the simulation that gave them; None: not known
    unknown : keys of ``physics`` that hold no more than a default, since the origin does not keep
        them
    assumed : what was assumed to read them, in words; empty: nothing
    at : where they are: in the cells along the edges, or on the ``edge`` itself
    quantities : names along the first axis of the signals
    noise : as a share of each channel's standard deviation; None: not known
    seen : per edge (quantities, cells, cells): takes what is at the cells to what would stand in
        ``signals``, had the same detectors seen it; left out: the cells themselves
    partial : whether signals may lack; otherwise NaN is a damage, and an edge that lacks is one
    """

    origin: str
    source: str
    times: NDArray[np.float64]
    signals: dict[str, NDArray[np.float64]]
    physics: Mapping[str, Any] | None = None
    unknown: tuple[str, ...] = ()
    assumed: str = ""
    at: At = "cell"
    quantities: tuple[str, ...] = QUANTITIES
    partial: bool = False
    noise: float | None = None
    seen: Mapping[str, NDArray[np.float64]] | None = None


class MayLack(NamedTuple):
    """What a network was trained to do without.

    Attributes
    ----------
    sources, edges : so many
    anything : any source, edge, quantity, place or time; such a network is told what lacks
    """

    sources: int = 0
    edges: int = 0
    anything: bool = False


NOTHING = MayLack()


def assemble(
    measurements: Sequence[Measurement],
    layout: Layout,
    times: NDArray[np.float64],
    mean: NDArray[np.floating],
    std: NDArray[np.floating],
    may_lack: MayLack = NOTHING,
) -> NDArray[np.float32]:
    """Put measurements together as the signals of one sample.

    Signals of a finer grid are averaged and other times are interpolated.

    Parameters
    ----------
    measurements : one for each source
    layout : that the network was trained with
    times : (n_times,) that it was trained with [sh]
    mean, std : (sources, edges, quantities) of its training data
    may_lack : what it was trained to do without

    Returns
    -------
    (sources, edges, quantities, n_times, n_cells), NaN where nothing was measured, and beyond the
    end of an edge that has fewer cells

    Raises
    ------
    InputError
        When something is missing, is not a number, or does not fit the training data.
    """
    _check_sources(measurements, layout)
    signals = np.full(layout.signals_shape, np.nan, dtype=np.float32)
    for measured in measurements:
        _check_times(measured, times)
        source = layout.sources.index(measured.source)
        for edge, name in enumerate(layout.edges):
            where = f"{measured.origin}: edge {name}"
            given = _quantities(measured, name, layout, where)
            cells = layout.cells_on(name)
            own = signals[source, edge, ..., :cells]
            own[:] = resample(_coarsen(given, cells, where), measured.times, times)
            _refuse_far(own, mean[source, edge], std[source, edge], layout, where)
    known = np.isfinite(signals)
    if not known.any():
        raise InputError(
            f"{measurements[0].origin}: found no value at a place and time of the network, "
            f"expected {', '.join(layout.quantities)} at the edges up to {times[-1]:.4g} sh"
        )
    if not may_lack.anything:
        _refuse_lacking(known, layout, may_lack, measurements)
    return signals


def filled(signals: NDArray[np.float32], mean: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return signals with the channel's mean where nothing was measured, as some were trained."""
    return np.where(np.isnan(signals), mean[..., None, None], signals).astype(np.float32)


def _quantities(
    measured: Measurement, edge: str, layout: Layout, where: str
) -> NDArray[np.float64]:
    """Return the network's quantities (quantities, n, cells) of one edge."""
    given = measured.signals.get(edge)
    names, n = measured.quantities, len(measured.times)
    if given is None or given.ndim != 3 or given.shape[:2] != (len(names), n):
        found = "nothing" if given is None else f"an array {given.shape}"
        raise InputError(
            f"{where}: found {found}, expected ({len(names)} quantities {', '.join(names)}; "
            f"{n} times; cells)"
        )
    lacking = [name for name in layout.quantities if name not in names]
    if lacking:
        raise InputError(
            f"{where}: found {', '.join(names)}, expected {', '.join(lacking)}, too, which the "
            "network takes"
        )
    chosen = given[[names.index(name) for name in layout.quantities]]
    good = np.isfinite(chosen) | (np.isnan(chosen) & measured.partial)
    if not good.all():
        raise InputError(f"{where}: found NaN or infinity, expected numbers; correct the file")
    return chosen


def _refuse_far(
    signals: NDArray[np.float32],
    mean: NDArray[np.floating],
    std: NDArray[np.floating],
    layout: Layout,
    where: str,
) -> None:
    """Refuse signals (quantities, n_times, n_cells) that are far from those of the training."""
    for quantity, values in enumerate(signals):
        known = values[np.isfinite(values)]
        if len(known) and abs(known.mean() - mean[quantity]) > FAR * std[quantity]:
            raise InputError(
                f"{where}: {layout.quantities[quantity]} is {known.mean():.4g} on average, but the "
                f"network was trained on {mean[quantity]:.4g} ± {std[quantity]:.2g}; use the units "
                "cm, sh, g, keV and the same kind of source"
            )


def _refuse_lacking(
    known: NDArray[np.bool_],
    layout: Layout,
    may_lack: MayLack,
    measurements: Sequence[Measurement],
) -> None:
    """Refuse signals that lack more than a network was trained to do without."""
    silent = np.asarray(~known.any((1, 2, 3, 4)))
    lacking = [name for name, lacks in zip(layout.sources, silent, strict=True) if lacks]
    if len(lacking) > may_lack.sources:
        raise InputError(
            f"found no signals for source {', '.join(lacking)}, expected one simulation or "
            f"measurement for each of {', '.join(layout.sources)}; give them, or train with "
            f"augmentation.drop_sources={len(lacking)}, or with augmentation.subsets=true"
        )
    dark = np.asarray(~known[~silent].any((0, 2, 3, 4)))
    edges = [name for name, lacks in zip(layout.edges, dark, strict=True) if lacks]
    origin = measurements[0].origin
    if len(edges) > may_lack.edges:
        raise InputError(
            f"{origin}: found no signals on edge {', '.join(edges)}, expected all of "
            f"{', '.join(layout.edges)}; measure them, or train with "
            f"augmentation.drop_edges={len(edges)}, or with augmentation.subsets=true"
        )
    rest = known[~silent][:, ~dark] | ~layout.on_edges[~dark]
    if not rest.all():
        raise InputError(
            f"{origin}: found {1 - rest.mean():.0%} of the network's places and times without a "
            f"value ({'; '.join(_gaps(rest, layout, silent, dark))}), expected all of them, since "
            "it was trained on complete signals; measure closer, train with "
            "augmentation.subsets=true, or use `opalux invert`, which takes any"
        )


def _gaps(
    known: NDArray[np.bool_],
    layout: Layout,
    silent: NDArray[np.bool_],
    dark: NDArray[np.bool_],
) -> list[str]:
    """Return the first channels that lack something, in words."""
    sources = [name for name, lacks in zip(layout.sources, silent, strict=True) if not lacks]
    edges = [name for name, lacks in zip(layout.edges, dark, strict=True) if not lacks]
    full = known.all((3, 4))
    told = [
        f"source {sources[s]}, edge {edges[e]}, {layout.quantities[q]}: "
        f"{1 - known[s, e, q].mean():.0%}"
        for s, e, q in np.argwhere(~full)
    ]
    return told[:3] + ([f"and {len(told) - 3} more"] if len(told) > 3 else [])


def _check_sources(measurements: Sequence[Measurement], layout: Layout) -> None:
    names = [measured.source for measured in measurements]
    for measured in measurements:
        if measured.source not in layout.sources:
            raise InputError(
                f"{measured.origin}: found a source '{measured.source}', but the network was "
                f"trained with {', '.join(layout.sources)}"
            )
        if names.count(measured.source) > 1:
            raise InputError(
                f"{measured.origin}: source '{measured.source}' is given twice; keep one"
            )


def _check_times(measured: Measurement, times: NDArray[np.float64]) -> None:
    given = measured.times
    tolerance = 0.02 * (times[-1] - times[0])
    if len(given) < 2 or not np.isfinite(given).all() or not (np.diff(given) > 0).all():
        raise InputError(f"{measured.origin}: expected at least two times, ascending")
    if given[0] > times[0] + tolerance or given[-1] < times[-1] - tolerance:
        raise InputError(
            f"{measured.origin}: found times from {given[0]:.4g} to {given[-1]:.4g} sh, expected "
            f"{times[0]:.4g} to {times[-1]:.4g} sh; record the same span (1 sh = 10 ns)"
        )


def _coarsen(signals: NDArray[np.float64], cells: int, where: str) -> NDArray[np.float64]:
    found = signals.shape[-1]
    if found % cells:
        raise InputError(
            f"{where}: found {found} cells, expected {cells} or a multiple of it; solve on such a "
            "grid, or train on this one"
        )
    coarse: NDArray[np.float64] = signals.reshape(*signals.shape[:-1], cells, -1).mean(-1)
    return coarse
