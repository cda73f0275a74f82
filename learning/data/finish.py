"""Finishing a data set once all of its parts are there: statistics and one view of all parts."""

from pathlib import Path

import h5py
import numpy as np

from opalux.base.errors import InputError
from opalux.base.files import atomic, write_text
from opalux.learning.data.card import part_name
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.description import describe_arrays
from opalux.learning.data.stats import NAME as STATS_NAME
from opalux.learning.data.stats import Stats, combine

VIEW_NAME = "all.h5"


def training_stats(data: DataSet) -> Stats:
    """Compute the statistics of the training split from the moments kept in the parts.

    Raises
    ------
    InputError
        When no training sample is good.
    """
    train = data.split("train")
    if not len(train):
        raise InputError(f"{data.folder}: no good sample in the training split")
    card = data.card
    signals = data.index("signal_moments")[train]
    density = data.index("density_moments")[train]
    bounds = data.index("density_range")[train]
    cells = np.array([card.cells_on(edge) for edge in card.edges])[:, None]
    signal_mean, signal_std = combine(signals, card.n_times * cells)
    density_mean, density_std = combine(density, card.shape[0] * card.shape[1])
    return Stats(
        signal_mean=signal_mean,
        signal_std=signal_std,
        density_min=float(bounds[:, 0].min()),
        density_max=float(bounds[:, 1].max()),
        density_mean=float(density_mean),
        density_std=float(density_std),
        n_samples=len(train),
    )


def finish(folder: Path) -> Stats:
    """Write ``stats.json`` and the virtual view of a data set whose parts are all there.

    Doing it again gives the same files, so that two processes may do it at once.
    """
    data = DataSet(folder)
    try:
        stats = training_stats(data)
        _write_view(data)
    finally:
        data.close()
    write_text(folder / STATS_NAME, stats.to_json())
    return stats


def _write_view(data: DataSet) -> None:
    """Write ``all.h5``: virtual arrays over the parts, found relative to the file itself.

    It is put together in memory, like the parts, so that a full disk is an ordinary `OSError`.
    """
    card = data.card
    first = data.part(0)
    with h5py.File(VIEW_NAME, "w", driver="core", backing_store=False) as view:
        large = ("density", "signals", *(["detectors"] if card.detectors else []))
        for name in (*large, "sample_id", "family", "seed", "status", "sources"):
            array = first[name]
            layout = h5py.VirtualLayout((card.n_samples, *array.shape[1:]), array.dtype)
            for part in range(card.n_parts):
                rows = card.samples_of(part)
                source = h5py.VirtualSource(
                    part_name(part), name, (len(rows), *array.shape[1:]), array.dtype
                )
                layout[rows.start : rows.stop] = source
            view.create_virtual_dataset(name, layout)
        view["times"] = data.times
        describe_arrays(view, card)
        view.attrs.update(first.attrs)
        del view.attrs["index_checksum"]
        view.flush()
        image = bytes(view.id.get_file_image())
    with atomic(data.folder / VIEW_NAME) as temporary:
        temporary.write_bytes(image)
