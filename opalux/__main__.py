"""``opalux JOB ...``: the jobs under one name; a job is imported only when it is called."""

import importlib
import sys

from opalux.base.streams import output_was_lost, protect

JOBS = {
    "init": "a configuration to begin with, every key in it explained",
    "solve": "one simulation, on one process or many",
    "sample": "a data set of many simulations of random densities",
    "dataset": "check, import or export a data set",
    "train": "train a network that reconstructs densities from edge signals",
    "evaluate": "judge a trained network on held-out data",
    "reconstruct": "the density behind your own edge signals",
    "invert": "the density behind measured signals, by physics alone",
    "export": "a trained network as an ONNX file",
    "view": "results in the browser, and a page to paint a density on",
    "siqd": "the silicon quantum dot study",
    "pipeline": "campaign, training, evaluation, … as a chain of Slurm jobs",
    "status": "how far a pipeline, a campaign or a run is",
    "bench": "how fast the parts are, as ratios measured in one run",
    "verify": "compare the solver with exact solutions, or P1 with transport",
    "demo": "solve, sample, train and evaluate, in minutes, with a report",
}


def usage() -> str:
    """Return the text of ``opalux --help``."""
    lines = [f"  {name:<12} {what}" for name, what in JOBS.items()]
    return "\n".join(
        [
            "usage: opalux JOB CONFIG [--set a.b=VALUE ...] [--out DIR] [--resume] [--dry-run]",
            "",
            "Simulate light that crosses a medium and reconstruct the medium from what leaves it.",
            "",
            "jobs:",
            *lines,
            "",
            "CONFIG is a file, or the name of a configuration that comes with Opalux (published).",
            "'opalux JOB --help' tells about a job; 'python -m opalux JOB' is the same.",
        ]
    )


def _show(text: str) -> int:
    print(text)
    if reason := output_was_lost():
        print(f"error: standard output: cannot be written ({reason})", file=sys.stderr)
        return 1
    return 0


def main(argv: list[str] | None = None) -> int:
    """Hand over to the job named by the first argument."""
    argv = sys.argv[1:] if argv is None else argv
    protect()
    if argv and argv[0] in ("-h", "--help"):
        return _show(usage())
    if argv and argv[0] == "--version":
        from opalux.base.provenance import version

        return _show(f"opalux {version()}")
    if not argv or argv[0] not in JOBS:
        found = f"unknown job '{argv[0]}'" if argv else "no job given"
        print(f"error: {found}; choose one of {', '.join(JOBS)}", file=sys.stderr)
        return 2
    result: int = importlib.import_module(f"opalux.jobs.{argv[0]}").main(argv[1:])
    return result


if __name__ == "__main__":
    sys.exit(main())
