"""All commands by name, with what each is for; each is the module `opalux.jobs.NAME`."""

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
    "siqd": "structure classes against property classes: silicon quantum dots, or your table",
    "dots": "structures of silicon quantum dots as files, and their gaps",
    "pipeline": "campaign, training, evaluation, … as a chain of Slurm jobs",
    "status": "how far a pipeline, a campaign or a run is",
    "bench": "how fast the parts are, as ratios measured in one run",
    "verify": "compare the solver with exact solutions, or P1 with transport",
    "completion": "what a shell needs to complete command lines",
    "demo": "solve, sample, train and evaluate, in minutes, with a report",
}
