"""Simulating many samples of a campaign at once in torch operations, on a GPU or the CPU.

Every sample is the one that the kernels make, to rounding; which samples share a batch may change
its last bit. torch is imported when this back end is asked for.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import pydantic

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.base.settings import Settings
from opalux.jobs.sampling.campaign import Campaign, Draw
from opalux.jobs.sampling.sample import Sample, on_solved_grid
from opalux.solver.domains.domain import SerialDomain
from opalux.solver.march import CHECK_STEPS, SolverFailure
from opalux.solver.problem import Problem
from opalux.solver.start import check_start, domain_density, fill_state
from opalux.solver.watch import Watch


class Torch(Settings):
    """Batches in torch operations, one after the other in this process: for a GPU."""

    kind: Literal["torch"]
    device: str = pydantic.Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    """auto: the first GPU, the CPU where there is none."""
    dtype: Literal["float64", "float32"] | None = None
    """Numbers that it is solved in; left out: those of the problem."""
    batch: int = pydantic.Field(32, ge=1, le=65536)
    """Densities that are solved at once, of one part of the data set."""

    def batches(self, campaign: Campaign) -> "Batches":
        """Return what makes the samples of a campaign.

        Raises
        ------
        InputError
            When the scheme or detectors are not written for torch, or torch is not installed or
            finds no such GPU.
        """
        if campaign.problem.scheme != "staggered":
            raise InputError(
                f"backend.kind: found torch with scheme {campaign.problem.scheme}, expected "
                "staggered, which alone is written for torch; set 'problem.scheme: staggered', or "
                "take another back end"
            )
        if campaign.problem.detectors:
            raise InputError(
                "backend.kind: found torch with problem.detectors, expected none of them, since "
                "torch keeps the edges alone; take another back end"
            )
        from opalux.torch import gpus  # which says how to install torch

        device, there = self.device, gpus()
        if device == "auto":
            device = "cuda" if there else "cpu"
        elif device != "cpu" and int(device.partition(":")[2] or 0) >= there:
            raise InputError(
                f"backend.device: found {device}, but torch finds {there} GPUs here; "
                "use auto or cpu, or install a torch for your GPU"
            )
        return Batches(device, self.dtype or campaign.problem.dtype, self.batch)


@dataclasses.dataclass(frozen=True)
class Batches:
    """Makes samples in batches of ``batch``, on a ``device``, in numbers of a ``dtype``."""

    device: str
    dtype: Literal["float64", "float32"]
    batch: int

    @property
    def name(self) -> str:
        """What a data card says of it."""
        return f"torch, {self.device.partition(':')[0]}, {self.dtype}"

    def __call__(self, campaign: Campaign, numbers: Sequence[int]) -> Iterator[Sample | str]:
        """Yield the samples of these numbers in their order, or why one failed.

        Raises
        ------
        InputError
            When a batch does not fit into the memory of the device, or the device fails.
        """
        for first in range(0, len(numbers), self.batch):
            group = numbers[first : first + self.batch]
            try:
                made = self._together(campaign, group)
            except (RuntimeError, MemoryError) as error:  # torch has RuntimeError for all of it
                why = (str(error).splitlines() or ["out of memory"])[0]
                raise InputError(
                    f"backend: torch failed on {self.device} with batches of {self.batch} ({why}), "
                    "expected room for them; lower backend.batch, or take another device"
                ) from None
            yield from (made[number] for number in group)

    def _together(self, campaign: Campaign, numbers: Sequence[int]) -> dict[int, Sample | str]:
        drawn: dict[int, Draw] = {}
        failed: dict[int, str] = {}
        for number in numbers:
            try:
                drawn[number] = draw = campaign.draw(number)
                _check(campaign.problems(draw.sources)[0], on_solved_grid(campaign, draw.density))
            except Exception as error:  # one bad sample must not stop the others
                failed[number] = f"{type(error).__name__}: {error}"
        good = [number for number in numbers if number not in failed]
        signals: dict[int, np.ndarray] = {}
        if good:
            found, faults = self._signals(campaign, [drawn[number] for number in good])
            signals = dict(zip(good, found, strict=True))
            failed |= {good[b]: f"{SolverFailure.__name__}: {why}" for b, why in faults.items()}
        return {
            number: failed[number]
            if number in failed
            else Sample(**vars(drawn[number]), signals=signals[number])
            for number in numbers
        }

    def _signals(
        self, campaign: Campaign, drawn: Sequence[Draw]
    ) -> tuple[np.ndarray, dict[int, str]]:
        """Return the signals (B, sources, …) float32 of some draws, and what is wrong with which.

        One batch for each source: where its edge lies decides what the kernels do there.
        """
        import torch

        from opalux.torch.batched import BatchedSolver

        recorder = campaign.recorder
        rho = np.stack([on_solved_grid(campaign, draw.density) for draw in drawn])
        problems = [campaign.problems(draw.sources) for draw in drawn]
        shape = (len(drawn), *recorder.shape(campaign.n_cells))
        single = np.empty((shape[0], len(campaign.sources), *shape[1:]), np.float32)
        faults: dict[int, str] = {}
        for source, same in enumerate(zip(*problems, strict=True)):
            solver = BatchedSolver(same, self.device, getattr(torch, self.dtype))
            watches = [_watch(same[0], one) for one in rho]
            recorded = np.zeros(shape)
            with torch.no_grad():
                for first, signals, state in solver.march(torch.from_numpy(rho), CHECK_STEPS):
                    arrays = [side.double().cpu().numpy() for side in signals]
                    fields = solver.cells(state).double().cpu().numpy()
                    times = solver.times[first : first + CHECK_STEPS]
                    for b, watch in enumerate(watches):
                        seen = {edge: side[b] for edge, side in zip(EDGES, arrays, strict=True)}
                        recorder.add(recorded[b], seen, first)
                        fault = "" if b in faults else watch.fault(
                            np.pad(fields[b], ((0, 0), (1, 1), (1, 1))), times,
                            f"after step {first + len(times)} of {len(solver.times)}",
                        )  # fmt: skip
                        if fault:
                            faults[b] = fault
            single[:, source] = recorded
        return single, faults


def _check(problem: Problem, rho: np.ndarray) -> None:
    """Refuse a density and an initial state as a simulation does; see `solver.start`."""
    domain = SerialDomain(problem)
    padded = domain_density(problem, domain, rho)
    fill_state(problem, domain)
    check_start(problem, domain, padded)


def _watch(problem: Problem, rho: np.ndarray) -> Watch:
    return Watch(problem, problem.cells.whole, np.pad(rho, 1, mode="edge"))
