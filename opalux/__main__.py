"""``opalux JOB ...``: the jobs under one name; a job is imported only when it is called."""

import importlib
import sys

from opalux.base.streams import output_was_lost, protect
from opalux.jobs.starting.commands import JOBS

__all__ = ["JOBS", "main", "usage"]


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
