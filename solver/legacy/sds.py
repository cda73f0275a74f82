"""The published binary format sds02: densities and signals of many simulations, in float32."""

import dataclasses
import io
import struct
from pathlib import Path

import numpy as np

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.solver.solution import Solution, edge_quantities

MAGIC = b"sds02"
PULSE_STARTS = (0.1, 0.3, 0.5, 0.7)  # the published portions of an edge, by number


@dataclasses.dataclass(frozen=True)
class SdsRecord:
    """One simulation of an sds02 file.

    Attributes
    ----------
    edge, position : number of the source's edge (up, down, left, right; −1 none) and of its
        portion (−1: none of the published ones)
    density : (ny, nx) float32, row 0 = bottom
    signals : per edge (steps, 3, cells) float32: E, |F|, T
    """

    edge: int
    position: int
    density: np.ndarray
    signals: dict[str, np.ndarray]


_HEADER = struct.Struct("<5sHHHHc")


def read_sds(path: Path) -> list[SdsRecord]:
    """Read an sds02 file.

    Raises
    ------
    InputError
        When it is not one, or is cut off.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if len(data) < _HEADER.size or not data.startswith(MAGIC):
        raise InputError(f"{path}: found {data[:5]!r}, expected an sds02 file")
    _, announced, N, M, steps, _ = _HEADER.unpack_from(data)
    sizes = {"up": N, "down": N, "left": M, "right": M}
    length = 2 + 4 * (M * N + 3 * steps * 2 * (N + M)) + 1
    body = len(data) - _HEADER.size
    if body % length or body == 0:
        raise InputError(
            f"{path}: found {body} bytes behind the header, expected a multiple of {length} "
            f"(N {N}, M {M}, {steps} steps); the file is cut off or damaged"
        )
    if body // length < announced:
        raise InputError(
            f"{path}: announces {announced} simulations and holds {body // length}; write those "
            "that are missing, or the whole file again"
        )
    records: list[SdsRecord] = []
    for start in range(_HEADER.size, len(data), length):
        edge, position = struct.unpack_from("<bb", data, start)
        place = start + 2
        density = np.frombuffer(data, "<f4", M * N, place).reshape(M, N)
        place += density.nbytes
        signals = {}
        for name in EDGES:
            cells = sizes[name]
            signal = np.frombuffer(data, "<f4", 3 * steps * cells, place)
            signals[name] = np.moveaxis(signal.reshape(3, steps, cells), 0, 1)
            place += signal.nbytes
        number = len(records) + 1
        for where, values in {"the density": density, **signals}.items():
            if not np.isfinite(values).all():
                raise InputError(
                    f"{path}, simulation {number}, {where}: holds NaN or infinity, expected "
                    "numbers; leave this simulation out"
                )
        if not -1 <= edge < len(EDGES):
            raise InputError(
                f"{path}, simulation {number}: found edge {edge}, expected -1 to {len(EDGES) - 1}; "
                "the file is damaged"
            )
        records.append(SdsRecord(edge, position, density, signals))
    return records


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
    steps = len(solution.times)
    limit = 2**16 - 1
    if max(nx, ny, steps, simulations) > limit:
        raise InputError(f"sds02 holds at most {limit} cells, steps and simulations")
    position = PULSE_STARTS.index(start) if start in PULSE_STARTS and edge >= 0 else -1
    out = io.BytesIO()
    if header:
        out.write(_HEADER.pack(MAGIC, simulations, nx, ny, steps, b"\n"))
    out.write(struct.pack("<bb", edge, position))
    out.write(solution.rho.astype("<f4").tobytes())
    for name in EDGES:
        for quantity in edge_quantities(solution.signals[name]):
            out.write(quantity.astype("<f4").tobytes())
    out.write(b"\n")
    return out.getvalue()
