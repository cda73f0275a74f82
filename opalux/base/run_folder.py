"""Run folders: whose they are, who works in them, and what may be removed from them.

A run folder carries a marker that names the job and the files that it makes. Without the marker
nothing in a folder is resumed, replaced or removed; with it, only the files that it names. One
process at a time works in a run folder; it holds a lock for as long as it lives.
"""

import contextlib
import datetime
import json
import os
import platform
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any

from opalux.base.differences import differences
from opalux.base.errors import NO_ROOM, InputError, StorageError
from opalux.base.files import write_json, write_text
from opalux.base.locks import try_lock
from opalux.base.provenance import version
from opalux.base.yaml_text import parse_yaml

CONFIG_NAME = "config.yaml"
MARKER = ".opalux.json"
LOCK = ".opalux.lock"

LOCK_TRIES, LOCK_PAUSE = 5, 0.1
"""How often a lock is tried, and the pause in between [s]: `is_in_use` takes it for a moment."""


@contextlib.contextmanager
def run_folder(
    out: Path,
    config_text: str,
    *,
    job: str,
    makes: Sequence[str],
    resume: bool,
    force: bool,
    together: bool = False,
    may_change: Collection[str] = (),
) -> Iterator[Path]:
    """Make the run folder ``out``, or enter it again, and hold its lock while the block runs.

    The resolved configuration is left in it.

    Parameters
    ----------
    out : the folder
    config_text : resolved configuration
    job : name of the job that makes the run
    makes : names or patterns of the files that the job makes, relative to ``out``
    resume : continue an earlier run of the same configuration
    force : replace an earlier run; only files that it made are removed
    together : several processes may work in the folder at the same time and share its work; one
        that is there already is continued
    may_change : top keys of the configuration that may be others when a run is resumed

    Raises
    ------
    InputError
        When the folder holds something and neither ``resume`` nor ``force`` was given, when it is
        no run of this job, when ``resume`` finds another configuration, when another process
        works in it, or when nothing can be written there.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: found a file, expected a folder; choose another name")
    used = out.is_dir() and any(map(_counts, out.iterdir()))
    if used and not (resume or force or together):
        raise InputError(
            f"--out {out}: exists already; give --resume to continue it, --force to start afresh, "
            "or another folder"
        )
    if used:
        _require_ours(out, job)
    with contextlib.ExitStack() as held:
        try:
            out.mkdir(parents=True, exist_ok=True)
            held.enter_context(_lock(out, together=together))
            if force:
                remove_made(out)
            elif used:
                _require_same(out / CONFIG_NAME, config_text, may_change)
            marker = {
                "job": job,
                "opalux_version": version(),
                "makes": sorted({CONFIG_NAME, *makes}),
            }
            write_json(out / MARKER, marker)
            write_text(out / CONFIG_NAME, config_text)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise StorageError.of(error, out) from None
            raise InputError(
                f"--out {out}: cannot write there ({error.strerror}); choose another folder"
            ) from None
        _last[:] = [out]
        yield out


_last: list[Path] = []


def last_folder() -> Path | None:
    """Return the run folder that this process entered last."""
    return _last[0] if _last else None


def add_made(out: Path, makes: Sequence[str]) -> None:
    """Note in the marker of ``out`` that further files were made there, by another job."""
    marker = read_marker(out)
    if marker is not None:
        made = sorted({*marker["makes"], *makes})
        write_json(out / MARKER, {**marker, "makes": made})


def read_marker(out: Path) -> dict[str, Any] | None:
    """Return the marker of a run folder, None where there is none that can be read."""
    try:
        marker = json.loads((out / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    good = isinstance(marker, dict) and isinstance(marker.get("makes"), list)
    return marker if good else None


def remove_made(out: Path) -> None:
    """Remove the files that the run in ``out`` made, and nothing else; the marker stays."""
    marker = read_marker(out)
    if marker is None:
        return
    patterns = [pattern for pattern in marker["makes"] if _stays_inside(pattern)]
    for pattern in patterns:
        for path in [*out.glob(pattern), *out.glob(temporary_of(pattern))]:
            if path.is_file() or path.is_symlink():
                path.unlink(missing_ok=True)
    for folder in {(out / pattern).parent for pattern in patterns} - {out}:
        with contextlib.suppress(OSError):  # it holds files of others, or is not there
            folder.rmdir()


def temporary_of(pattern: str) -> str:
    """Return the pattern of the temporary names under which a file of ``pattern`` is written."""
    path = PurePath(pattern)
    return str(path.with_name(f".{path.name}.*part*"))


def remove_run(out: Path) -> None:
    """Remove a run that left nothing worth keeping, and its folder if it is empty then."""
    remove_made(out)
    for name in (MARKER, LOCK):
        (out / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # it holds files of others
        out.rmdir()


def is_in_use(out: Path) -> bool:
    """Return whether a living process works in ``out``, as far as this machine can tell."""
    try:
        handle = os.open(out / LOCK, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not try_lock(handle)
    finally:
        os.close(handle)


def _counts(path: Path) -> bool:
    """Return whether a file makes a folder a used one: not what another task writes at first."""
    return path.name != LOCK and not path.name.startswith((f".{MARKER}.", f".{CONFIG_NAME}."))


def _stays_inside(pattern: Any) -> bool:
    if not isinstance(pattern, str) or not pattern.strip():
        return False
    path = PurePath(pattern)
    return not path.is_absolute() and ".." not in path.parts and "**" not in path.parts


def _require_ours(out: Path, job: str) -> None:
    marker = read_marker(out)
    if marker is None:
        raise InputError(
            f"--out {out}: holds files but no {MARKER}, so it is no run of Opalux, and nothing in "
            "it is resumed or replaced; choose another folder"
        )
    if marker.get("job") != job:
        raise InputError(
            f"--out {out}: is a run of 'opalux {marker.get('job')}', expected one of "
            f"'opalux {job}'; choose another folder"
        )


def _require_same(path: Path, config_text: str, may_change: Collection[str]) -> None:
    try:
        before = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    changes = before != config_text and "; ".join(_differences(before, config_text, may_change))
    if changes:
        raise InputError(
            f"--out {path.parent}: was made with another configuration ({changes}); resume with "
            "the same one, or give --force or another folder"
        )


def _differences(before: str, now: str, besides: Collection[str]) -> Iterator[str]:
    """Yield what differs between two configurations, the first few keys."""
    contents = (parse_yaml(text, name) for text, name in ((before, "before"), (now, "now")))
    kept = ({k: v for k, v in content.items() if k not in besides} for content in contents)
    found = list(differences(*kept))
    yield from found[:3]
    if len(found) > 3:
        yield f"and {len(found) - 3} more keys"


@contextlib.contextmanager
def _lock(out: Path, *, together: bool) -> Iterator[None]:
    """Hold the lock of ``out``; the system releases it, too, when this process ends.

    Raises
    ------
    InputError
        When another process holds it; the message says which.
    """
    handle = os.open(out / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    for left in reversed(range(LOCK_TRIES)):
        if try_lock(handle, shared=together):
            break
        if not left:
            holder = os.pread(handle, 1000, 0).decode(errors="replace").strip()
            os.close(handle)
            raise InputError(
                f"--out {out}: another process works there ({holder or 'unknown'}); wait for "
                "it, stop it, or choose another folder"
            )
        time.sleep(LOCK_PAUSE)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    words = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:300]
    text = f"pid {os.getpid()} on {platform.node()} since {now}: {words}\n"
    with contextlib.suppress(OSError):
        os.ftruncate(handle, 0)
        os.pwrite(handle, text.encode(), 0)
    try:
        yield
    finally:
        os.close(handle)
