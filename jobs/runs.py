"""Run folders: opening them, never leaving half-written files there, saying whence they came."""

import contextlib
import datetime
import functools
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jobs.config import ConfigError

CONFIG_NAME = "config.yaml"


def open_run(out: Path, config_text: str, *, resume: bool, force: bool) -> Path:
    """Make the run folder ``out`` and leave the resolved configuration in it.

    Raises
    ------
    ConfigError
        When the folder holds something and neither ``resume`` nor ``force`` was given, when
        ``force`` would delete a folder that is no run, when ``resume`` finds another
        configuration, or when nothing can be written there.
    """
    marker = out / CONFIG_NAME
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out}: found a file, expected a folder; choose another name")
    if out.is_dir() and any(out.iterdir()):
        if force:
            if not marker.is_file():
                raise ConfigError(
                    f"--out {out}: holds no {CONFIG_NAME}, so it is not a run of ours and --force "
                    "will not delete it; choose another folder"
                )
            shutil.rmtree(out)
        elif not resume:
            raise ConfigError(
                f"--out {out}: exists already; give --resume to go on, --force to start afresh, "
                "or another folder"
            )
        elif marker.is_file() and marker.read_text(encoding="utf-8") != config_text:
            raise ConfigError(
                f"--out {out}: was made with another configuration (see {marker}); resume with "
                "the same one, or give --force or another folder"
            )
    try:
        out.mkdir(parents=True, exist_ok=True)
        with atomic(marker) as temporary:
            temporary.write_text(config_text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"--out {out}: cannot write there ({error.strerror}); choose another folder"
        ) from None
    return out


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary name beside ``path`` and rename it to ``path`` when the block succeeds.

    A reader never sees a half-written file, and a killed writer leaves the old one whole.
    """
    own = f"{platform.node()}.{os.getpid()}"  # processes on several hosts share a folder
    temporary = path.with_name(f".{path.name}.{own}.part{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write ``content`` as JSON, atomically."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")


@functools.cache
def git_revision() -> str:
    """Return the git revision of the source tree, '+' appended if it was changed, or 'unknown'."""
    source = Path(__file__).resolve().parent.parent
    if not (source / ".git").exists():
        return "unknown"

    def git(*words: str) -> str:
        command = ["git", "-C", str(source), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def version(package: str = "opalux") -> str:
    """Return the installed version of ``package``, or 'unknown'."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def provenance(**details: Any) -> dict[str, Any]:
    """Return what run.json says of every run, plus the job's own ``details``."""
    numeric = ("numpy", "scipy", "numba", "h5py", "torch", "scikit-learn")
    spread = ("mpi4py", "petsc4py", "dask")
    found = {name: version(name) for name in numeric + spread}
    return {
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "python": platform.python_version(),
        "opalux_version": version(),
        "git_revision": git_revision(),
        "libraries": {name: value for name, value in found.items() if value != "unknown"},
        **details,
    }


class Progress:
    """Progress of a long job: a bar on a terminal, a plain line every few seconds in a log."""

    LINE_EVERY = 5.0  # seconds between lines of a log

    def __init__(self, label: str, total: int, done: int = 0, *, quiet: bool = False) -> None:
        self._label, self._total, self._done, self._first = label, total, done, done
        self._start = self._last_line = time.monotonic()
        self._bar: Any = None
        self._quiet = quiet
        if sys.stderr.isatty() and not quiet:
            import rich.console
            import rich.progress

            self._bar = rich.progress.Progress(
                "{task.description}",
                rich.progress.BarColumn(),
                rich.progress.MofNCompleteColumn(),
                rich.progress.TimeElapsedColumn(),
                rich.progress.TimeRemainingColumn(),
                "{task.fields[note]}",
                console=rich.console.Console(stderr=True),
            )
            self._task = self._bar.add_task(label, total=total, completed=done, note="")

    def __enter__(self) -> "Progress":
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar:
            self._bar.stop()
        elif exception[0] is None:
            self._line("")

    def advance(self, by: int = 1, note: str = "") -> None:
        """Count ``by`` more units as done; ``note`` is shown behind."""
        self._done += by
        if self._bar:
            self._bar.update(self._task, advance=by, note=note)
        elif time.monotonic() - self._last_line >= self.LINE_EVERY:
            self._line(note)

    def _line(self, note: str) -> None:
        if self._quiet:
            return
        self._last_line = time.monotonic()
        elapsed = self._last_line - self._start
        made = self._done - self._first
        left = elapsed / made * (self._total - self._done) if made else float("nan")
        share = f"{self._done}/{self._total}"
        text = f"{self._label}: {share}, {elapsed:.0f} s, {left:.0f} s left {note}"
        print(text.rstrip(), file=sys.stderr, flush=True)
