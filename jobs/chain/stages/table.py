"""The table of all stages, each after those that it needs or follows.

A new stage is a file beside this one, a line here, and a batch script in slurm/.
"""

from typing import Any

from opalux.jobs.chain.stage import Stage
from opalux.jobs.chain.stages.check import CHECK
from opalux.jobs.chain.stages.evaluate import EVALUATE
from opalux.jobs.chain.stages.sample import SAMPLE
from opalux.jobs.chain.stages.siqd import SIQD
from opalux.jobs.chain.stages.solve import SOLVE
from opalux.jobs.chain.stages.train import TRAIN

STAGES: tuple[Stage[Any], ...] = (SAMPLE, CHECK, TRAIN, EVALUATE, SOLVE, SIQD)
