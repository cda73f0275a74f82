"""The random search of ``opalux siqd``: trials in chunks over a pool, results in a journal."""

import functools
import json
import time
from pathlib import Path
from typing import Any

import pydantic
from sklearn.model_selection import RandomizedSearchCV

from opalux.base.files import atomic
from opalux.base.progress import Progress
from opalux.base.settings import Settings
from opalux.base.tasks import Pool
from opalux.jobs.cluster.pool import Backend, InProcess, Local, available_cores, open_pool
from opalux.learning.siqd.study.classify import Task, assess, small_fits
from opalux.learning.siqd.study.published import network
from opalux.learning.siqd.study.search import (
    LEAST,
    Searched,
    Space,
    Trial,
    Yardstick,
    run_trials,
    winner,
)
from opalux.learning.siqd.study.study import Study


class Search(Settings):
    """Random search for the hyper-parameters of each network."""

    trials: int = pydantic.Field(5000, ge=1)
    """Trials for each of the three tasks."""
    space: Space = Space()
    chunk: int = pydantic.Field(10, ge=1)
    """Trials that a worker does in one go."""
    chunks_a_round: int = pydantic.Field(50, ge=1)
    """Chunks that are given the same trial to beat; the best of a round is known to the next."""
    yardstick: int = pydantic.Field(0, ge=0)
    """Trials that scikit-learn's RandomizedSearchCV does as well, to compare times."""


class Journal:
    """Results by number in a file of lines, whole after any kill.

    Parameters
    ----------
    path : file; a last line cut short is dropped
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        whole, newline, rest = text.rpartition("\n")
        self.entries: dict[int, Any] = {}
        for line in whole.splitlines() if newline else []:
            number, result = json.loads(line)
            self.entries[number] = result
        if rest:
            with atomic(path) as temporary:
                temporary.write_text(whole + newline, encoding="utf-8")

    def add(self, number: int, result: Any) -> None:
        """Append one result; it is in the file when this returns."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([number, result]) + "\n")
        self.entries[number] = result


def search(
    study: Study, wanted: Search, backend: Backend, out: Path
) -> tuple[list[Searched], list[Yardstick]]:
    """Search for each task, judge the winners, and run the yardstick if there is to be one."""
    searched, yardsticks = [], []
    workers = _workers_here(backend)
    with open_pool(backend) as pool:
        for name, published in study.networks.items():
            task = published.task
            journal = Journal(out / f"search_{name}.jsonl")
            trials = _search_task(task, wanted, wanted.trials, pool, journal)
            best = network(name, wanted.space.draw(winner(trials).number), task.seed)
            searched.append(
                Searched(
                    space=wanted.space,
                    trials=tuple(trials),
                    assessment=assess(task, best, folds=study.settings.folds),
                )
            )
            if wanted.yardstick:
                yardsticks.append(_yardstick(task, wanted, pool, workers))
    return searched, yardsticks


def _workers_here(backend: Backend) -> int:
    """Workers of the back end, or the cores of this machine for one that is elsewhere."""
    if isinstance(backend, InProcess):
        return 1
    return (backend.workers if isinstance(backend, Local) else None) or available_cores()


def _search_task(
    task: Task, wanted: Search, n_trials: int, pool: Pool, journal: Journal | None
) -> list[Trial]:
    n_chunks = -(-n_trials // wanted.chunk)
    done: dict[int, list[Trial]] = {}
    if journal is not None:
        for number, trials in journal.entries.items():
            done[number] = [_trial(entry) for entry in trials]
    with Progress(f"search {task.name}", n_chunks, len(done)) as progress:
        for first in range(0, n_chunks, wanted.chunks_a_round):
            known = [trial for number in range(first) for trial in done[number]]
            to_beat = max((trial.mean for trial in known), default=LEAST)
            chunks = range(first, min(first + wanted.chunks_a_round, n_chunks))
            run = functools.partial(_run_chunk, task, wanted, n_trials, to_beat)
            for chunk, trials in pool.map(run, [c for c in chunks if c not in done]):
                done[chunk] = trials
                if journal is not None:
                    journal.add(chunk, [(t.number, t.scores, t.complete) for t in trials])
                best = max(to_beat, *(t.mean for ts in done.values() for t in ts))
                progress.advance(note=f"best {best:.4f}")
    return [trial for number in sorted(done) for trial in done[number]]


def _run_chunk(
    task: Task, wanted: Search, n_trials: int, to_beat: float, chunk: int
) -> list[Trial]:
    first = chunk * wanted.chunk
    numbers = range(first, min(first + wanted.chunk, n_trials))
    return run_trials(task, wanted.space, numbers, to_beat)


def _trial(entry: Any) -> Trial:
    number, scores, complete = entry
    return Trial(number=number, scores=tuple(scores), complete=complete)


def _yardstick(task: Task, wanted: Search, pool: Pool, workers: int) -> Yardstick:
    """Time both searches on the first trials, with as many workers."""
    start = time.perf_counter()
    ours = winner(_search_task(task, wanted, wanted.yardstick, pool, None))
    middle = time.perf_counter()
    drawn = [wanted.space.draw(number) for number in range(wanted.yardstick)]
    train, _ = task.split()
    theirs = RandomizedSearchCV(
        network(task.name, {}, task.seed),
        [{key: [value] for key, value in one.items()} for one in drawn],
        n_iter=wanted.yardstick,
        cv=task.folds(wanted.space.folds, train),
        n_jobs=workers,
        refit=False,
    )
    with small_fits():
        theirs.fit(task.features[train], task.target[train])
    return Yardstick(
        task=task.name,
        trials=wanted.yardstick,
        ours=middle - start,
        theirs=time.perf_counter() - middle,
        same_winner=bool(abs(theirs.best_score_ - ours.mean) < 1e-9),
    )
