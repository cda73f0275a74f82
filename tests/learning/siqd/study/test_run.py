"""The run from Python: it takes any pool, uses its journal, and checks its input."""

import json
from typing import Any

import pytest

from opalux.base.errors import InputError
from opalux.base.tasks import InProcessPool
from opalux.learning.siqd.dots.settings import StructureSettings, TableSettings
from opalux.learning.siqd.dots.table import SHIPPED
from opalux.learning.siqd.study.run import check, make_set, plan
from opalux.learning.siqd.study.settings import SiqdSettings

SMALL = StructureSettings(largest=1.1)


class CountingPool(InProcessPool):
    """Remembers the numbers of the dots that it was given."""

    def __init__(self) -> None:
        self.given: list[int] = []

    def map(self, function: Any, items: Any) -> Any:
        items = list(items)
        self.given += [number for number, *_ in items]
        return super().map(function, items)


def test_a_set_is_made_with_the_largest_dots_first_and_only_once(tmp_path):
    first, second = CountingPool(), CountingPool()
    table = make_set(SMALL, first, tmp_path)
    assert table.rebuilt == "bond"
    assert first.given == list(range(len(table)))[::-1]
    made = (tmp_path / SHIPPED.name).read_bytes()
    lines = (tmp_path / "dots.jsonl").read_text().splitlines()
    (tmp_path / "dots.jsonl").write_text("\n".join(lines[:-2]) + "\n")
    make_set(SMALL, second, tmp_path)
    assert second.given == [json.loads(line)[0] for line in lines[-2:]]
    assert (tmp_path / SHIPPED.name).read_bytes() == made


def test_the_plan_names_each_part_of_the_run():
    lines = plan(SiqdSettings(rebuild=SMALL, search={"trials": 7}, peers={"points": 150}))
    assert [line.split()[0] for line in lines] == ["make", "search", "compare"]
    assert "7 trials" in lines[1]
    assert "150 points" in lines[2]


def test_check_refuses_a_table_that_cannot_be_studied():
    with pytest.raises(InputError, match="no such file"):
        check(SiqdSettings(data=TableSettings(file="absent.csv")))
