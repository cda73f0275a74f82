"""Opalux: simulate light that crosses a medium, and reconstruct the medium from what leaves it.

The names below are the public interface; each is loaded when it is first used, so that
``import opalux`` takes no time. What else lies in the packages may change with a minor version.

Simulate: `Problem`, `simulate`, `Solution`, `read_solution`. Make data: `Campaign`, `make_sample`,
`run_campaign`, `DataSet`. Invert: `invert`, `train`, `load_trained`,
`reconstruct`, `refine`.
Cluster: `IterativeLabelSpreading`. Errors: `OpaluxError` and, for wrong input, `InputError`.
docs/api.md shows each in use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opalux.base.errors import InputError, OpaluxError
    from opalux.jobs.correction.run import train
    from opalux.jobs.inversion.reconstruction import Reconstruction, reconstruct
    from opalux.jobs.inversion.trained import Trained, load_trained
    from opalux.jobs.measured.inversion import Inverted, invert
    from opalux.jobs.refinement.refine import refine
    from opalux.jobs.refinement.search import Refined
    from opalux.jobs.sampling.campaign import Campaign
    from opalux.jobs.sampling.run import run_campaign
    from opalux.jobs.sampling.sample import make_sample
    from opalux.learning.data.data_set import DataSet
    from opalux.learning.siqd.clustering.ils import IterativeLabelSpreading
    from opalux.solver.files.solution import read_solution
    from opalux.solver.march import simulate
    from opalux.solver.problem import Problem
    from opalux.solver.solution import Solution

_HOMES = {
    "Campaign": "jobs.sampling.campaign",
    "DataSet": "learning.data.data_set",
    "InputError": "base.errors",
    "Inverted": "jobs.measured.inversion",
    "IterativeLabelSpreading": "learning.siqd.clustering.ils",
    "OpaluxError": "base.errors",
    "Problem": "solver.problem",
    "Reconstruction": "jobs.inversion.reconstruction",
    "Refined": "jobs.refinement.search",
    "Solution": "solver.solution",
    "Trained": "jobs.inversion.trained",
    "invert": "jobs.measured.inversion",
    "load_trained": "jobs.inversion.trained",
    "make_sample": "jobs.sampling.sample",
    "read_solution": "solver.files.solution",
    "reconstruct": "jobs.inversion.reconstruction",
    "refine": "jobs.refinement.refine",
    "run_campaign": "jobs.sampling.run",
    "simulate": "solver.march",
    "train": "jobs.correction.run",
}
"""Where each public name is defined."""

__all__ = [
    "Campaign",
    "DataSet",
    "InputError",
    "Inverted",
    "IterativeLabelSpreading",
    "OpaluxError",
    "Problem",
    "Reconstruction",
    "Refined",
    "Solution",
    "Trained",
    "invert",
    "load_trained",
    "make_sample",
    "read_solution",
    "reconstruct",
    "refine",
    "run_campaign",
    "simulate",
    "train",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used (PEP 562)."""
    if name == "__version__":
        from opalux.base.provenance import version

        return version()
    if name not in _HOMES:
        raise AttributeError(f"module 'opalux' has no attribute '{name}'")
    value = getattr(import_module(f"opalux.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted([*__all__, "__version__"])
