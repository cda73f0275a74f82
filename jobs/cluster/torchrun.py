"""torchrun as a step of a Slurm job: one on each node, started by srun.

It adds to torchrun: checks that fail within seconds instead of hanging, the exit code of the job
instead of 1, and signals that reach only the training, which then writes its checkpoint.
"""

import argparse
import os
import platform
import signal
import socket
import sys
from collections.abc import Mapping

from opalux.base import command_line
from opalux.base.errors import InputError
from opalux.base.exit_codes import FAILURE, OK

FIRST_PORT, PORTS = 20000, 10000
"""Range of the rendezvous ports, below those that systems assign automatically."""

JOIN_TIMEOUT = 300
"""How long the nodes wait for each other [s]; from a cold disk torch can take a minute to load."""

LEFT_TO_TRAINING = (signal.SIGUSR1, signal.SIGTERM)


def check_head(head: str) -> None:
    """Check that this node knows an address of the head node, where all nodes meet.

    Raises
    ------
    InputError
        When it has none: the nodes would wait for each other until a timeout.
    """
    try:
        socket.getaddrinfo(head, None)
    except OSError as error:
        raise InputError(
            f"{platform.node()} finds no address for the head node '{head}' ({error.strerror}), "
            "where all nodes meet; ask the administrators that compute nodes can resolve its name"
        ) from None


def processes_here(environment: Mapping[str, str], visible: int) -> int:
    """Return the number of processes for this node: one for each GPU, or one if there is none.

    Parameters
    ----------
    environment : Slurm's variables
    visible : GPUs that torch finds

    Raises
    ------
    InputError
        When this is not the number of GPUs that Slurm has allotted.
    """
    allotted = int(environment.get("SLURM_GPUS_ON_NODE", "0"))
    if visible != allotted:
        raise InputError(
            f"torch finds {visible} GPUs on {platform.node()}, but Slurm has allotted {allotted} "
            "there; check --gpus-per-node, the driver and that torch is built for CUDA"
        )
    return max(1, allotted)


def torchrun_words(environment: Mapping[str, str], head: str, processes: int) -> list[str]:
    """Return the arguments for torchrun; they are the same on all nodes."""
    job = environment["SLURM_JOB_ID"]
    # A requeued job must not meet processes of its earlier start.
    start = environment.get("SLURM_RESTART_COUNT", "0")
    return [
        f"--nnodes={environment['SLURM_NNODES']}",
        f"--nproc-per-node={processes}",
        f"--rdzv-id={job}.{start}",
        "--rdzv-backend=c10d",
        f"--rdzv-endpoint={head}:{FIRST_PORT + int(job) % PORTS}",
        f"--rdzv-conf=join_timeout={JOIN_TIMEOUT}",
        "--max-restarts=0",
        "--signals-to-handle=SIGINT,SIGHUP,SIGQUIT",
    ]


def launch(words: list[str]) -> int:
    """Run torchrun and return the exit code of the process that ended it."""
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.elastic.rendezvous.api import RendezvousError
    from torch.distributed.run import parse_args, run

    # Slurm sends signals to all processes of a step. torchrun would then kill the training while it
    # writes its checkpoint. The children ignore them, too, until they install handlers.
    for number in LEFT_TO_TRAINING:
        signal.signal(number, signal.SIG_IGN)
    try:
        run(parse_args(words))
    except ChildFailedError as error:
        _, first = error.get_first_failure()
        return 128 - first.exitcode if first.exitcode < 0 else first.exitcode
    except RendezvousError as error:
        print(f"error: the nodes do not find each other: {error}", file=sys.stderr)
        return FAILURE
    return OK


def main(argv: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m opalux.jobs.cluster.torchrun", description=__doc__
    )
    parser.add_argument("--head", required=True, help="node where all meet")
    parser.add_argument("-m", dest="module", required=True, help="module to run")
    parser.add_argument("words", nargs=argparse.REMAINDER, help="its arguments")
    parsed = parser.parse_args(argv)

    def work() -> int:
        check_head(parsed.head)
        import torch

        processes = processes_here(os.environ, torch.cuda.device_count())
        words = torchrun_words(os.environ, parsed.head, processes)
        return launch([*words, "-m", parsed.module, *parsed.words])

    return command_line.run(work)


if __name__ == "__main__":
    sys.exit(main())
