"""What the pages say is so: links lead somewhere, command lines parse, code compiles."""

import importlib
import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from opalux.__main__ import JOBS
from opalux.base import command_line
from opalux.base.command_line import settings_of
from opalux.base.keys import walk
from opalux.base.shipped import find_config
from opalux.jobs.starting.models import MODELS
from tests.conftest import ROOT

PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
GENERATED = re.compile(r"(reference|gallery)/")
"""Pages of the site that are made of the sources; its build checks links to them."""


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(text: str) -> tuple[list[tuple[str, str]], str]:
    """Return the blocks of code with their languages, and the text without them."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    indented = re.findall(r"(?:^    [^\n]*\n|^\n(?=    ))+", rest, re.MULTILINE)
    rest = re.sub(r"^    [^\n]*\n", "", rest, flags=re.MULTILINE)
    return [
        *fenced,
        *(("", re.sub(r"^    ", "", one, flags=re.MULTILINE)) for one in indented),
    ], rest


def anchors(text: str) -> set[str]:
    """Return the anchors of the headings."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = (re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", title) for title in titles)
    return {re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", one).strip().lower()) for one in plain}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page):
    text = page.read_text(encoding="utf-8")
    _, prose = blocks(text)
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        file, _, anchor = target.partition("#")
        if re.match(r"https://", target) or GENERATED.match(file):
            continue
        path = page.parent / file if file else page
        there = path.exists() and (not anchor or anchor in anchors(path.read_text("utf-8")))
        if not there:
            wrong.append(target)
    assert not wrong


def command_lines(text: str) -> Iterator[list[str]]:
    """Give the words behind ``opalux`` of every line and every piece of code that begins so."""
    code, prose = blocks(text)
    shell = [block for language, block in code if language in ("", "sh", "bash", "console")]
    lines = [line for block in shell for line in block.replace("\\\n", " ").splitlines()]
    lines += re.findall(r"`([^`\n]+)`", prose)
    for line in lines:
        found = re.match(
            r"\s*(?:\$ )?(?:(?:mpirun|torchrun|srun)\b.*?)?(?:python )?(?:-m )?opalux (.*)", line
        )
        if not found or "[" in found[1].partition("#")[0].replace("[0, 180]", ""):
            continue
        try:
            words = shlex.split(re.split(r"\s(?:\||&&|;|>)\s?", found[1])[0], comments=True)
        except ValueError:  # a quotation that goes on in the next line
            continue
        if len(words) > 1 and words[0] in JOBS:
            yield words


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_line_is_understood(page, monkeypatch, capsys):
    monkeypatch.setattr(command_line, "run", lambda work, parsed=None: 0)
    for job, *words in command_lines(page.read_text(encoding="utf-8")):
        if not is_whole(job, words):
            continue
        main = importlib.import_module(f"opalux.jobs.{job}").main
        try:
            code = main(words)
        except SystemExit as end:
            code = end.code
        assert code in (0, None), f"opalux {job} {' '.join(words)}: {capsys.readouterr().err}"
        check_configuration(job, words)
        check_keys(job, words)


def is_whole(job: str, words: list[str]) -> bool:
    """Whether a line is meant to be typed: no placeholder, no mere name of an option or a verb."""
    if {"JOB", "k/K", "N", "…"} & set(words) or any("..." in word for word in words):
        return False
    option = words[0].startswith("--") and words[0] not in ("--example", "--paint")
    verb = job == "dataset" and all(word.isalpha() and word.islower() for word in words)
    return not option and not verb and words[0] != "status"


def check_configuration(job: str, words: list[str]) -> None:
    """A bare name is one that comes with Opalux; a path into configs/ exists."""
    for word in words:
        if word.startswith("configs/"):
            assert (ROOT / word).exists(), word
    known = (ROOT / "configs" / job).is_dir()
    if known and words[0].islower() and words[0].isalpha() and job != "site":
        find_config(job, Path(words[0]))


def check_keys(job: str, words: list[str]) -> None:
    """Keys that are set exist."""
    if job not in MODELS or job in ("train", "evaluate", "reconstruct"):
        return
    known = {re.sub(r"\.(N|NAME)(?=\.|$)", "", key.path) for key in walk(settings_of(MODELS[job]))}
    known |= {re.sub(r"^edges\.up", f"edges.{edge}", key) for edge in EDGES for key in known}
    for before, word in itertools.pairwise(words):
        if before == "--set" and re.match(r"[a-z_.0-9]+=", word):
            key = re.sub(r"\.\d+", "", word.partition("=")[0])
            assert key in known, word


EDGES = ("down", "left", "right")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_of_code_is_code(page):
    for language, block in blocks(page.read_text(encoding="utf-8"))[0]:
        if language == "python":
            compile(block, name_of(page), "exec")
        if language == "yaml":
            assert isinstance(yaml.safe_load(block), dict)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_of_the_checkout_that_is_named_exists(page):
    _, prose = blocks(page.read_text(encoding="utf-8"))
    tops = "solver|learning|jobs|opalux|configs|slurm|docs"
    named = re.findall(rf"`((?:{tops})/[\w/.-]*\w)`", prose)
    missing = [name for name in named if "NAME" not in name and not (ROOT / name).exists()]
    assert not missing
