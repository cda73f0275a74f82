"""Command lines: each module is one job, runnable as ``python -m jobs.NAME`` or ``opalux NAME``."""
