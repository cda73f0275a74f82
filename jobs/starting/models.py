"""Which model reads the configuration of which command, each as ``module:name``.

Names, not the models themselves: these import what is heavy.
"""

_SOLVE = "opalux.jobs.simulation.settings:SolveSettings"

FILES = {
    "solve": _SOLVE,
    "sample": "opalux.jobs.sampling.settings:SampleSettings",
    "train": "opalux.learning.training.plan:TrainSettings",
    "invert": "opalux.jobs.measured.settings:InvertSettings",
    "siqd": "opalux.jobs.cluster.siqd:SiqdJobSettings",
    "dots": "opalux.learning.siqd.dots.export_settings:ExportSettings",
    "pipeline": "opalux.jobs.chain.settings:FROM_FILE",
    "site": "opalux.jobs.cluster.site:Site",
}
"""Configurations that are files."""

MODELS = FILES | {
    "evaluate": "opalux.jobs.inversion.settings:EvaluateSettings",
    "reconstruct": "opalux.jobs.refinement.settings:RefineSettings",
    "reconstruct --refine": "opalux.jobs.refinement.settings:RefineSettings",
    "export": "opalux.jobs.inversion.settings:ExportSettings",
    "verify transport": _SOLVE,
}
"""All: also of commands whose keys are given with ``--set`` alone."""
