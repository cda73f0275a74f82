"""The search: the same trials on any pool, and after a kill; nothing in a journal runs again."""

import pytest

from opalux.base.errors import InputError
from opalux.jobs.cluster.pool import Backend, InProcess, Local, open_pool
from opalux.learning.siqd.dots.settings import TableSettings
from opalux.learning.siqd.dots.table import read_table
from opalux.learning.siqd.study.classify import Task
from opalux.learning.siqd.study.journal import Journal
from opalux.learning.siqd.study.preparation import prepare
from opalux.learning.siqd.study.search import search_task
from opalux.learning.siqd.study.settings import SearchSettings, Space
from opalux.learning.siqd.study.silicon import dots


@pytest.mark.parametrize("line", ["no line", "[1, 2]", "[1, 2, 3]", "{}", "", "[" * 5000, "\x00"])
def test_a_line_that_no_journal_wrote_is_named(tmp_path, line):
    path = tmp_path / "journal.jsonl"
    Journal(path).add(1, [2])
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(InputError, match=r"journal\.jsonl, line 2: found"):
        Journal(path)


def test_journal_drops_a_line_cut_short(tmp_path):
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.add(3, {"a": 1.5})
    journal.add(1, [2])
    with path.open("a") as file:
        file.write("[7, {")
    again = Journal(path)
    assert again.entries == {3: {"a": 1.5}, 1: [2]}
    again.add(7, "whole")
    assert Journal(path).entries[7] == "whole"


WANTED = SearchSettings(
    trials=8, chunk=2, chunks_a_round=2, space=Space(folds=2, max_iter=(20, 30))
)


@pytest.fixture(scope="module")
def band_task():
    prepared = prepare(read_table(TableSettings()), dots(400.0, 750.0))
    return Task(
        name="bands",
        role="classes",
        features=prepared.features,
        target=prepared.labels,
        classes=prepared.classes.names,
    )


def test_search_on_dask_workers_gives_the_trials_of_the_plain_loop(band_task, tmp_path):
    WANTED = SearchSettings(
        trials=8, chunk=2, chunks_a_round=2, space=Space(folds=2, max_iter=(20, 30))
    )
    found = {}
    backends: dict[str, Backend] = {"plain": InProcess(), "dask": Local(workers=2)}
    for name, backend in backends.items():
        with open_pool(backend) as pool:
            journal = Journal(tmp_path / name)
            found[name] = search_task(band_task, WANTED, WANTED.trials, pool, journal)
    assert found["plain"] == found["dask"]


def test_search_goes_on_from_its_journal(band_task, tmp_path):
    WANTED = SearchSettings(
        trials=8, chunk=2, chunks_a_round=2, space=Space(folds=2, max_iter=(20, 30))
    )
    done: list[int] = []

    class Counting:
        def map(self, function, items):
            for item in items:
                done.append(item)
                yield item, function(item)

    path = tmp_path / "journal"
    whole = search_task(band_task, WANTED, 8, Counting(), Journal(path))
    assert done == [0, 1, 2, 3]
    path.write_text("".join(line + "\n" for line in path.read_text().splitlines()[:3]))
    assert search_task(band_task, WANTED, 8, Counting(), Journal(path)) == whole
    assert done == [0, 1, 2, 3, 3]
