"""``opalux siqd``: structure classes and colour bands of silicon quantum dots.

What takes long, making the set afresh and the random search, leaves its results in journals as
they come; the study itself takes seconds and is done over.  metrics.json is written last: where
it stands, the run is complete.
"""

import dataclasses
import sys
import time
from pathlib import Path
from typing import Any, Self

import pydantic
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from opalux.base import command_line
from opalux.base.config import dump, load
from opalux.base.exit_codes import FAILURE, OK
from opalux.base.files import atomic, write_json
from opalux.base.progress import Progress
from opalux.base.provenance import provenance
from opalux.base.run_folder import CONFIG_NAME, open_run
from opalux.base.settings import Settings
from opalux.base.tasks import PoolLostError
from opalux.jobs.cluster.pool import Backend, InProcess, open_pool
from opalux.jobs.siqd_search import Journal, Search, search
from opalux.learning.siqd.clustering import peers
from opalux.learning.siqd.dots.rebuild import SHIPPED, Row, Structures, row, rows_as_csv
from opalux.learning.siqd.dots.structures import Dot
from opalux.learning.siqd.dots.table import DotTable, Source, read_table
from opalux.learning.siqd.report import report, tables
from opalux.learning.siqd.study import comparison
from opalux.learning.siqd.study.search import Searched, Yardstick
from opalux.learning.siqd.study.study import STEPS, Study, StudySettings, begin, run_study

DESCRIPTION = """\
Repeat the published analysis of silicon quantum dots and set its numbers beside ours.

Without a file of yours (data.file: CSV or XLSX) it works on a rebuilt set that comes with the
package. DIR gets report.html, metrics.json, figures/*.png and tables/*.csv. A run that was killed
goes on when the same line is given again."""


class Peers(Settings):
    """Comparison of clusterers on test sets."""

    points: int = pydantic.Field(500, ge=100, le=20000)
    """Points of each test set."""


class Work(StudySettings):
    """The study and what is done besides."""

    rebuild: Structures | None = None
    """Make this set afresh instead of reading one."""
    search: Search | None = None
    """Search for hyper-parameters besides the published ones."""
    peers: Peers | None = Peers()
    """Compare clusterers; null leaves it out."""

    @pydantic.model_validator(mode="after")
    def _one_set(self) -> Self:
        if self.rebuild is not None and self.data.file is not None:
            raise ValueError("give either rebuild or data.file: each names the set to study")
        return self


class SiqdConfig(Work):
    """The configuration file: the work, and where it is done (which changes no bit of it)."""

    backend: Backend = InProcess()
    """Where dots are made and trials are run."""

    @property
    def work(self) -> Work:
        """The work alone."""
        return Work.model_construct(**{name: getattr(self, name) for name in Work.model_fields})


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    parsed = command_line.parser("siqd", DESCRIPTION).parse_args(argv)
    return command_line.run(lambda: _siqd(command_line.arguments(parsed)))


def _siqd(arguments: command_line.Arguments) -> int:
    config, _ = load(SiqdConfig, arguments.config, arguments.overrides)
    table = None
    if config.rebuild is None:
        table = read_table(config.data)
        begin(table, config)
    out = arguments.out or Path("runs") / "siqd" / arguments.config.stem
    if arguments.dry_run:
        print(_plan(config, table, out))
        return OK
    finished = (out / "metrics.json").is_file()
    unfinished = (out / CONFIG_NAME).is_file() and not finished
    go_on = arguments.resume or (unfinished and not arguments.force)
    open_run(out, dump(config.work), resume=go_on, force=arguments.force)
    if go_on and finished:
        print(f"{out / 'report.html'}: complete already; --force starts afresh")
        return OK
    try:
        _run(config, table, out)
    except PoolLostError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILURE
    print(out / "report.html")
    return OK


def _plan(config: SiqdConfig, table: DotTable | None, out: Path) -> str:
    lines = []
    if config.rebuild is not None:
        lines.append(f"make {len(config.rebuild.dots())} dots afresh ({config.backend.kind})")
    if table is not None:
        prepared, clustering, _ = begin(table, config)
        lines.append(
            f"study {len(table)} dots of {table.origin}, {len(prepared.table)} after the cut, "
            f"in {clustering.n_clusters_} structure classes"
        )
    if config.search is not None:
        lines.append(f"search {config.search.trials} trials a task ({config.backend.kind})")
    if config.peers is not None:
        lines.append(f"compare clusterers on test sets of {config.peers.points} points")
    return "\n".join([*lines, f"results would go to {out}"])


def _run(config: SiqdConfig, table: DotTable | None, out: Path) -> None:
    start = time.perf_counter()
    if table is None:
        assert config.rebuild is not None
        table = _rebuild(config.rebuild, config.backend, out)
    with Progress("study", STEPS) as progress:
        study = run_study(table, config, lambda name: progress.advance(note=name))
    searched: list[Searched] = []
    yardsticks: list[Yardstick] = []
    if config.search is not None:
        searched, yardsticks = search(study, config.search, config.backend, out)
    sets, outcomes = _compare_clusterers(config.peers)
    _write(study, searched, yardsticks, sets, outcomes, time.perf_counter() - start, out)


def _rebuild(structures: Structures, backend: Any, out: Path) -> DotTable:
    """Make the set, one task a dot, and write it as a table like the shipped one."""
    dots = structures.dots()
    journal = Journal(out / "dots.jsonl")
    # The largest first: a worker left alone with one at the end would keep the others waiting.
    todo = [(i, dot) for i, dot in enumerate(dots) if i not in journal.entries][::-1]
    with (
        Progress("dots", len(dots), len(dots) - len(todo)) as progress,
        open_pool(backend) as pool,
    ):
        for (i, _), made in pool.map(_make_row, todo):
            journal.add(i, made)
            progress.advance(note=str(made["name"]))
    path = out / SHIPPED.name
    with atomic(path) as temporary:
        temporary.write_text(rows_as_csv(journal.entries[i] for i in range(len(dots))))
    return dataclasses.replace(read_table(Source(file=path)), origin=path.name, rebuilt=True)


def _make_row(numbered: tuple[int, Dot]) -> Row:
    with threadpool_limits(1):
        return row(numbered[1])


def _compare_clusterers(
    wanted: Peers | None,
) -> tuple[list[peers.TestSet], list[peers.Outcome]]:
    if wanted is None:
        return [], []
    sets = peers.usual_sets(wanted.points)
    outcomes = []
    with (
        Progress("clusterers", len(sets) * len(peers.METHODS)) as progress,
        threadpool_limits(1),
    ):
        for outcome in peers.compare(sets):
            outcomes.append(outcome)
            progress.advance(note=f"{outcome.method} on {outcome.test_set}")
    return sets, outcomes


def _write(
    study: Study,
    searched: list[Searched],
    yardsticks: list[Yardstick],
    sets: list[peers.TestSet],
    outcomes: list[peers.Outcome],
    seconds: float,
    out: Path,
) -> None:
    compared, verdicts = comparison.compare(study), comparison.verdicts(study)
    with Progress("figures", len(report.CAPTIONS) - (0 if sets else 2)) as progress:
        pictures = report.draw(study, sets, outcomes, lambda name: progress.advance(note=name))
    for folder in ("figures", "tables"):
        (out / folder).mkdir(exist_ok=True)
    for name, png in pictures.items():
        _put(out / "figures" / f"{name}.png", png)
    written = tables.study_tables(study)
    written["published_and_ours"] = tables.comparison_table(compared)
    if outcomes:
        written["clusterers"] = tables.peers_table(outcomes)
    for one in searched:
        written[f"network_{one.task}_searched"] = tables.network_parameters(one.assessment)
        written[f"trials_{one.task}"] = tables.trials_table(one)
    for name, table in written.items():
        _put(out / "tables" / f"{name}.csv", tables.as_csv(table).encode())
    record = provenance(job="siqd", data=study.table.origin, seconds=round(seconds, 1))
    page = report.write(
        study, compared, verdicts, pictures, outcomes, searched, yardsticks, _made(record)
    )
    _put(out / "report.html", page.encode())
    write_json(out / "run.json", record)
    numbers = tables.metrics(study, verdicts)
    if outcomes:
        numbers["clusterers_mean_adjusted_rand"] = tables.mean_agreement(outcomes)
    if searched:
        numbers["search"] = {one.task: tables.search_metrics(one) for one in searched}
        numbers["search_yardsticks"] = [dataclasses.asdict(y) for y in yardsticks]
    write_json(out / "metrics.json", numbers)


def _made(provenance: dict[str, Any]) -> list[tuple[str, str]]:
    libraries = ", ".join(f"{k} {v}" for k, v in provenance["libraries"].items())
    return [
        ("command", " ".join(provenance["command"])),
        ("opalux", f"{provenance['opalux_version']}, revision {provenance['git_revision']}"),
        ("libraries", f"Python {provenance['python']}, {libraries}"),
        ("finished", provenance["finished"]),
        ("analysis", f"{provenance['seconds']} s"),
    ]


def _put(path: Path, content: bytes) -> None:
    with atomic(path) as temporary:
        temporary.write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
