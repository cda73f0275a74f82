"""``make session``: a stranger's first inversion, by the first page alone, written down.

Builds the wheel, makes an empty environment and an empty folder, does there what docs/index.md
says and nothing else, and writes every command with its output into docs/first_inversion.md.
"""

import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from docs.website.markdown import fenced

ROOT = Path(__file__).resolve().parents[2]
FIRST_PAGE = ROOT / "docs" / "index.md"
WRITTEN = ROOT / "docs" / "first_inversion.md"
BEGIN, END = "## From nothing", "**4. "
COMMANDS = ("for ", "opalux ", "pip ", "python ")
HEAD = """\
# The first inversion, as it went

Every command of [the first page](index.md) and all that it answered, in an empty environment and an
empty folder. `make session` does it again and writes this page. Kernels were compiled in it, for
nothing was there before. Of progress lines in a row, the first and the last are shown; pip was
asked to speak of errors alone.

The machine: {system}, Python {python}, {cores} cores{busy}.
"""


def steps(page: str) -> Iterator[tuple[str, str]]:
    """Yield what the page asks for: files to save, as (name, content), and ("", command).

    A block of Python or YAML is a file, whose name the text before it gives in code; an indented
    block is a command if it begins like one, and otherwise what a command answers.
    """
    part = page[page.index(BEGIN) : page.index(END)]
    block = re.compile(r"^```(\w+)\n(.*?)^```$|((?:^    [^\n]*\n)+)", re.MULTILINE | re.DOTALL)
    place = 0
    for found in block.finditer(part):
        before, place = part[place : found.start()], found.end()
        if found[1]:
            name = re.findall(r"`(\w+\.\w+)`", before)[0]
            yield name, found[2]
            continue
        text = re.sub(r"^    ", "", found[3], flags=re.MULTILINE).rstrip("\n")
        if text.startswith(COMMANDS):
            for command in [text] if text.startswith("for ") else text.splitlines():
                yield "", command


def answer(command: str, folder: Path, environment: dict[str, str]) -> tuple[str, float]:
    """Return what a command prints, and the time that it takes [s].

    Raises
    ------
    RuntimeError
        When it fails: then the first page is wrong.
    """
    start = time.monotonic()
    done = subprocess.run(
        command,
        shell=True,
        executable="/bin/bash",
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{command}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout, time.monotonic() - start


def shortened(printed: str) -> str:
    """Return printed lines with only the first and the last of progress lines in a row."""
    kept: list[str] = []
    progress = re.compile(r"^(\w+): \d+/\d+, ")
    lines = printed.rstrip().splitlines()
    for before, line, after in zip(["", *lines], lines, [*lines[1:], ""], strict=False):
        label = (found := progress.match(line)) and found[1]
        inner = label and all(re.match(rf"{label}: \d+/\d+, ", other) for other in (before, after))
        if not inner:
            kept.append(line)
        elif kept[-1] != "…":
            kept.append("…")
    return "\n".join(kept)


def main() -> None:
    """Do the session and write it down."""
    with tempfile.TemporaryDirectory() as made:
        empty, folder = Path(made) / "environment", Path(made) / "first"
        folder.mkdir()
        pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", str(folder)]
        subprocess.run([*pip, str(ROOT)], check=True)
        subprocess.run([sys.executable, "-m", "venv", str(empty)], check=True)
        environment = {
            "PATH": f"{empty / 'bin'}:/usr/bin:/bin",
            "HOME": os.environ.get("HOME", made),
            "PIP_QUIET": "2",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "NUMBA_CACHE_DIR": f"{made}/cache",
            "XDG_CACHE_HOME": f"{made}/cache",
            **{k: v for k, v in os.environ.items() if k.startswith("PIP_")},
        }
        busy = os.getloadavg()[0] > 1.5 * (os.cpu_count() or 1)
        lines = [
            HEAD.format(
                system=platform.freedesktop_os_release()["PRETTY_NAME"],
                python=platform.python_version(),
                cores=os.cpu_count(),
                busy=", busy with other work" if busy else "",
            )
        ]
        total = 0.0
        for name, text in steps(FIRST_PAGE.read_text(encoding="utf-8")):
            if name:
                (folder / name).write_text(text, encoding="utf-8")
                language = {".py": "python"}.get(Path(name).suffix, Path(name).suffix[1:])
                lines.append(f"`{name}`:\n\n" + fenced(text, language))
                continue
            printed, seconds = answer(text, folder, environment)
            total += seconds
            shown = shortened(printed.replace(str(Path(made).resolve()), "~"))
            prompt = "$ " + text.replace("\n", "\n> ")
            lines.append(fenced(f"{prompt}\n{shown}") + f"\n{seconds:.0f} s.\n")
            print(f"{seconds:6.0f} s  {text.splitlines()[0]}", flush=True)
        lines.append(f"In all: {total / 60:.1f} minutes.\n")
    WRITTEN.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
