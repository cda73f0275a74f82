"""Importing the published binary format: sds02 files with one or more simulations."""

import dataclasses
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.base.files import write_text
from opalux.base.new_folder import new_folder
from opalux.base.progress import Progress
from opalux.base.provenance import git_revision, version
from opalux.jobs.sampling.campaign import MOST_TIMES
from opalux.learning.data.card import MOST_SAMPLES, NAME, Card, Splits, part_name
from opalux.learning.data.densities import checksum
from opalux.learning.data.finish import finish
from opalux.learning.data.part import GOOD, Part, write_part
from opalux.learning.data.resampler import resample
from opalux.solver.legacy.sds import PULSE_STARTS, SdsRecord, read_sds

PULSE_WIDTH = 0.2  # of the published portions of an edge [cm]

SourceCode = tuple[int, int]
"""Number of the edge, and number of the position on it; −1: none, or the whole edge."""


@dataclasses.dataclass(frozen=True)
class _SimulatedDensity:
    """One density with its simulations, from the file ``name``."""

    name: str
    records: list[SdsRecord]

    @property
    def sources(self) -> list[SourceCode]:
        """The sources of its simulations."""
        return [(record.edge, record.position) for record in self.records]


def import_sds(
    files: list[Path],
    out: Path,
    *,
    name: str,
    splits: Splits | None,
    n_times: int | None,
    dt: float | None,
    shard_size: int,
    tell: Callable[[str], None] = lambda line: None,
) -> Card:
    """Write the densities of ``files`` as a data set into the new folder ``out``.

    Parameters
    ----------
    files : sds02 files; simulations of one density follow each other
    out : folder of the new data set
    name : of the data set
    splits : numbers of samples in each split; None: all for training
    n_times : times to interpolate to, evenly spaced; None: all steps
    dt : step [sh]; None: as the file beside each says, and where there is none, as published,
        0.5 Δx/c on [0, 1]
    shard_size : samples in each part
    tell : is called with a line on what was assumed

    Raises
    ------
    InputError
        When a file is no sds02 file, the files do not fit together, or the folder holds something.
        Then nothing is left in it.
    """
    missing = [path for path in files if not path.is_file()]
    if missing:
        raise InputError(f"{missing[0]}: no such file")
    if shard_size < 1 or (n_times is not None and n_times < 2):
        raise InputError("--shard-size must be at least 1 and --n-times at least 2")
    if shard_size > MOST_SAMPLES or (n_times or 0) > MOST_TIMES:
        raise InputError(
            f"--shard-size must be at most {MOST_SAMPLES} and --n-times at most {MOST_TIMES}"
        )
    if dt is not None and not dt > 0:
        raise InputError(f"--dt: found {dt}, expected a step above 0 sh")
    with new_folder(out):
        return _import(
            files,
            out,
            name=name,
            splits=splits,
            n_times=n_times,
            dt=dt,
            shard_size=shard_size,
            tell=tell,
        )


def _import(
    files: list[Path],
    out: Path,
    *,
    name: str,
    splits: Splits | None,
    n_times: int | None,
    dt: float | None,
    shard_size: int,
    tell: Callable[[str], None],
) -> Card:
    first = next(_densities(files[:1]))
    sources = sorted(first.sources)
    count = sum(
        1 for density in _all_different(_densities(files)) if _fits(density, first, sources, dt)
    )
    splits = splits or Splits(train=count)
    if splits.total != count:
        raise InputError(
            f"--splits: found {splits.total} samples in all, but the files hold {count} densities"
        )
    ny, nx = first.records[0].density.shape
    step, assumed = first.records[0].step(dt)
    steps = np.arange(len(first.records[0].signals["up"]), dtype=np.float64) * step
    if assumed:
        tell(f"{files[0]}: {assumed}")
    times = steps if n_times is None else np.linspace(steps[0], steps[-1], n_times)
    card = Card(
        name=name,
        origin=f"imported from {len(files)} sds02 files",
        splits=splits,
        shape=(ny, nx),
        sources=_names(sources),
        n_times=len(times),
        n_cells=nx,
        shard_size=shard_size,
        families=("imported",),
        made_with={"opalux_version": version(), "git_revision": git_revision()},
    )
    densities = _densities(files)
    with Progress("importing", count) as progress:
        for part in range(card.n_parts):
            numbers = card.samples_of(part)
            batch = list(itertools.islice(densities, len(numbers)))
            content = _part_of(batch, numbers, sources, steps, times)
            write_part(out / part_name(part), content, card, card.made_with)
            progress.advance(len(batch))
    write_text(out / NAME, card.to_yaml())
    finish(out)
    return card


def _densities(files: list[Path]) -> Iterator[_SimulatedDensity]:
    """Yield each density with its simulations: those that follow each other on one density."""
    for path in files:
        records = read_sds(path)
        for _, group in itertools.groupby(records, key=lambda record: record.density.tobytes()):
            yield _SimulatedDensity(path.name, list(group))


def _all_different(densities: Iterator[_SimulatedDensity]) -> Iterator[_SimulatedDensity]:
    """Yield the densities, or refuse one that came before."""
    seen: dict[bytes, tuple[int, str]] = {}
    for number, density in enumerate(densities, start=1):
        mark = checksum(density.records[0].density)
        earlier, name = seen.setdefault(mark, (number, density.name))
        if earlier != number:
            raise InputError(
                f"{density.name}: found a density (number {number} of all) that {name} holds "
                f"already (number {earlier}), expected each density once, with all of its "
                "simulations one after the other in one file; leave the copy out, or bring its "
                "records together"
            )
        yield density


def _fits(
    density: _SimulatedDensity,
    first: _SimulatedDensity,
    sources: list[SourceCode],
    dt: float | None,
) -> bool:
    """Return True, or refuse a density that does not fit into one data set with the first one."""
    found, expected = density.records[0], first.records[0]
    if found.density.shape[0] != found.density.shape[1]:
        raise InputError(
            f"{density.name}: found {found.density.shape} cells, expected as many along x as along "
            "y, since the signals of all four edges go into one array"
        )
    if sorted(density.sources) != sources or len(set(sources)) < len(sources):
        raise InputError(
            f"{density.name}: found sources (edge, position) {sorted(density.sources)}, expected "
            f"each of {sorted(set(sources))} once, as for the first density"
        )
    shapes = [(r.density.shape, r.signals["up"].shape) for r in (found, expected)]
    if shapes[0] != shapes[1]:
        raise InputError(
            f"{density.name}: found cells and signals {shapes[0]}, expected {shapes[1]} as in the "
            "first file"
        )
    expected_step = expected.step(dt)[0]
    for record in density.records:
        step, scheme = record.step(dt)[0], _scheme(record)
        if abs(step - expected_step) > 1e-6 * expected_step:
            raise InputError(
                f"{density.name}: found a step of {step:.6g} sh, expected {expected_step:.6g} sh "
                "as for the first simulation; import simulations of one step, or give --dt"
            )
        if scheme != _scheme(expected):
            raise InputError(
                f"{density.name}: found a simulation whose scheme is {scheme}, expected "
                f"{_scheme(expected)} as for the first one; import simulations of one scheme"
            )
    return True


def _scheme(record: SdsRecord) -> str:
    return record.origin.scheme if record.origin else "not known"


def _names(sources: list[SourceCode]) -> tuple[str, ...]:
    return tuple(
        (EDGES[edge] if edge >= 0 else "none") + (f"-{position}" if position >= 0 else "")
        for edge, position in sources
    )


def _ends(source: SourceCode) -> tuple[float, float]:
    _, position = source
    if position < 0:
        return 0.0, 1.0
    return PULSE_STARTS[position], PULSE_STARTS[position] + PULSE_WIDTH


def _part_of(
    batch: list[_SimulatedDensity],
    numbers: range,
    sources: list[SourceCode],
    steps: NDArray[np.float64],
    times: NDArray[np.float64],
) -> Part:
    signals = []
    for density in batch:
        by_source = dict(zip(density.sources, density.records, strict=True))
        # Kept as (steps, quantity, cell) for each edge.
        recorded = np.stack(
            [[np.moveaxis(by_source[s].signals[e], 1, 0) for e in EDGES] for s in sources]
        )
        signals.append(recorded if times is steps else resample(recorded, steps, times))
    n = len(batch)
    return Part(
        density=np.stack([density.records[0].density for density in batch]).astype(np.float32),
        signals=np.stack(signals).astype(np.float32),
        times=times,
        sample_id=np.array(numbers, dtype=np.int64),
        family=["imported"] * n,
        seed=np.full(n, -1, dtype=np.int64),
        status=np.full(n, GOOD, dtype=np.int8),
        sources=np.broadcast_to([_ends(s) for s in sources], (n, len(sources), 2)).copy(),
        drawn=[json.dumps({"file": density.name}) for density in batch],
        reason=[""] * n,
    )
