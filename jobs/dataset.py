"""``opalux dataset``: check, import, export, publish and picture data sets."""

import argparse
import sys
from pathlib import Path

from opalux.base import command_line
from opalux.base.command_line import count
from opalux.base.exit_codes import FAILURE, OK

FORMATS = ("npy", "well")
"""Formats of `dataset export`; those of `opalux.learning.data.export.EXPORTS`."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line."""
    parsed = _parser().parse_args(argv)
    return command_line.run(lambda: int(parsed.work(parsed)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="opalux dataset", description="Check, import, export, publish and picture data sets."
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    check = verbs.add_parser("check", help="check layout, checksums, ranges and reproduction")
    check.add_argument("folder", metavar="DIR", type=Path)
    check.add_argument(
        "--resimulate", metavar="N", type=count, default=3, help="samples made again (default 3)"
    )
    check.add_argument("--seed", type=count, default=0, help="of the choice of those samples")
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
        "--n-times", metavar="N", type=count, help="interpolate to N times (default: all steps)"
    )
    bring.add_argument(
        "--dt",
        metavar="SH",
        type=float,
        help="time step [sh] (default: as FILE.sds.json says, or as published, 0.5 dx/c)",
    )
    bring.add_argument("--shard-size", metavar="N", type=count, default=32)
    bring.set_defaults(work=_import)

    export = verbs.add_parser("export", help="write the samples in another format")
    export.add_argument("folder", metavar="DIR", type=Path)
    export.add_argument("--format", choices=FORMATS, required=True)
    export.add_argument("--out", metavar="DIR", type=Path, required=True)
    export.set_defaults(work=_export)

    pack = verbs.add_parser("pack", help="copy it with what archives ask for, to publish it")
    pack.add_argument("folder", metavar="DIR", type=Path)
    pack.add_argument("--out", metavar="DIR", type=Path, required=True)
    pack.add_argument(
        "--creator",
        metavar="NAME",
        type=_said,
        action="append",
        required=True,
        help="'Family, Given' (may be given several times)",
    )
    pack.add_argument(
        "--license", metavar="SPDX", type=_said, default="CC-BY-4.0", help="default: CC-BY-4.0"
    )
    pack.set_defaults(work=_pack)

    pictures = verbs.add_parser("pictures", help="draw a page for each family")
    pictures.add_argument("folder", metavar="DIR", type=Path)
    pictures.add_argument("--out", metavar="DIR", type=Path, help="default: DIR/pictures")
    pictures.set_defaults(work=_pictures)
    return parser


def _said(text: str) -> str:
    """Return a text of one line that says something."""
    if not text.strip() or not text.isprintable():
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a name")
    return text.strip()


def _splits(text: str) -> dict[str, int]:
    words = text.split(",")
    if len(words) != 3 or not all(word.isdecimal() for word in words) or not int(words[0]):
        raise argparse.ArgumentTypeError(
            f"found '{text}', expected three numbers such as 1950,750,183, the first above 0"
        )
    return dict(zip(("train", "validation", "test"), map(int, words), strict=True))


# What does the work is imported once the command line is understood.


def _check(parsed: argparse.Namespace) -> int:
    from opalux.jobs.sampling.check import check_data_set

    report = check_data_set(
        parsed.folder,
        parsed.resimulate,
        parsed.seed,
        tell=lambda problem: print(problem, file=sys.stderr),
    )
    if report.problems:
        print(f"error: {parsed.folder}: {len(report.problems)} problems", file=sys.stderr)
        return FAILURE
    print(report)
    return OK


def _import(parsed: argparse.Namespace) -> int:
    from opalux.base.config import check
    from opalux.jobs.sampling.sds_import import import_sds
    from opalux.learning.data.card import Splits

    splits = parsed.splits
    if splits:
        splits = check(Splits, splits, source="--splits", folder=Path.cwd())

    card = import_sds(
        parsed.files,
        parsed.out,
        name=parsed.name,
        splits=splits,
        n_times=parsed.n_times,
        dt=parsed.dt,
        shard_size=parsed.shard_size,
        tell=lambda line: print(line, file=sys.stderr),
    )
    print(f"{parsed.out}: {card.n_samples} samples, sources {', '.join(card.sources)}")
    return OK


def _export(parsed: argparse.Namespace) -> int:
    from opalux.learning.data.data_set import DataSet
    from opalux.learning.data.export import export

    export(DataSet(parsed.folder), parsed.out, parsed.format)
    print(f"{parsed.out}: written as {parsed.format}")
    return OK


def _pack(parsed: argparse.Namespace) -> int:
    from opalux.learning.data.data_set import DataSet
    from opalux.learning.data.pack import pack

    pack(DataSet(parsed.folder), parsed.out, creators=parsed.creator, license=parsed.license)
    print(f"{parsed.out}: ready to publish; look through its README.md first")
    return OK


def _pictures(parsed: argparse.Namespace) -> int:
    from opalux.jobs.sampling.pictures import draw_pages
    from opalux.learning.data.data_set import DataSet

    for path in draw_pages(DataSet(parsed.folder), parsed.out or parsed.folder / "pictures"):
        print(path)
    return OK


if __name__ == "__main__":
    raise SystemExit(main())
