"""A data set that was made again is told from the one that a network was trained on."""

from pathlib import Path

import pytest

from opalux.base.errors import InputError
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.identity import fingerprint, physics_difference, require_unchanged
from tests.learning.made_data import make_data


@pytest.fixture
def data(tmp_path):
    return DataSet(make_data(tmp_path / "set"))


def require(data, card, mark=None):
    require_unchanged(data, card, mark, Path("last.ckpt"), "")


def test_the_same_data_set_is_accepted_under_another_name_and_by_other_versions(data):
    card = data.card.model_dump(mode="json")
    require(data, card | {"name": "other", "made_with": {"numpy": "0"}}, fingerprint(data))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 4}, "seed: 4 then, 0 now"),
        ({"splits": {"train": 15, "validation": 5, "test": 4}}, "splits.train: 15 then, 16 now"),
        ({"campaign": {"refinement": 2}}, "campaign.refinement: 2 then, None now"),
    ],
)
def test_the_first_key_that_differs_is_named(data, change, words):
    with pytest.raises(InputError, match=words):
        require(data, data.card.model_dump(mode="json") | change)


def test_other_numbers_under_the_same_card_are_noticed(data, tmp_path):
    other = DataSet(make_data(tmp_path / "other", change=lambda signals: signals * 1.5))
    assert fingerprint(other) != fingerprint(data)
    with pytest.raises(InputError, match="the checksums of its samples differ"):
        require(other, data.card.model_dump(mode="json"), fingerprint(data))


def solved(scheme, refinement=1):
    return {"problem": {"scheme": scheme}, "sources": ["left"], "refinement": refinement}


@pytest.mark.parametrize(
    ("one", "other", "grids", "key"),
    [
        (solved("published"), solved("consistent"), True, "problem.scheme: 'published' then"),
        (solved("published"), solved("consistent"), False, "problem.scheme: 'published' then"),
        (solved("staggered"), solved("consistent"), True, "problem.scheme: 'staggered' then"),
        (solved("staggered"), solved("consistent", 2), False, ""),
        (solved("published"), solved("published", 2), True, "refinement: 1 then, 2 now"),
        (solved("published"), solved("published", 2), False, ""),
        (solved("published"), {}, True, ""),
    ],
)
def test_what_was_solved_otherwise_is_named_but_for_imported_sets(data, one, other, grids, key):
    cards = [data.card.model_copy(update={"campaign": campaign}) for campaign in (one, other)]
    found = physics_difference(*cards, grids=grids)
    assert found.startswith(key)
    assert bool(found) == bool(key)
