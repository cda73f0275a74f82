"""The key reference: a page for each configuration, made of its model."""

import re

from docs.website.markdown import cell, coded
from opalux.base.command_line import settings_of
from opalux.base.keys import Key, walk
from opalux.jobs.starting.models import FILES, MODELS

_HEADER = "| Key | Type | Unit | Default | Meaning |\n|---|---|---|---|---|"


def pages() -> dict[str, str]:
    """Return the pages, by the name of the command with _ for blanks."""
    return {_file(job): _page(job) for job in MODELS}


def index() -> str:
    """Return the page that leads to them."""
    lines = [f"- [{job}](keys_{_file(job)}.md)" for job in MODELS]
    return "\n".join(
        [
            "# Keys of the configurations",
            "",
            "Every key, with its type, unit, default and meaning. On the command line:",
            "`opalux JOB --keys [PREFIX]`. A file that explains them all: `opalux init JOB`.",
            "",
            *lines,
            "",
        ]
    )


def _file(job: str) -> str:
    return re.sub(r"\W+", "_", job)


def _page(job: str) -> str:
    where = (
        "Given in a file, or with `--set key=VALUE`."
        if job in FILES
        else "Given with `--set key=VALUE`."
    )
    if job == "site":
        where = "Given in the file that a pipeline's key `site` names."
    keys = list(walk(settings_of(MODELS[job])))
    grouped = {key.path for key in keys if key.groups}
    single = [key for key in keys if "." not in key.path and key.path not in grouped]
    lines = [f"# Keys of {job}", "", where, ""]
    if single:
        lines += [_HEADER, *map(_row, single)]
    for top in (key for key in keys if "." not in key.path and key.path in grouped):
        lines += ["", f"## {top.path}", "", *_section(top, keys)]
    return "\n".join(lines) + "\n"


def _section(top: Key, keys: list[Key]) -> list[str]:
    """Return the tables of one group; each of its alternatives has its own."""
    lines = [_HEADER, _row(top)]
    choice, inside = "", top.path
    for key in (key for key in keys if key.path.startswith(f"{top.path}.")):
        if key.choice and (key.choice, key.path.rpartition(".")[0]) != (choice, inside):
            choice, inside = key.choice, key.path.rpartition(".")[0]
            lines += ["", f"### {inside}, {choice}", "", _HEADER]
        elif choice and not key.path.startswith(f"{inside}."):
            choice, inside = "", top.path
            lines += ["", f"### {top.path}, further", "", _HEADER]
        lines.append(_row(key))
    return lines


def _row(key: Key) -> str:
    cells = [coded(key.path), cell(key.type), cell(key.unit.strip("[]")), coded(key.default)]
    return f"| {' | '.join([*cells, cell(key.meaning)])} |"
