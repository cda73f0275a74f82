"""The published binary format sds02: simulations on one grid with one source each.

Header: ``sds02``, then how many simulations, cells along x (N) and y (M) and steps as uint16, then
a newline. Each simulation: edge and position of the source as int8, density (M, N), the signals
(E, |F|, T; steps; cells) of up, down, left, right as float32, and a newline. Little-endian.
"""

import dataclasses
import io
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.solver.legacy.origins import Origin, checksum, read_origins, step_of
from opalux.solver.solution import Solution, edge_quantities

MAGIC = b"sds02"
PULSE_STARTS = (0.1, 0.3, 0.5, 0.7)  # the published portions of an edge, by number
LIMIT = 2**16 - 1  # cells along an axis, steps, simulations
_HEADER = struct.Struct("<5sHHHHc")


@dataclasses.dataclass(frozen=True)
class SdsRecord:
    """One simulation of an sds02 file.

    Attributes
    ----------
    edge, position : number of the source's edge (up, down, left, right; −1 none) and of its
        portion (−1: none of the published ones)
    density : (ny, nx) float32, row 0 = bottom
    signals : per edge (steps, 3, cells) float32: E, |F|, T
    origin : scheme, step and problem, where a file beside this one tells them
    """

    edge: int
    position: int
    density: np.ndarray
    signals: dict[str, np.ndarray]
    origin: Origin | None = None

    def step(self, given: float | None) -> tuple[float, str]:
        """Return the step of the signals [sh], and in words what is assumed of it.

        Without an origin and a ``given`` step it is 0.5·Δx/c on x ∈ [0, 1], as published.
        """
        return step_of(self.origin, given, 0.5 / self.density.shape[1] / 299.0)


class SdsHeader(NamedTuple):
    """Header of an sds02 file: simulations, cells along x and y, steps."""

    simulations: int
    nx: int
    ny: int
    steps: int

    @property
    def length(self) -> int:
        """Bytes of a simulation."""
        return self.key_length + 4 * 3 * self.steps * 2 * (self.nx + self.ny) + 1

    @property
    def key_length(self) -> int:
        """Bytes at the start of a simulation that say which one it is: its source and density."""
        return 2 + 4 * self.nx * self.ny

    def pack(self) -> bytes:
        """Return the bytes of the header."""
        return _HEADER.pack(MAGIC, *self, b"\n")


def split_sds(data: bytes, name: Path | str) -> tuple[SdsHeader, list[bytes]]:
    """Return header and simulations of the content of the file ``name``, which may lack some.

    Raises
    ------
    InputError
        When it is no sds02 file, or is cut off or damaged.
    """
    if len(data) < _HEADER.size or not data.startswith(MAGIC):
        raise InputError(f"{name}: found {data[:5]!r}, expected an sds02 file")
    _, *numbers, end = _HEADER.unpack_from(data)
    header = SdsHeader(*numbers)
    announced, nx, ny, steps = header
    whole, rest = divmod(len(data) - _HEADER.size, header.length)
    if rest or not min(nx, ny, steps):
        raise InputError(
            f"{name}: announces {announced} simulations of {nx} x {ny} cells and {steps} steps "
            f"({header.length} bytes each) and holds {whole} and {rest} bytes; the file is cut off "
            "or damaged: write it again"
        )
    records = [
        data[start : start + header.length]
        for start in range(_HEADER.size, len(data), header.length)
    ]
    for number, part in enumerate([end, *records]):
        if part[-1:] != b"\n":
            where = f"simulation {number}" if number else "the header"
            raise InputError(
                f"{name}: found {part[-1:]!r} at the end of {where}, expected a newline; the file "
                "is damaged: write it again"
            )
    return header, records


def read_sds(path: Path) -> list[SdsRecord]:
    """Read an sds02 file.

    Raises
    ------
    InputError
        When it is not one, is cut off, or does not hold the simulations that it announces.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    header, records = split_sds(data, path)
    if len(records) != header.simulations or not records:
        advice = (
            "write those that are missing, or the whole file again"
            if len(records) <= header.simulations
            else "correct the number in its header (bytes 5 and 6, little-endian)"
        )
        raise InputError(
            f"{path}: announces {header.simulations} simulations and holds {len(records)}; {advice}"
        )
    origins = read_origins(path)
    return [
        _record(record, header, f"{path}, simulation {number}", origins.get(checksum(record)))
        for number, record in enumerate(records, start=1)
    ]


def _record(data: bytes, header: SdsHeader, where: str, origin: Origin | None) -> SdsRecord:
    _, nx, ny, steps = header
    edge, position = struct.unpack_from("<bb", data)
    density = np.frombuffer(data, "<f4", ny * nx, 2).reshape(ny, nx)
    place = header.key_length
    signals = {}
    for name, cells in zip(EDGES, (nx, nx, ny, ny), strict=True):
        signal = np.frombuffer(data, "<f4", 3 * steps * cells, place)
        signals[name] = np.moveaxis(signal.reshape(3, steps, cells), 0, 1)
        place += signal.nbytes
    for what, values in {"the density": density, **signals}.items():
        if not np.isfinite(values).all():
            raise InputError(
                f"{where}, {what}: holds NaN or infinity, expected numbers; leave this simulation "
                "out"
            )
    if not (density > 0).all():
        raise InputError(
            f"{where}, the density: found {density.min()}, expected numbers above 0 g/cm³; the "
            "file is damaged"
        )
    for what, found, count in (
        ("edge", edge, len(EDGES)),
        ("position", position, len(PULSE_STARTS)),
    ):
        if not -1 <= found < count:
            raise InputError(
                f"{where}: found {what} {found}, expected -1 to {count - 1}; the file is damaged"
            )
    return SdsRecord(edge, position, density, signals, origin)


def sds_key(density: np.ndarray, edge: int, start: float | None) -> bytes:
    """Return the bytes at the start of a simulation that say which one it is.

    Parameters
    ----------
    density : (ny, nx) [g/cm³]
    edge, start : see `sds_bytes`
    """
    position = PULSE_STARTS.index(start) if start in PULSE_STARTS and edge >= 0 else -1
    return struct.pack("<bb", edge, position) + density.astype("<f4").tobytes()


def sds_record(solution: Solution, edge: int, start: float | None) -> bytes:
    """Return a simulation as it stands in an sds02 file; see `sds_bytes`."""
    out = io.BytesIO()
    out.write(sds_key(solution.rho, edge, start))
    for name in EDGES:
        for quantity in edge_quantities(solution.signals[name]):
            out.write(quantity.astype("<f4").tobytes())
    out.write(b"\n")
    return out.getvalue()


def join_sds(header: SdsHeader, records: Iterable[bytes]) -> bytes:
    """Return the content of an sds02 file."""
    if max(header) > LIMIT:
        raise InputError(f"sds02 holds at most {LIMIT} cells, steps and simulations")
    return b"".join([header.pack(), *records])


def sds_bytes(
    solution: Solution, edge: int, start: float | None, simulations: int, header: bool
) -> bytes:
    """Return a simulation in the sds02 format.

    Parameters
    ----------
    edge, start : number of the source's edge (−1: none) and where the source starts [cm]
    simulations : how many simulations the file is to hold (for the header)
    header : whether the file begins with this simulation
    """
    ny, nx = solution.rho.shape
    whole = SdsHeader(simulations, nx, ny, len(solution.times))
    joined = join_sds(whole, [sds_record(solution, edge, start)])
    return joined if header else joined[_HEADER.size :]
