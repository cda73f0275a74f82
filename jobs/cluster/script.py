"""Batch scripts: those of slurm/ with the options and settings of a site."""

import dataclasses
import re
import shlex
import sys
from pathlib import Path

from opalux.base.errors import InputError
from opalux.base.shipped import BATCH_SCRIPTS, CHECKOUT, PACKAGE
from opalux.jobs.cluster.site import Resources, ScriptName, Site

ROOT = CHECKOUT or PACKAGE
"""Where slurm/ lies: the checkout, or the package that a wheel has installed."""

_OPTION = re.compile(r"^#SBATCH (--[a-z-]+)(?:=(.*))?$")
_SITE = "# Your site, such as:"
"""First line of the paragraph of a script that is replaced by the settings of a site."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Script:
    """A job to be submitted.

    Attributes
    ----------
    name : of the job; the files of script and log are named after it
    kind : which of the scripts in slurm/
    resources : what the job asks for
    arguments : words for the job
    variables : shell variables for the script
    array : number of elements of a job array, or None
    """

    name: str
    kind: ScriptName
    resources: Resources
    arguments: tuple[str, ...]
    variables: tuple[tuple[str, str], ...] = ()
    array: int | None = None

    def render(self, site: Site, logs: Path, root: Path = ROOT) -> str:
        """Return the text of the batch script.

        Parameters
        ----------
        site : of the cluster
        logs : folder for the log; it must exist when the job starts
        root : the folder in which slurm/job.sh lies

        Raises
        ------
        InputError
            When the scripts are not there.
        """
        options = self.options(site)
        options["--output"] = str(logs / ("%x-%j.log" if self.array is None else "%x-%A_%a.log"))
        header = [
            f"#SBATCH {name}={shlex.quote(value)}" if value else f"#SBATCH {name}"
            for name, value in options.items()
        ]
        title = f"# Written by `opalux pipeline` from slurm/{self.kind}.sbatch."
        return "\n".join(["#!/bin/bash", title, "#", *header, *self._body(site, root)]) + "\n"

    def options(self, site: Site) -> dict[str, str]:
        """Return the options for sbatch: the script's, the site's and this job's own."""
        options, _ = read_template(self.kind)
        options["--job-name"] = self.name
        options |= site.options_for(self.kind, self.resources)
        if options.get("--gpus-per-node") == "0":
            del options["--gpus-per-node"]
        if self.array is not None:
            options["--array"] = f"0-{self.array - 1}"
        return options

    def _body(self, site: Site, root: Path) -> list[str]:
        _, body = read_template(self.kind)
        start = body.index(_SITE)
        end = body.index("", start)
        own = [f"{name}={shlex.quote(value)}" for name, value in self.variables]
        own.append(f"set -- {shlex.join(self.arguments)}")
        settings = [f"OPALUX={shlex.quote(str(root))}", f"OPALUX_REQUEUES={site.requeues}"]
        python = site.python
        if python is None and CHECKOUT is None:
            python = sys.executable
        if python is not None:
            settings.append(f"OPALUX_PYTHON={shlex.quote(python)}")
        lines = body[:start] + site.shell_lines() + own + body[end:]
        place = next(n for n, line in enumerate(lines) if line.startswith("OPALUX="))
        return lines[:place] + settings + lines[place + 1 :]


def read_template(kind: ScriptName) -> tuple[dict[str, str], list[str]]:
    """Return the options for sbatch and the lines after them of slurm/``kind``.sbatch."""
    path = BATCH_SCRIPTS / f"{kind}.sbatch"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}), which comes with Opalux; install it anew"
        ) from None
    options = {found[1]: found[2] or "" for line in lines if (found := _OPTION.match(line))}
    last = max(n for n, line in enumerate(lines) if _OPTION.match(line))
    return options, lines[last + 1 :]
