"""torchrun as a step of a Slurm job: one on each node, started by srun.

What it adds to torchrun: checks that fail within seconds instead of hanging, the job's exit code
instead of 1, and signals that reach the training alone, which writes its checkpoint.
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
"""Range of the rendezvous ports, below those that systems give away by themselves."""

JOIN_TIMEOUT = 300
"""How long the nodes wait for one another [s]; importing torch can take a minute on a cold disk."""

LEFT_TO_TRAINING = (signal.SIGUSR1, signal.SIGTERM)


def check_head(head: str) -> None:
    """Check that the node where all meet has an address here.

    Raises
    ------
    InputError
        When its name leads nowhere: the nodes would wait for one another in vain.
    """
    try:
        socket.getaddrinfo(head, None)
    except OSError as error:
        raise InputError(
            f"{platform.node()} finds no address for the head node '{head}' ({error.strerror}), "
            "where all nodes are to meet; ask for its name to be resolvable from compute nodes"
        ) from None


def processes_here(environment: Mapping[str, str], visible: int) -> int:
    """Return the number of processes for this node: one for each GPU, or one without GPUs.

    Parameters
    ----------
    environment : Slurm's variables
    visible : GPUs that torch finds

    Raises
    ------
    InputError
        When these are not the GPUs that Slurm has allotted.
    """
    allotted = int(environment.get("SLURM_GPUS_ON_NODE", "0"))
    if visible != allotted:
        raise InputError(
            f"torch finds {visible} GPUs on {platform.node()}, but Slurm has allotted {allotted} "
            "there; check --gpus-per-node, the driver and that torch is built for CUDA"
        )
    return max(1, allotted)


def torchrun_words(environment: Mapping[str, str], head: str, processes: int) -> list[str]:
    """Return the arguments for torchrun; all nodes find the same ones."""
    job = environment["SLURM_JOB_ID"]
    # A requeued job must not meet what is left of its earlier start.
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

    # Slurm sends signals to all processes of a step.  torchrun would kill the training that is
    # about to write its checkpoint; children inherit this until they say what they want to hear.
    for number in LEFT_TO_TRAINING:
        signal.signal(number, signal.SIG_IGN)
    try:
        run(parse_args(words))
    except ChildFailedError as error:
        _, first = error.get_first_failure()
        return 128 - first.exitcode if first.exitcode < 0 else first.exitcode
    except RendezvousError as error:
        print(f"error: the nodes do not find one another: {error}", file=sys.stderr)
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
