"""``opalux dots``: structures of silicon quantum dots as files, and their gaps."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opalux.base import command_line
from opalux.base.config import dump, load
from opalux.base.exit_codes import OK
from opalux.base.run_folder import CONFIG_NAME, run_folder
from opalux.jobs.starting.models import MODELS

if TYPE_CHECKING:
    from opalux.learning.siqd.dots.export import Source
    from opalux.learning.siqd.dots.export_settings import ExportSettings
    from opalux.learning.siqd.dots.molecule import Molecule

DESCRIPTION = """\
Write structures of hydrogen-terminated silicon dots, and compute their gaps by tight binding.

The configuration names dots to cut from the lattice (structures), or files of your own structures
(files: XYZ, relaxed or not). DIR gets structures/*.xyz (or .cif) and gaps.csv. With relax they are
relaxed first, by tblite, and the table tells how far that moves the wavelength."""

TABLE = "gaps.csv"
MAKES = ("structures/*.xyz", "structures/*.cif", "gaps.jsonl", TABLE, "run.json")


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    parsed = command_line.parser("dots", DESCRIPTION, settings=MODELS["dots"]).parse_args(argv)
    return command_line.run(lambda: _dots(parsed))


def _dots(parsed: argparse.Namespace) -> int:
    arguments = command_line.arguments(parsed)
    from opalux.learning.siqd.dots.export_settings import ExportSettings

    settings, _ = load(ExportSettings, arguments.config, arguments.overrides)

    # Importing SciPy takes a second: not before the configuration is checked.
    from opalux.learning.siqd.dots.export import sources
    from opalux.learning.siqd.dots.relax import calculator_for

    out = arguments.out or Path("runs") / "dots" / arguments.config.stem
    found = sources(settings)
    calculator = calculator_for(settings.relax) if settings.relax else None
    if arguments.dry_run:
        relaxed = "relaxed " if settings.relax else ""
        gaps = ", and their gaps" if settings.gaps else ""
        print(f"write {len(found)} {relaxed}structures{gaps}\nresults would go to {out}")
        return OK
    finished = (out / "run.json").is_file()
    unfinished = (out / CONFIG_NAME).is_file() and not finished
    resume = arguments.resume or (unfinished and not arguments.force)
    with run_folder(
        out, dump(settings), job="dots", makes=MAKES, resume=resume, force=arguments.force
    ):
        if resume and finished:
            print(f"{out}: complete already; --force starts again")
            return OK
        _write(settings, found, calculator, out)
    return OK


def _write(settings: "ExportSettings", found: "list[Source]", calculator: Any, out: Path) -> None:
    from opalux.base.files import write_json, write_text
    from opalux.base.progress import Progress
    from opalux.base.provenance import provenance
    from opalux.learning.siqd.dots.export import gap_row, relaxed_row, text_of
    from opalux.learning.siqd.dots.rebuild import rows_as_csv
    from opalux.learning.siqd.study.journal import Journal

    (out / "structures").mkdir(exist_ok=True)

    def write(molecule: "Molecule") -> None:
        name, text = text_of(molecule, settings.format)
        write_text(out / "structures" / name, text)

    if settings.relax is None:
        for molecule, _ in found:
            write(molecule)
    if settings.gaps:
        journal = Journal(out / "gaps.jsonl")
        with Progress("gaps", len(found), len(journal.entries)) as progress:
            for i, source in enumerate(found):
                if i in journal.entries:
                    continue
                if settings.relax is None:
                    made = gap_row(source)
                else:
                    molecule, made = relaxed_row(source[0], settings.relax, calculator)
                    write(molecule)
                journal.add(i, made)
                progress.advance(note=source[0].name)
        write_text(out / TABLE, rows_as_csv(journal.entries[i] for i in range(len(found))))
        print(out / TABLE)
    print(f"{out / 'structures'}: {len(found)} structures")
    write_json(out / "run.json", provenance(job="dots", structures=len(found)))


if __name__ == "__main__":
    sys.exit(main())
