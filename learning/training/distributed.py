"""All work with several processes: joining them, agreeing, training one network together.

Processes are started by torchrun, which tells each one its rank in the environment. Without RANK
there is one process, and nothing here communicates.
"""

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch
import torch.distributed
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from opalux.base.agreement import on_first

Result = TypeVar("Result")


@dataclasses.dataclass(frozen=True)
class Processes:
    """One process among all of the run.

    Attributes
    ----------
    rank, world : number of this process and of all
    device : where this process computes
    """

    rank: int
    world: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process writes files and messages for all."""
        return self.rank == 0

    def sum(self, values: torch.Tensor) -> torch.Tensor:
        """Return the sum of ``values`` over all processes."""
        if self.world > 1:
            values = values.to(self.device, copy=True)
            torch.distributed.all_reduce(values)
        return values

    def largest(self, value: int) -> int:
        """Return the largest ``value`` of all processes."""
        if self.world == 1:
            return value
        shared = torch.tensor(value, device=self.device)
        torch.distributed.all_reduce(shared, torch.distributed.ReduceOp.MAX)
        return int(shared)

    def on_first(self, work: Callable[[], Result]) -> Result:
        """Do ``work`` on the first process and give its result to all.

        Raises
        ------
        OpaluxError
            That ``work`` raised, on all processes.
        """
        return work() if self.world == 1 else on_first(self.rank, _broadcast, work)


def _broadcast(value: Any) -> Any:
    """Return the first process's ``value``."""
    told = [value]
    torch.distributed.broadcast_object_list(told, src=0)
    return told[0]


@contextlib.contextmanager
def processes() -> Iterator[Processes]:
    """Join the processes that torchrun has started, or be the only one.

    Without a GPU the cores are shared out between the processes of this machine.
    """
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    local = int(os.environ.get("LOCAL_RANK", 0))
    if torch.cuda.is_available():
        device = torch.device("cuda", local % torch.cuda.device_count())
        torch.cuda.set_device(device)
    else:
        device = torch.device("cpu")
    if "RANK" not in os.environ:
        yield Processes(0, 1, device)
        return
    if device.type == "cpu":
        # torchrun gives each process one thread; a process may take its share of the cores, of
        # those that Slurm has allotted where it runs the job.
        beside = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
        allotted = os.environ.get("SLURM_CPUS_PER_TASK", "")
        cores = int(allotted) if allotted.isdigit() else len(os.sched_getaffinity(0))
        torch.set_num_threads(max(1, cores // beside))
    torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(rank, world, device)
    finally:
        torch.distributed.destroy_process_group()


def parallelise(model: nn.Module, among: Processes) -> nn.Module:
    """Return ``model`` in a form whose gradients are averaged over the processes.

    Batch normalisation is made to see the whole global batch, so that several processes train what
    one would.
    """
    if among.world == 1:
        return model
    _share_batch_norm(model)
    device_ids = [among.device.index] if among.device.type == "cuda" else None
    return DistributedDataParallel(model, device_ids=device_ids, forward_sync_buffers=False)


def exchange(model: nn.Module, now: bool) -> contextlib.AbstractContextManager[None]:
    """Return a context whose backward pass averages gradients over the processes only if ``now``.

    Gradients that were not exchanged are part of the next exchange.
    """
    if now or not isinstance(model, DistributedDataParallel):
        return contextlib.nullcontext()
    return model.no_sync()


def _share_batch_norm(module: nn.Module) -> None:
    for name, child in module.named_children():
        if type(child) is nn.BatchNorm2d:
            shared = SharedBatchNorm2d(child.num_features, child.eps, child.momentum)
            shared.load_state_dict(child.state_dict())
            setattr(module, name, shared.to(child.running_mean.device))  # type: ignore[union-attr]
        else:
            _share_batch_norm(child)


class _Sum(torch.autograd.Function):
    """The sum over all processes; its gradient is a sum as well, since each loss depends on it."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor) -> torch.Tensor:
        """Return the sum."""
        total = values.clone()
        torch.distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        """Return the sum of the gradients."""
        total = gradient.clone()
        torch.distributed.all_reduce(total)
        return total


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation over the batches of all processes; torch's own needs a GPU for that."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Normalise with the moments of all processes when training."""
        if not self.training:
            return super().forward(input)
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        wide = input.float()
        # Every process holds equally many samples, so the mean of means is the mean.
        moments = torch.stack([wide.mean((0, 2, 3)), wide.square().mean((0, 2, 3))])
        moments = _Sum.apply(moments)
        world = torch.distributed.get_world_size()
        mean, square = moments / world
        variance = (square - mean.square()).clamp_min(0.0)
        with torch.no_grad():
            count = world * input.numel() / input.shape[1]
            unbiased = variance * count / max(count - 1, 1)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(unbiased, self.momentum)
            self.num_batches_tracked += 1
        scale = self.weight * torch.rsqrt(variance + self.eps)
        shift = self.bias - mean * scale
        return (wide * scale[:, None, None] + shift[:, None, None]).to(input.dtype)
