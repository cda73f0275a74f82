"""The folder of a run: made once, or opened again to resume the run."""

import shutil
from pathlib import Path

from opalux.base.errors import InputError
from opalux.base.files import write_text

CONFIG_NAME = "config.yaml"


def open_run(out: Path, config_text: str, *, resume: bool, force: bool) -> Path:
    """Make the run folder ``out`` and write the resolved configuration into it.

    Raises
    ------
    InputError
        When the folder is not empty and neither ``resume`` nor ``force`` was given, when ``force``
        would delete a folder that is not a run, when ``resume`` finds another configuration, or
        when nothing can be written there.
    """
    marker = out / CONFIG_NAME
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: found a file, expected a folder; choose another name")
    if out.is_dir() and any(out.iterdir()):
        if force:
            if not marker.is_file():
                raise InputError(
                    f"--out {out}: holds no {CONFIG_NAME}, so it is not a run of Opalux and "
                    "--force will not delete it; choose another folder"
                )
            shutil.rmtree(out)
        elif not resume:
            raise InputError(
                f"--out {out}: exists already; give --resume to go on, --force to start afresh, "
                "or another folder"
            )
        elif marker.is_file() and marker.read_text(encoding="utf-8") != config_text:
            raise InputError(
                f"--out {out}: was made with another configuration (see {marker}); resume with "
                "the same one, or give --force or another folder"
            )
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_text(marker, config_text)
    except OSError as error:
        raise InputError(
            f"--out {out}: cannot write there ({error.strerror}); choose another folder"
        ) from None
    return out
