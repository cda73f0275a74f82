"""Going on with a training: what last.ckpt brings back, and when it is refused."""

import dataclasses
import math
from pathlib import Path

import torch

from opalux.base.errors import InputError
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.identity import require_unchanged
from opalux.learning.training import checkpoint
from opalux.learning.training.plan import TrainingPlan


@dataclasses.dataclass
class State:
    """What a checkpoint holds besides weights and optimiser.

    Attributes
    ----------
    step : global batches done; the learning rate and the next batch follow from it
    loss_sum, loss_count : losses since the last line of the log
    best : best score so far
    waited : validations since then
    ended : whether patience is used up
    """

    step: int = 0
    loss_sum: float = 0.0
    loss_count: int = 0
    best: float = -math.inf
    waited: int = 0
    ended: bool = False


def restore(
    last: Path,
    *,
    data: DataSet,
    steps: int,
    model: torch.nn.Module,
    average: torch.nn.Module | None,
    optimiser: torch.optim.Optimizer,
    device: torch.device,
) -> State:
    """Put what a checkpoint holds into the model, its average and the optimiser.

    Parameters
    ----------
    last : the checkpoint
    data : data set that is trained on
    steps : of the whole training
    model, average, optimiser : are changed
    device : of the model

    Returns
    -------
    Where the training stands.

    Raises
    ------
    InputError
        When it cannot be read, does not fit, or is of other data.
    """
    content = checkpoint.load(last, device)
    with checkpoint.reading(last):
        require_unchanged(
            data, content["card"], content.get("fingerprint"), last, ", or train in another folder"
        )
        checkpoint.load_weights(model, content["model"], last)
        if average is not None:
            checkpoint.load_weights(average, content["average"], last)
        optimiser.load_state_dict(content["optimiser"])
        state = State(**content["state"])
        if not 0 <= state.step <= steps:
            raise ValueError(f"found step {state.step}, expected 0 to {steps}")
    return state


def require_enough(plan: TrainingPlan, last: Path) -> None:
    """Refuse to continue a training that has done more than the plan holds.

    Raises
    ------
    InputError
        When fewer epochs are asked for than the checkpoint ``last`` has done.
    """
    if not last.is_file():
        return
    content = checkpoint.load(last)
    with checkpoint.reading(last):
        done = content["state"]["step"] / plan.steps_per_epoch
    if done > plan.settings.epochs:
        raise InputError(
            f"epochs: found {plan.settings.epochs}, but {last} has done {done:.4g}; give at least "
            f"{math.ceil(done)} to continue it, or start again with --force"
        )
