"""One part of a data set: an HDF5 file of a few samples, written whole or not at all.

A part is built in memory and then written as plain bytes: then a full disk is an ordinary `OSError`
and not a broken HDF5 handle, and equal samples give equal files, byte for byte.
"""

import dataclasses
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from opalux.base.files import atomic
from opalux.learning.data.card import FORMAT, FORMAT_VERSION, Card
from opalux.learning.data.description import describe_arrays
from opalux.learning.data.stats import moments

GOOD, FAILED = 0, 1

Compression = Literal["none", "lzf", "gzip"]

_INDEX = (
    "times",
    "sample_id",
    "family",
    "seed",
    "status",
    "sources",
    "drawn",
    "reason",
    "checksum",
    "signal_moments",
    "density_moments",
    "density_range",
)
"""The arrays besides the two large ones that have one checksum, the attribute
``index_checksum``; coordinates, which repeat the data card, are not among them."""


class DamagedPartError(ValueError):
    """A part that is missing, damaged or of another data set; the message says why."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """The n samples of one part, in the order of their numbers.

    Attributes
    ----------
    density : (n, ny, nx) float32 [g/cm³], row 0 = bottom
    signals : (n, sources, edges, quantities, n_times, n_cells) float32; NaN where a sample failed,
        0 beyond the end of an edge that has fewer cells
    detectors : (n, sources, quantities, n_times, detectors) float32 likewise; None: there are none
    times : (n_times,) [sh]
    sample_id : (n,) numbers of the samples
    family : (n,) labels
    seed : (n,) seed of the campaign
    status : (n,) `GOOD` or `FAILED`
    sources : (n, sources, 2) where each source starts and stops along its edge [cm]
    drawn : (n,) what was drawn for each density, as JSON
    reason : (n,) why a sample failed; empty for good ones
    """

    density: NDArray[np.float32]
    signals: NDArray[np.float32]
    times: NDArray[np.float64]
    sample_id: NDArray[np.int64]
    family: list[str]
    seed: NDArray[np.int64]
    status: NDArray[np.int8]
    sources: NDArray[np.float64]
    drawn: list[str]
    reason: list[str]
    detectors: NDArray[np.float32] | None = None


def write_part(
    path: Path,
    part: Part,
    card: Card,
    attributes: Mapping[str, str],
    compression: Compression = "none",
) -> int:
    """Write ``part`` to ``path``, atomically.

    Parameters
    ----------
    path : where to
    part : the samples
    card : of the data set
    attributes : text attributes of the file: configuration and versions
    compression : filter of the signals (lossless)

    Returns
    -------
    Size of the file [bytes].
    """
    image = _image(part, card, attributes, compression)
    with atomic(path) as temporary:
        temporary.write_bytes(image)
    return len(image)


def _image(
    part: Part, card: Card, attributes: Mapping[str, str], compression: Compression
) -> bytes:
    """Return the bytes of the HDF5 file."""
    text = h5py.string_dtype()
    large = {"density": part.density, "signals": part.signals}
    if part.detectors is not None:
        large["detectors"] = part.detectors
    small = {
        "times": part.times,
        "sample_id": part.sample_id,
        "family": np.array([label.encode() for label in part.family], dtype="S32"),
        "seed": part.seed,
        "status": part.status,
        "sources": part.sources,
        "drawn": np.array(part.drawn, dtype=object),
        "reason": np.array(part.reason, dtype=object),
        "checksum": np.array(
            [sample_checksum(*arrays) for arrays in zip(*large.values(), strict=True)],
            dtype=np.uint32,
        ),
        # One sample after the other, so that its numbers stay in the cache.
        "signal_moments": np.stack([_signal_moments(signals, card) for signals in part.signals]),
        "density_moments": moments(part.density, axes=2),
        "density_range": np.stack(
            [part.density.min(axis=(1, 2)), part.density.max(axis=(1, 2))], axis=-1
        ),
    }
    options: dict[str, object] = {}
    if compression != "none":
        options = {"compression": compression, "shuffle": True}
    if compression == "gzip":
        options["compression_opts"] = 1
    # Without a chunk cache every chunk gets its place when it is written, so that the layout of the
    # file does not depend on when a cache is emptied.
    with h5py.File("part", "w", driver="core", backing_store=False, rdcc_nbytes=0) as file:
        for name, array in large.items():
            file.create_dataset(name, data=array, chunks=(1, *array.shape[1:]), **options)
        for name, values in small.items():
            kind = text if values.dtype == object else values.dtype
            file.create_dataset(name, data=values, dtype=kind)
        describe_arrays(file, card)
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = FORMAT_VERSION
        for key, value in attributes.items():
            file.attrs[key] = value
        file.attrs["index_checksum"] = _index_checksum(file)
        file.flush()
        return bytes(file.id.get_file_image())


def _signal_moments(signals: NDArray[np.float32], card: Card) -> NDArray[np.float64]:
    """Return the moments (sources, edges, quantities, 2) of one sample over times and cells."""
    of_edges = [
        moments(signals[:, e, ..., : card.cells_on(edge)], axes=2)
        for e, edge in enumerate(card.edges)
    ]
    return np.stack(of_edges, axis=1)


def sample_checksum(*arrays: NDArray[np.float32]) -> int:
    """Return the checksum of one sample: density, signals and, where there are some, detectors."""
    crc = 0
    for array in arrays:
        crc = zlib.crc32(np.ascontiguousarray(array).data, crc)
    return crc


def _index_checksum(file: h5py.File) -> int:
    crc = 0
    for name in _INDEX:
        values = file[name][:]
        raw = b"\0".join(values) if values.dtype == object else values.tobytes()
        crc = zlib.crc32(raw, crc)
    return crc


def validate_part(path: Path, card: Card, part: int) -> NDArray[np.int8]:
    """Check one part completely: layout, checksums of the index and of every sample.

    Returns
    -------
    The status (n,) of its samples.

    Raises
    ------
    DamagedPartError
        When the file is missing, truncated, altered or of another data set.
    """
    numbers = card.samples_of(part)
    shapes = {
        "density": (len(numbers), *card.shape),
        "signals": (len(numbers), *card.signals_shape),
        "times": (card.n_times,),
    }
    large = ["density", "signals"]
    if card.detectors:
        large.append("detectors")
        shapes["detectors"] = (len(numbers), *card.detectors_shape)
    try:
        with h5py.File(path, "r") as file:
            for name, shape in shapes.items():
                if file[name].shape != shape:
                    raise DamagedPartError(f"{name} is {file[name].shape}, expected {shape}")
            if (at := file["signals"].attrs.get("at", "cell")) != card.signals_at:
                raise DamagedPartError(f"signals are at {at}, expected {card.signals_at}")
            if int(file.attrs["index_checksum"]) != _index_checksum(file):
                raise DamagedPartError("the index does not fit its checksum")
            if not np.array_equal(file["sample_id"][:], numbers):
                raise DamagedPartError("holds other samples than its name says")
            status: NDArray[np.int8] = file["status"][:]
            for row, expected in enumerate(file["checksum"][:]):
                if sample_checksum(*(file[name][row] for name in large)) != expected:
                    raise DamagedPartError(f"sample {numbers[row]} does not fit its checksum")
            return status
    except FileNotFoundError:
        raise DamagedPartError("missing") from None
    except DamagedPartError:
        raise
    except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
        raise DamagedPartError(f"unreadable ({error})") from None
