"""``opalux siqd``: structure classes and colour bands of silicon quantum dots."""

import argparse
import sys
import time
from pathlib import Path

from opalux.base import command_line
from opalux.base.config import dump, load
from opalux.base.exit_codes import OK
from opalux.base.run_folder import CONFIG_NAME, run_folder
from opalux.jobs.starting.models import MODELS

DESCRIPTION = """\
Repeat the published analysis of silicon quantum dots, and compare its numbers with ours.

Without a file of yours (data.file: CSV or XLSX) it works on a rebuilt set that comes with the
package. DIR gets report.html, metrics.json, figures/*.png and tables/*.csv. A run that was killed
continues when the same line is given again."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    parsed = command_line.parser("siqd", DESCRIPTION, settings=MODELS["siqd"]).parse_args(argv)
    return command_line.run(lambda: _siqd(parsed), parsed)


def _siqd(parsed: argparse.Namespace) -> int:
    arguments = command_line.arguments(parsed)
    from opalux.jobs.cluster.siqd import SiqdJobSettings

    settings, _ = load(SiqdJobSettings, arguments.config, arguments.overrides)

    # Importing SciPy and scikit-learn takes seconds: not before the configuration is checked.
    from opalux.jobs.cluster.pool import open_pool
    from opalux.learning.siqd.report import folder
    from opalux.learning.siqd.study.run import check, plan, run

    out = arguments.out or Path("runs") / "siqd" / arguments.config.stem
    if arguments.dry_run:
        print("\n".join(plan(settings)))
        print(f"back end: {settings.backend.kind}\nresults would go to {out}")
        return OK
    check(settings)
    finished = (out / "metrics.json").is_file()
    unfinished = (out / CONFIG_NAME).is_file() and not finished
    resume = arguments.resume or (unfinished and not arguments.force)
    with run_folder(
        out,
        dump(settings.work),
        job="siqd",
        makes=folder.MAKES,
        resume=resume,
        force=arguments.force,
    ):
        if resume and finished:
            print(f"{out / 'report.html'}: complete already; --force starts again")
            return OK
        start = time.perf_counter()
        with open_pool(settings.task_backend) as pool:
            results = run(settings, pool, out, workers=settings.workers)
        print(folder.write(results, time.perf_counter() - start, out))
    return OK


if __name__ == "__main__":
    sys.exit(main())
