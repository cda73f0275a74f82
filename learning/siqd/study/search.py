"""The random search: trials in chunks over a pool, results in a journal.

The best trial of a round is the one to beat in the next round, so that the same trials are given
up for any number of workers.
"""

import dataclasses
import functools
import time
from pathlib import Path
from typing import Any

from sklearn.model_selection import RandomizedSearchCV

from opalux.base.progress import Progress
from opalux.base.tasks import Pool
from opalux.learning.siqd.study.classify import Assessment, Task, assess, small_fits
from opalux.learning.siqd.study.journal import Journal
from opalux.learning.siqd.study.networks import network
from opalux.learning.siqd.study.settings import SearchSettings, Space
from opalux.learning.siqd.study.study import Study
from opalux.learning.siqd.study.trials import LEAST, Trial, run_trials, winner


@dataclasses.dataclass(frozen=True, kw_only=True)
class Searched:
    """The result of the random search for one task.

    Attributes
    ----------
    space : where the trials were drawn from
    trials : all of them
    assessment : of the winner, as for the published network
    """

    space: Space
    trials: tuple[Trial, ...]
    assessment: Assessment

    @property
    def task(self) -> str:
        """Name of the task."""
        return self.assessment.task.name

    @property
    def best(self) -> Trial:
        """The winner."""
        return winner(self.trials)

    @property
    def parameters(self) -> dict[str, Any]:
        """Hyper-parameters of the winner."""
        return self.space.draw(self.best.number)

    @property
    def complete(self) -> int:
        """Number of trials that ran all their folds."""
        return sum(trial.complete for trial in self.trials)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Yardstick:
    """Our search and scikit-learn's on the same trials.

    Attributes
    ----------
    task : its name
    trials : number of trials
    ours, theirs : time [s]
    same_winner : whether both found the same trial, or trials of equal score
    """

    task: str
    trials: int
    ours: float
    theirs: float
    same_winner: bool


def search(
    study: Study, settings: SearchSettings, pool: Pool, out: Path, *, workers: int = 1
) -> tuple[list[Searched], list[Yardstick]]:
    """Search for each task, assess the winners, and compare times when the settings ask for it.

    Parameters
    ----------
    study : with the published networks
    settings : of the search
    pool : where chunks of trials run
    out : folder of the journals; trials that stand in them are not run again
    workers : processes that scikit-learn's search may use
    """
    searched, yardsticks = [], []
    for task in study.tasks.values():
        journal = Journal(out / f"search_{task.name}.jsonl")
        trials = search_task(task, settings, settings.trials, pool, journal)
        best = network(task, settings.space.draw(winner(trials).number), task.seed)
        assessment = assess(task, best, folds=study.settings.folds)
        searched.append(Searched(space=settings.space, trials=tuple(trials), assessment=assessment))
        if settings.yardstick:
            yardsticks.append(_yardstick(task, settings, pool, workers))
    return searched, yardsticks


def search_task(
    task: Task, settings: SearchSettings, n_trials: int, pool: Pool, journal: Journal | None
) -> list[Trial]:
    """Return the trials of one task, those of the journal included."""
    n_chunks = -(-n_trials // settings.chunk)
    done: dict[int, list[Trial]] = {}
    if journal is not None:
        for number, trials in journal.entries.items():
            done[number] = [_trial(entry) for entry in trials]
    with Progress(f"search {task.name}", n_chunks, len(done)) as progress:
        for first in range(0, n_chunks, settings.chunks_a_round):
            known = [trial for number in range(first) for trial in done[number]]
            to_beat = max((trial.mean for trial in known), default=LEAST)
            chunks = range(first, min(first + settings.chunks_a_round, n_chunks))
            run = functools.partial(_run_chunk, task, settings, n_trials, to_beat)
            for chunk, trials in pool.map(run, [c for c in chunks if c not in done]):
                done[chunk] = trials
                if journal is not None:
                    journal.add(chunk, [(t.number, t.scores, t.complete) for t in trials])
                best = max(to_beat, *(t.mean for ts in done.values() for t in ts))
                progress.advance(note=f"best {best:.4f}")
    return [trial for number in sorted(done) for trial in done[number]]


def _run_chunk(
    task: Task, settings: SearchSettings, n_trials: int, to_beat: float, chunk: int
) -> list[Trial]:
    first = chunk * settings.chunk
    numbers = range(first, min(first + settings.chunk, n_trials))
    return run_trials(task, settings.space, numbers, to_beat)


def _key(task: Task, key: str) -> str:
    """Return the name of a hyper-parameter in the model of `network`."""
    return f"regressor__{key}" if task.scale_target and not task.classes else key


def _trial(entry: Any) -> Trial:
    number, scores, complete = entry
    return Trial(number=number, scores=tuple(scores), complete=complete)


def _yardstick(task: Task, settings: SearchSettings, pool: Pool, workers: int) -> Yardstick:
    """Time both searches on the first trials, with the same number of workers."""
    start = time.perf_counter()
    ours = winner(search_task(task, settings, settings.yardstick, pool, None))
    middle = time.perf_counter()
    drawn = [settings.space.draw(number) for number in range(settings.yardstick)]
    train, _ = task.split()
    theirs = RandomizedSearchCV(
        network(task, {}, task.seed),
        [{_key(task, key): [value] for key, value in one.items()} for one in drawn],
        n_iter=settings.yardstick,
        cv=task.folds(settings.space.folds, train),
        n_jobs=workers,
        refit=False,
    )
    with small_fits():
        theirs.fit(task.features[train], task.target[train])
    return Yardstick(
        task=task.name,
        trials=settings.yardstick,
        ours=middle - start,
        theirs=time.perf_counter() - middle,
        same_winner=bool(abs(theirs.best_score_ - ours.mean) < 1e-9),
    )
