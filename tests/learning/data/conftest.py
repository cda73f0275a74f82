"""The small data set in a folder."""

import pytest

from opalux.learning.data.card import part_name
from opalux.learning.data.finish import finish
from opalux.learning.data.part import write_part
from tests.learning.data.made_parts import CARD, part_of


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "dataset.yaml").write_text(CARD.to_yaml())
    for part in range(CARD.n_parts):
        write_part(tmp_path / part_name(part), part_of(CARD, part), CARD, {"config": "seed: 5"})
    finish(tmp_path)
    return tmp_path
