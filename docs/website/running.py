"""``make gallery``: runs the scripts of the gallery and keeps what they print and draw.

``python -m docs.website.running [NAME...]`` runs those alone whose names begin so.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from docs.website.gallery import ROOT, SCRIPTS, scripts


def run(script: Path) -> None:
    """Run a script in an empty folder; its printed lines and pictures go to docs/gallery."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        shutil.copy(script, folder)
        done = subprocess.run(
            [sys.executable, script.name],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": path, "MPLBACKEND": "Agg"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        printed = done.stdout.replace(str(Path(folder).resolve()) + os.sep, "").rstrip()
        for picture in Path(folder).glob(f"{script.stem}*.png"):
            shutil.copy(picture, SCRIPTS)
    (SCRIPTS / f"{script.stem}.txt").write_text(printed + "\n", encoding="utf-8")


def main(names: list[str]) -> None:
    """Run the scripts whose names begin as one of ``names``; all without any."""
    SCRIPTS.mkdir(exist_ok=True)
    for script in scripts():
        if not names or script.name.startswith(tuple(names)):
            print(script.name, flush=True)
            run(script)


if __name__ == "__main__":
    main(sys.argv[1:])
