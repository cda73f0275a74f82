"""The generated pages hold everything that they are made of."""

import re

import pytest

import opalux
from docs.website import commands, gallery, keys, names
from docs.website.__main__ import gather
from opalux.__main__ import JOBS
from opalux.base.command_line import settings_of
from opalux.base.keys import walk
from opalux.jobs.starting.models import MODELS
from tests.conftest import ROOT


def test_the_key_reference_has_every_key_of_every_configuration():
    pages = keys.pages()
    for job, model in MODELS.items():
        shown = set(re.findall(r"^\| `([^`]+)`", pages[re.sub(r"\W+", "_", job)], re.MULTILINE))
        assert {key.path for key in walk(settings_of(model))} <= shown


def test_the_command_reference_has_every_command_and_option():
    page = commands.page()
    for job in JOBS:
        assert f"\n## {job}\n" in page
        assert f"usage: opalux {job}" in page
    assert "--dry-run" in page


@pytest.mark.parametrize("name", opalux.__all__)
def test_the_reference_of_names_has_every_public_name(name):
    assert f"\n## {name}\n" in names.page()


def test_a_docstring_becomes_lists_under_bold_words():
    text = names.described("What it is.\n\nParameters\n----------\na : the first\n    of two\n")
    assert text == "What it is.\n\n**Parameters**\n\n- `a`: the first of two\n"


def test_every_script_of_the_gallery_has_a_picture_and_a_page():
    for path in gallery.scripts():
        assert gallery.pictures(path), "run 'make gallery'"
        assert gallery.told(path)[1]


def test_the_gathered_pages_are_those_that_the_navigation_names(tmp_path):
    gather(tmp_path / "docs")
    named = re.findall(r"[\w/]+\.md", (ROOT / "mkdocs.yml").read_text().partition("\nnav:")[2])
    assert len(named) > 20
    missing = [name for name in named if not (tmp_path / "docs" / name).is_file()]
    assert not missing


def test_links_out_of_the_pages_become_names(tmp_path):
    gather(tmp_path / "docs")
    for page in (tmp_path / "docs").rglob("*.md"):
        assert not re.search(r"\]\((\.\./)+(configs|solver|CONTRIBUTING)", page.read_text())
