"""The whole run: the set of dots, the study, the search and the comparison of clusterers.

The set and the search take long; their results are in journals as soon as they exist, and a run
that starts again continues from them. The study takes seconds and is repeated.
"""

import dataclasses
from pathlib import Path

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from opalux.base.errors import InputError
from opalux.base.files import write_text
from opalux.base.progress import Progress
from opalux.base.tasks import Pool
from opalux.learning.siqd.clustering import peers
from opalux.learning.siqd.dots.columns import ALIASES
from opalux.learning.siqd.dots.rebuild import Row, dots_of, names_of, row, rows_as_csv
from opalux.learning.siqd.dots.settings import StructureSettings, TableSettings
from opalux.learning.siqd.dots.structures import Dot
from opalux.learning.siqd.dots.table import SHIPPED, read_table
from opalux.learning.siqd.study.journal import Journal
from opalux.learning.siqd.study.search import Searched, Yardstick, search
from opalux.learning.siqd.study.settings import PeersSettings, SiqdSettings
from opalux.learning.siqd.study.study import STEPS, Study, begin, run_study
from opalux.learning.siqd.tables.examples import example_sheet
from opalux.learning.siqd.tables.sheets import read_sheet
from opalux.learning.siqd.tables.subject_table import Wanted, table_of
from opalux.learning.siqd.tables.table import Table


@dataclasses.dataclass(frozen=True, kw_only=True)
class Results:
    """What a run found.

    Attributes
    ----------
    study : of the dots
    searched, yardsticks : of the random search; empty without one
    sets, outcomes : of the comparison of clusterers; empty without one
    """

    study: Study
    searched: list[Searched] = dataclasses.field(default_factory=list)
    yardsticks: list[Yardstick] = dataclasses.field(default_factory=list)
    sets: list[peers.PointSet] = dataclasses.field(default_factory=list)
    outcomes: list[peers.Outcome] = dataclasses.field(default_factory=list)


def check(settings: SiqdSettings) -> None:
    """Check the input; this is fast.

    Raises
    ------
    InputError
        When the table cannot be used, or a network would have nothing to learn from it.
    """
    if settings.rebuild is None:
        begin(table_to_study(settings), settings)


def table_to_study(settings: SiqdSettings) -> Table:
    """Return the table that the settings name: of dots for the preset, of the subject otherwise.

    Raises
    ------
    InputError
        When the table cannot be used.
    """
    subject, data = settings.subject, settings.data
    if subject is None:
        unknown = sorted(set(data.columns) - set(ALIASES))
        if unknown:
            raise InputError(
                f"data.columns: unknown column {unknown[0]}; choose among {', '.join(ALIASES)}"
            )
        return read_table(data)
    wanted = Wanted(
        columns=(*subject.features, subject.property, *subject.dropped),
        name=subject.name,
        parts=subject.parts,
        tolerance=subject.tolerance,
        titles=data.columns,
    )
    if data.example is not None:
        return table_of(example_sheet(data.example), wanted)
    assert data.file is not None, "checked by the settings"
    return table_of(read_sheet(data.file, data.sheet, wanted.recognise), wanted)


def plan(settings: SiqdSettings) -> list[str]:
    """Return one line of text for each part of the run; see `check` for the errors."""
    lines = []
    if settings.rebuild is not None:
        lines.append(f"make {len(dots_of(settings.rebuild))} dots, and study them")
    else:
        table = table_to_study(settings)
        prepared, clustering, _ = begin(table, settings)
        count = clustering.n_clusters_
        lines.append(
            f"study {len(table)} {prepared.subject.rows} of {table.origin}, {len(prepared.table)} "
            f"after the cut, in {count} structure class{'es' if count > 1 else ''}"
        )
    if settings.search is not None:
        lines.append(f"search {settings.search.trials} trials for each task")
    if settings.peers is not None:
        lines.append(f"compare clusterers on sets of {settings.peers.points} points")
    return lines


def run(settings: SiqdSettings, pool: Pool, out: Path, *, workers: int = 1) -> Results:
    """Do everything that the settings ask for.

    Parameters
    ----------
    settings : of the run
    pool : where dots are made and trials run
    out : folder of the journals and of the table of a set that is made
    workers : processes that scikit-learn's search may use, when times are compared
    """
    if settings.rebuild is None:
        table = table_to_study(settings)
    else:
        table = make_set(settings.rebuild, pool, out)
    with Progress("study", STEPS) as progress:
        study = run_study(table, settings, lambda name: progress.advance(note=name))
    found = Results(study=study)
    if settings.search is not None:
        searched, yardsticks = search(study, settings.search, pool, out, workers=workers)
        found = dataclasses.replace(found, searched=searched, yardsticks=yardsticks)
    if settings.peers is not None:
        sets, outcomes = _compare_clusterers(settings.peers)
        found = dataclasses.replace(found, sets=sets, outcomes=outcomes)
    return found


def make_set(settings: StructureSettings, pool: Pool, out: Path) -> Table:
    """Make a set of dots, one task for each, and write it as a table like the shipped one.

    Parameters
    ----------
    settings : which dots to make
    pool : where they are made
    out : folder of the journal and of the table
    """
    dots = dots_of(settings)
    journal = Journal(out / "dots.jsonl")
    # The largest first: started last, it would run alone while the other workers wait.
    numbered = enumerate(zip(dots, names_of(dots), strict=True))
    todo = [(i, *named) for i, named in numbered if i not in journal.entries][::-1]
    with Progress("dots", len(dots), len(dots) - len(todo)) as progress:
        for (i, *_), made in pool.map(_make_row, todo):
            journal.add(i, made)
            progress.advance(note=str(made["name"]))
    path = out / SHIPPED.name
    write_text(path, rows_as_csv(journal.entries[i] for i in range(len(dots))))
    table = read_table(TableSettings(file=path))
    return dataclasses.replace(table, origin=path.name, rebuilt=settings.centre)


def _make_row(numbered: tuple[int, Dot, str]) -> Row:
    with threadpool_limits(1):
        return row(numbered[1], numbered[2])


def _compare_clusterers(
    settings: PeersSettings,
) -> tuple[list[peers.PointSet], list[peers.Outcome]]:
    sets = peers.usual_sets(settings.points)
    outcomes = []
    with (
        Progress("clusterers", len(sets) * len(peers.METHODS)) as progress,
        threadpool_limits(1),
    ):
        for outcome in peers.compare(sets):
            outcomes.append(outcome)
            progress.advance(note=f"{outcome.method} on {outcome.point_set}")
    return sets, outcomes
