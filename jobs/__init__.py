"""Commands: each module is one job, ``opalux NAME``; in a checkout also ``python -m jobs.NAME``."""
