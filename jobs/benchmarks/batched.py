"""Batches of densities in torch beside the compiled kernels, in samples a second.

On a GPU also the share of the bandwidth bound. A step must at least read and write E, Fx, Fy, T and
read ρ, 9 numbers a cell; torch moves more, since each of its operations is a pass of its own.
"""

import time
from collections.abc import Callable, Iterator

import numpy as np

from opalux.solver.domains.domain import SerialDomain
from opalux.solver.march import March
from opalux.solver.problem import Problem

NUMBERS_PER_CELL_STEP = 9
CELLS = 64
CASES = (("float64", 8), ("float32", 8))
GPU_CASES = (("float64", 64), ("float32", 64), ("float32", 512))


def problem_of(dtype: str) -> Problem:
    """Return the published case at ``CELLS`` x ``CELLS`` with the staggered scheme, 48 steps."""
    return Problem.model_validate(
        {
            "scheme": "staggered",
            "dtype": dtype,
            "grid": {"nx": CELLS, "ny": CELLS},
            "time": {"final": 48 * 0.5 / CELLS / 299},
            "edges": {"left": {"kind": "source"}},
        }
    )


def kernel_seconds(problem: Problem, rho: np.ndarray) -> float:
    """Return the time of one core for a map [s], the least of three."""

    def work() -> None:
        for _ in March(problem, SerialDomain(problem), rho).run():
            pass

    return _least(work)


def torch_seconds(problem: Problem, rho: np.ndarray, device: str) -> float:
    """Return the time of a batch (B, ny, nx) [s], the least of three."""
    import torch

    from opalux.torch import BatchedSolver

    solver = BatchedSolver(problem, device)
    maps = torch.as_tensor(rho).to(device, solver.dtype)

    def work() -> None:
        with torch.no_grad():
            solver.simulate(maps)
        if device != "cpu":
            torch.cuda.synchronize()

    return _least(work)


def gpu_bandwidth() -> float:
    """Return the memory bandwidth of the GPU [bytes/s]: two arrays read, one written."""
    import torch

    a, b, c = (torch.ones(2**26, device="cuda") for _ in range(3))

    def work() -> None:
        torch.add(b, c, alpha=2.0, out=a)
        torch.cuda.synchronize()

    return 3 * a.nbytes / _least(work)


def _least(work: Callable[[], None]) -> float:
    work()
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def batched_lines() -> Iterator[str]:
    """Measure the kernels on one core, torch on the CPU, and on a GPU where there is one."""
    try:
        import torch
    except ImportError:
        yield "torch is not installed: pip install 'opalux[torch]'"
        return
    gpu = torch.cuda.is_available()
    threads = torch.get_num_threads()
    yield f"staggered, {CELLS} x {CELLS} cells; torch on {threads} CPU threads"
    yield "numbers   device   batch   runs/s (48 steps)   ns/cell/step   in speeds of one core"
    kernels: dict[str, float] = {}
    rng = np.random.default_rng(0)
    for dtype, _ in CASES:
        kernels[dtype] = kernel_seconds(problem_of(dtype), rng.uniform(1, 5, (CELLS, CELLS)))
        yield _line(dtype, "kernels", 1, kernels[dtype], kernels[dtype])
    cases = [(*case, "cpu") for case in CASES] + [(*case, "cuda") for case in GPU_CASES if gpu]
    speed = gpu_bandwidth() if gpu else 0.0
    for dtype, batch, device in cases:
        rho = rng.uniform(1, 5, (batch, CELLS, CELLS))
        seconds = torch_seconds(problem_of(dtype), rho, device)
        line = _line(dtype, device, batch, seconds, kernels[dtype])
        if device == "cuda":
            size = NUMBERS_PER_CELL_STEP * np.dtype(dtype).itemsize
            bound = rho.size * _steps() * size / speed
            line += f"   {bound / seconds:.3f} of the bound ({size} bytes a cell and step)"
        yield line
    if gpu:
        yield f"{torch.cuda.get_device_name()}: {speed / 1e9:.0f} GB/s"
    else:
        yield "no GPU here: its lines are left out"


def _steps() -> int:
    problem = problem_of("float64")
    return March(problem, SerialDomain(problem), np.ones((CELLS, CELLS))).n_steps


def _line(dtype: str, device: str, batch: int, seconds: float, kernel: float) -> str:
    ns = seconds / batch / CELLS**2 / _steps() * 1e9
    return (
        f"{dtype:<9} {device:<8} {batch:>5} {batch / seconds:>14.1f} {ns:>22.1f}"
        f" {kernel * batch / seconds:>16.2f}"
    )
