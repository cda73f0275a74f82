"""A packed data set is whole, says what archives ask for, and is read as before."""

import json
import subprocess

import numpy as np
import pytest

from opalux.base.yaml_text import parse_yaml
from opalux.jobs.dataset import main
from opalux.learning.data.data_set import DataSet
from tests.learning.made_data import make_data


@pytest.fixture
def packed(tmp_path):
    make_data(tmp_path / "data", train=4)
    line = ["pack", str(tmp_path / "data"), "--out", str(tmp_path / "packed")]
    assert main([*line, "--creator", "Curie, Marie", "--creator", "Noether, Emmy"]) == 0
    return tmp_path / "packed"


def test_the_data_are_those_of_before(packed):
    before, after = DataSet(packed.parent / "data"), DataSet(packed)
    assert len(before) == len(after)
    for position in range(len(before)):
        assert np.array_equal(before.signals(position), after.signals(position))
        assert np.array_equal(before.density(position), after.density(position))


def test_the_checksums_hold(packed):
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=packed, check=True)
    listed = {line.split()[1] for line in (packed / "SHA256SUMS").read_text().splitlines()}
    own = {"SHA256SUMS", "README.md", ".zenodo.json"}
    assert listed == {path.name for path in packed.iterdir()} - own


def test_the_card_has_the_metadata_of_the_hub(packed):
    _, head, text = (packed / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    found = parse_yaml(head, "README.md")
    assert found["license"] == "cc-by-4.0"
    assert found["size_categories"] == ["n<1K"]
    assert "Curie, Marie; Noether, Emmy" in text
    assert "| train | 0 to 3 | 4 |" in text


def test_zenodo_is_told_what_it_requires(packed):
    found = json.loads((packed / ".zenodo.json").read_text(encoding="utf-8"))
    assert found["upload_type"] == "dataset"
    assert [each["name"] for each in found["creators"]] == ["Curie, Marie", "Noether, Emmy"]
    assert found["title"]
    assert found["description"]


def test_a_folder_that_holds_something_is_refused(packed, capsys):
    line = ["pack", str(packed.parent / "data"), "--out", str(packed), "--creator", "A"]
    assert main(line) == 2
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", " ", "a\nb"])
def test_a_creator_has_a_name(name, tmp_path):
    with pytest.raises(SystemExit):
        main(["pack", str(tmp_path), "--out", str(tmp_path / "x"), "--creator", name])
