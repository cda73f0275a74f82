"""The sections of ``opalux bench``; each imports what it measures when it starts."""

from collections.abc import Callable, Iterable, Iterator


def solver() -> Iterator[str]:
    """Time the schemes against the memory bandwidth and the original program."""
    from opalux.jobs.benchmarks.solver import solver_lines

    yield from solver_lines()


def pyclaw() -> Iterator[str]:
    """Time a step against a simpler one of PyClaw."""
    from opalux.jobs.benchmarks.solver import pyclaw_lines

    yield from pyclaw_lines()


def deepwave() -> Iterator[str]:
    """Time a step and the gradient against those of a scalar wave."""
    from opalux.jobs.benchmarks.solver import deepwave_lines

    yield from deepwave_lines()


def ranks() -> Iterator[str]:
    """Time one rank against two."""
    from opalux.jobs.benchmarks.ranks import ranks_lines

    yield from ranks_lines()


def implicit() -> Iterator[str]:
    """Time implicit steps against explicit ones, on problems of diffusion, and two ranks."""
    from opalux.jobs.benchmarks.implicit import implicit_lines
    from opalux.jobs.benchmarks.implicit_ranks import implicit_ranks_lines

    yield from implicit_lines()
    yield from implicit_ranks_lines()


def sampling() -> Iterator[str]:
    """Compare a campaign with the bare time steps in it."""
    from opalux.jobs.benchmarks.sampling import sampling_lines

    yield from sampling_lines()


def batched() -> Iterator[str]:
    """Compare batches of densities in torch with the compiled kernels."""
    from opalux.jobs.benchmarks.batched import batched_lines

    yield from batched_lines()


def learning() -> Iterator[str]:
    """Compare the training of networks."""
    from opalux.jobs.benchmarks.learning import learning_lines

    yield from learning_lines()


def clustering() -> Iterator[str]:
    """Time the clusterer at many points, and the study of a large table."""
    from opalux.jobs.benchmarks.clustering import clustering_lines

    yield from clustering_lines()


SECTIONS: dict[str, Callable[[], Iterator[str]]] = {
    "solver": solver,
    "pyclaw": pyclaw,
    "deepwave": deepwave,
    "ranks": ranks,
    "implicit": implicit,
    "sampling": sampling,
    "batched": batched,
    "learning": learning,
    "clustering": clustering,
}


def measure(names: Iterable[str]) -> None:
    """Run some sections and print their lines as they come."""
    for name in names:
        print(f"\n== {name}")
        for line in SECTIONS[name]():
            print(line, flush=True)
