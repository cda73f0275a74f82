"""The results of a run as files: report, figures, tables and numbers."""

import dataclasses
from pathlib import Path
from typing import Any

from opalux.base.files import atomic, write_json, write_text
from opalux.base.progress import Progress
from opalux.base.provenance import provenance
from opalux.learning.siqd.dots.table import SHIPPED
from opalux.learning.siqd.report import metrics, page, pictures, tables
from opalux.learning.siqd.study import comparison
from opalux.learning.siqd.study.run import Results
from opalux.learning.siqd.study.verdicts import verdicts

MAKES = (
    "report.html",
    "metrics.json",
    "run.json",
    "figures/*.png",
    "tables/*.csv",
    "dots.jsonl",
    "search_*.jsonl",
    SHIPPED.name,
)
"""Files that a run makes in its folder."""


def write(results: Results, seconds: float, out: Path) -> Path:
    """Write all files into a folder, and return the path of the report.

    metrics.json is written last: where it exists, the run is complete.

    Parameters
    ----------
    results : of the run
    seconds : time that it took [s]
    out : the folder
    """
    study = results.study
    compared, answers = comparison.compare(study), verdicts(study)
    with Progress("figures", len(pictures.captions(results))) as progress:
        drawn = pictures.draw(results, lambda name: progress.advance(note=name))
    for folder in ("figures", "tables"):
        (out / folder).mkdir(exist_ok=True)
    for name, png in drawn.items():
        with atomic(out / "figures" / f"{name}.png") as temporary:
            temporary.write_bytes(png)
    for name, table in tables.all_tables(results, compared, answers).items():
        write_text(out / "tables" / f"{name}.csv", tables.as_csv(table))
    record = provenance(job="siqd", data=study.table.origin, seconds=round(seconds, 1))
    report = out / "report.html"
    write_text(report, page.html(results, compared, answers, drawn, _made(record)))
    write_json(out / "run.json", record)
    numbers = metrics.metrics(study, answers)
    if results.outcomes:
        numbers["clusterers_mean_adjusted_rand"] = metrics.mean_agreement(results.outcomes)
    if results.searched:
        numbers["search"] = {one.task: metrics.search_metrics(one) for one in results.searched}
        numbers["search_yardsticks"] = [dataclasses.asdict(y) for y in results.yardsticks]
    write_json(out / "metrics.json", numbers)
    return report


def _made(record: dict[str, Any]) -> list[tuple[str, str]]:
    libraries = ", ".join(f"{k} {v}" for k, v in record["libraries"].items())
    return [
        ("command", " ".join(record["command"])),
        ("opalux", f"{record['opalux_version']}, revision {record['git_revision']}"),
        ("libraries", f"Python {record['python']}, {libraries}"),
        ("finished", record["finished"]),
        ("analysis", f"{record['seconds']} s"),
    ]
