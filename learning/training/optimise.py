"""The optimiser, its learning rate as a pure function of the step, and averaged weights."""

import copy
import math
from typing import Generic, Literal, TypeVar

import pydantic
import torch
from torch import nn

from opalux.base.settings import Settings

Model = TypeVar("Model", bound=nn.Module)

Schedule = Literal["one_cycle", "cosine", "constant"]


class OptimiserSettings(Settings):
    """How weights are changed.

    Attributes
    ----------
    kind : Adam, or Adam with decoupled weight decay
    lr : highest learning rate
    weight_decay : of matrices and kernels (not of biases and normalisations)
    schedule : one_cycle: cosine up from lr/25 and cosine down to lr/2.5e5 (Smith and Topin, 2018);
        cosine: linear up, cosine down to 0; constant: linear up, then lr
    warm_up : share of all steps that go up
    clip : largest norm of the gradient; null: no limit
    ema : decay of the exponential moving average of the weights, which is then what is judged and
        kept as best; null: no average
    """

    kind: Literal["adamw", "adam"] = "adamw"
    lr: float = pydantic.Field(3e-3, gt=0)
    weight_decay: float = pydantic.Field(1e-2, ge=0)
    schedule: Schedule = "one_cycle"
    warm_up: float = pydantic.Field(0.3, ge=0, lt=1)
    clip: float | None = pydantic.Field(1.0, gt=0)
    ema: float | None = pydantic.Field(None, gt=0, lt=1)

    @pydantic.model_validator(mode="after")
    def _adam_has_no_decay(self) -> "OptimiserSettings":
        if self.kind == "adam" and "weight_decay" in self.model_fields_set and self.weight_decay:
            raise ValueError("optimiser.weight_decay is for adamw; set it to 0 or use adamw")
        return self


def make_optimiser(model: nn.Module, settings: OptimiserSettings) -> torch.optim.Optimizer:
    """Return the optimiser for the weights of ``model``."""
    weights = [p for p in model.parameters() if p.requires_grad]
    if settings.kind == "adam":
        return torch.optim.Adam(weights, lr=settings.lr)
    groups = [
        {"params": [p for p in weights if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in weights if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.lr)


def learning_rate(settings: OptimiserSettings, step: int, total: int) -> float:
    """Return the learning rate of step ``step`` out of ``total``."""
    rising = settings.warm_up * total
    if settings.schedule == "one_cycle":
        if step < rising:
            return _cosine(settings.lr / 25, settings.lr, step / rising)
        return _cosine(settings.lr, settings.lr / 2.5e5, (step - rising) / (total - rising))
    if step < rising:
        return settings.lr * (step + 1) / (math.floor(rising) + 1)
    if settings.schedule == "constant":
        return settings.lr
    return _cosine(settings.lr, 0.0, (step - rising) / (total - rising))


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * share))


class MovingAverage(Generic[Model]):
    """Exponential moving average of a model's weights, in a copy of the model."""

    def __init__(self, model: Model, decay: float) -> None:
        self.model = copy.deepcopy(model).requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Take in the weights after ``step`` steps; early steps count more."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for mean, weight in zip(self.model.parameters(), model.parameters(), strict=True):
            mean.lerp_(weight, 1 - decay)
        for kept, value in zip(self.model.buffers(), model.buffers(), strict=True):
            kept.copy_(value)
