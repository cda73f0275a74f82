"""The training of the network, on the pipeline's campaign or on the data of its configuration."""

from opalux.base.config import load
from opalux.base.errors import InputError
from opalux.jobs.chain.folders import training
from opalux.jobs.chain.row import read_json
from opalux.jobs.chain.stage import ConfiguredStage, Stage, Surroundings, Work, script
from opalux.jobs.chain.stages.sample import FOLDER as DATA
from opalux.jobs.chain.stages.sample import campaign_card

FOLDER = "train"


def _work(own: ConfiguredStage, around: Surroundings) -> Work:
    # Importing torch takes seconds; nothing else here needs it.
    from opalux.learning.training.plan import TrainSettings

    card = campaign_card(around)
    out = around.out / FOLDER
    data = ("--set", f"data.folder={around.out / DATA}") if card else ()
    job = script("train", own, own.config, "--out", out, *data, overrides=own.set)
    settings, _ = load(TrainSettings, own.config, list(own.set))
    options = job.options(around.site)
    gpus = int(options.get("--gpus-per-node", "0"))
    processes = int(options["--nodes"]) * max(1, gpus)
    if settings.batch % (settings.accumulate * processes):
        raise InputError(
            f"{own.config}: found batch {settings.batch}, expected a multiple of "
            f"accumulate × processes = {settings.accumulate} × {processes} "
            f"({options['--nodes']} nodes, {gpus} GPUs each); change batch, or nodes and "
            "gpus_per_node"
        )
    if card is not None and not card.splits.validation:
        raise InputError("sample: splits.validation is 0, but training judges itself on that split")
    return Work(script=job, done=lambda: read_json(out / "run.json").get("state") == "finished")


TRAIN = Stage(
    name="train",
    settings=ConfiguredStage,
    folder=FOLDER,
    work=_work,
    row=training,
    follows=("check",),
    files=("metrics.jsonl",),
    keys=("model", "optimiser", "epochs"),
)
