"""``opalux dataset``: check, import, export and picture data sets."""

import argparse
import shutil
import sys
from pathlib import Path

import pydantic

from opalux.base import command_line
from opalux.base.errors import InputError
from opalux.base.exit_codes import FAILURE, OK
from opalux.base.progress import Progress
from opalux.base.provenance import git_revision, version
from opalux.jobs.sampling.check import problems
from opalux.learning.data.card import Splits, read_card
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.export import export_npy, export_well

EXPORTS = {"npy": export_npy, "well": export_well}


def main(argv: list[str] | None = None) -> int:
    """Run the command line."""
    parsed = _parser().parse_args(argv)
    return command_line.run(lambda: int(parsed.work(parsed)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="opalux dataset", description="Check, import, export and picture data sets."
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    check = verbs.add_parser("check", help="check layout, checksums, ranges and reproduction")
    check.add_argument("folder", metavar="DIR", type=Path)
    check.add_argument(
        "--resimulate", metavar="N", type=_count, default=3, help="samples made again (default 3)"
    )
    check.add_argument("--seed", type=_count, default=0, help="of the choice of those samples")
    check.set_defaults(work=_check)

    bring = verbs.add_parser("import", help="make a data set from published sds02 files")
    bring.add_argument("files", metavar="FILE.sds", nargs="+", type=Path)
    bring.add_argument("--out", metavar="DIR", type=Path, required=True)
    bring.add_argument("--name", default="imported", help="of the data set")
    bring.add_argument(
        "--splits",
        metavar="TRAIN,VALIDATION,TEST",
        type=_splits,
        help="numbers of samples (default: all for training)",
    )
    bring.add_argument(
        "--n-times", metavar="N", type=_count, help="interpolate to N times (default: all steps)"
    )
    bring.add_argument(
        "--dt", metavar="SH", type=float, help="time step [sh] (default: as published, 0.5 dx/c)"
    )
    bring.add_argument("--shard-size", metavar="N", type=_count, default=32)
    bring.set_defaults(work=_import)

    export = verbs.add_parser("export", help="write the samples in another format")
    export.add_argument("folder", metavar="DIR", type=Path)
    export.add_argument("--format", choices=sorted(EXPORTS), required=True)
    export.add_argument("--out", metavar="DIR", type=Path, required=True)
    export.set_defaults(work=_export)

    pictures = verbs.add_parser("pictures", help="draw a page for each family")
    pictures.add_argument("folder", metavar="DIR", type=Path)
    pictures.add_argument("--out", metavar="DIR", type=Path, help="default: DIR/pictures")
    pictures.set_defaults(work=_pictures)
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"found '{text}', expected a whole number")
    return int(text)


def _splits(text: str) -> Splits:
    try:
        train, validation, test = (int(part) for part in text.split(","))
        return Splits(train=train, validation=validation, test=test)
    except (ValueError, pydantic.ValidationError):
        raise argparse.ArgumentTypeError(
            f"found '{text}', expected three numbers such as 1950,750,183"
        ) from None


def _check(parsed: argparse.Namespace) -> int:
    card = read_card(parsed.folder)
    again = min(parsed.resimulate, card.n_samples) if card.campaign else 0
    found = 0
    with Progress(f"checking {card.name}", card.n_samples + again) as progress:
        for problem in problems(parsed.folder, parsed.resimulate, parsed.seed, progress.advance):
            found += 1
            print(problem, file=sys.stderr)
    if found:
        print(f"error: {parsed.folder}: {found} problems", file=sys.stderr)
        return FAILURE
    made = f"{again} made again to the bit" if again else "imported, so none made again"
    print(f"{parsed.folder}: {card.n_samples} samples in {card.n_parts} parts are sound, {made}")
    return OK


def _import(parsed: argparse.Namespace) -> int:
    from opalux.jobs.sampling.sds_import import import_sds

    missing = [path for path in parsed.files if not path.is_file()]
    if missing:
        raise InputError(f"{missing[0]}: no such file")
    if parsed.shard_size < 1 or (parsed.n_times is not None and parsed.n_times < 2):
        raise InputError("--shard-size must be at least 1 and --n-times at least 2")
    if parsed.dt is not None and not parsed.dt > 0:
        raise InputError(f"--dt: found {parsed.dt}, expected a step above 0 sh")
    out = _empty_folder(parsed.out)
    try:
        with Progress("importing", len(parsed.files)) as progress:
            card = import_sds(
                parsed.files,
                out,
                name=parsed.name,
                splits=parsed.splits,
                n_times=parsed.n_times,
                dt=parsed.dt,
                shard_size=parsed.shard_size,
                attributes={"opalux_version": version(), "git_revision": git_revision()},
                advance=progress.advance,
            )
    except BaseException:
        shutil.rmtree(out, ignore_errors=True)
        raise
    print(f"{out}: {card.n_samples} samples, sources {', '.join(card.sources)}")
    return OK


def _export(parsed: argparse.Namespace) -> int:
    data = DataSet(parsed.folder)
    out = _empty_folder(parsed.out)
    try:
        with Progress(f"exporting {data.card.name}", len(data)) as progress:
            EXPORTS[parsed.format](data, out, progress.advance)
    except BaseException:
        shutil.rmtree(out, ignore_errors=True)
        raise
    finally:
        data.close()
    print(f"{out}: written as {parsed.format}")
    return OK


def _pictures(parsed: argparse.Namespace) -> int:
    from opalux.jobs.sampling.pictures import draw_pages

    data = DataSet(parsed.folder)
    try:
        for path in draw_pages(data, parsed.out or parsed.folder / "pictures"):
            print(path)
    finally:
        data.close()
    return OK


def _empty_folder(out: Path) -> Path:
    """Make ``out``, which must not hold anything yet."""
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise InputError(f"--out {out}: exists already; choose another name")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {out}: cannot write there ({error.strerror})") from None
    return out


if __name__ == "__main__":
    raise SystemExit(main())
