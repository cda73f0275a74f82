"""Signals that are not from a data set, brought into the form that a network takes."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opalux.base.axes import At
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
    signals : per edge (quantities, n, cells): E, |F| and T where all are recorded
    physics : resolved configuration of the simulation that gave them; None: not known
    unknown : keys of ``physics`` that hold no more than a default, since the origin does not keep
        them
    assumed : what was assumed to read them, in words; empty: nothing
    at : where they are: in the cells along the edges, or on the ``edge`` itself
    """

    origin: str
    source: str
    times: NDArray[np.float64]
    signals: dict[str, NDArray[np.float64]]
    physics: Mapping[str, Any] | None = None
    unknown: tuple[str, ...] = ()
    assumed: str = ""
    at: At = "cell"


def assemble(
    measurements: Sequence[Measurement],
    layout: Layout,
    times: NDArray[np.float64],
    mean: NDArray[np.floating],
    std: NDArray[np.floating],
    may_lack: int = 0,
) -> NDArray[np.float32]:
    """Put measurements together as the signals of one sample.

    Signals of a finer grid are averaged and other times are interpolated. A source that was not
    measured gets the channel's mean, as in training when sources are left out.

    Parameters
    ----------
    measurements : one for each source
    layout : that the network was trained with
    times : (n_times,) that it was trained with [sh]
    mean, std : (sources, edges, quantities) of its training data
    may_lack : number of sources that it was trained to do without

    Returns
    -------
    (sources, edges, quantities, n_times, n_cells)

    Raises
    ------
    InputError
        When something is missing, is not a number, or does not fit the training data.
    """
    _check_sources(measurements, layout, may_lack)
    signals = np.broadcast_to(mean[..., None, None], layout.signals_shape).astype(np.float32)
    for measured in measurements:
        _check_times(measured, times)
        source = layout.sources.index(measured.source)
        for edge, name in enumerate(layout.edges):
            where = f"{measured.origin}: edge {name}"
            given = measured.signals.get(name)
            n = len(measured.times)
            if given is None or given.ndim != 3 or given.shape[:2] != (len(layout.quantities), n):
                found = "nothing" if given is None else f"an array {given.shape}"
                raise InputError(
                    f"{where}: found {found}, expected ({len(layout.quantities)} quantities "
                    f"{', '.join(layout.quantities)}; {n} times; cells)"
                )
            if not np.isfinite(given).all():
                raise InputError(
                    f"{where}: found NaN or infinity, expected numbers; correct the file"
                )
            coarse = _coarsen(given, layout.n_cells, where)
            signals[source, edge] = resample(coarse, measured.times, times)
            far = np.abs(signals[source, edge].mean((1, 2)) - mean[source, edge])
            far /= std[source, edge]
            if far.max() > FAR:
                quantity = int(far.argmax())
                raise InputError(
                    f"{where}: {layout.quantities[quantity]} is "
                    f"{signals[source, edge, quantity].mean():.4g} on average, but the network "
                    f"was trained on {mean[source, edge, quantity]:.4g} ± "
                    f"{std[source, edge, quantity]:.2g}; use the units cm, sh, g, keV and the same "
                    "kind of source"
                )
    return signals


def _check_sources(measurements: Sequence[Measurement], layout: Layout, may_lack: int) -> None:
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
    lacking = [name for name in layout.sources if name not in names]
    if len(lacking) > may_lack:
        raise InputError(
            f"found no signals for source {', '.join(lacking)}, expected one simulation or "
            f"measurement for each of {', '.join(layout.sources)}; give them, or train with "
            f"augmentation.drop_sources={len(lacking)}"
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
