"""Which network reconstructs, and from which files: what the arguments of a command line mean."""

from collections.abc import Sequence
from pathlib import Path

from opalux.base.errors import InputError
from opalux.base.run_folder import read_marker
from opalux.base.shipped import CONFIGS

NETWORK = CONFIGS / "reconstruct" / "broad.ckpt"
"""The network that comes with Opalux."""
EXAMPLE = CONFIGS / "reconstruct" / "example.csv"
"""A table of measured values for it."""

CHECKPOINTS = ("best.ckpt", "last.ckpt")


def is_network(path: Path) -> bool:
    """Return whether a path is a checkpoint, or the folder of a training run."""
    if path.suffix.lower() == ".ckpt":
        return True
    if not path.is_dir():
        return False
    marker = read_marker(path)
    trained = marker is not None and marker.get("job") == "train"
    return trained or any((path / name).is_file() for name in CHECKPOINTS)


def network_and_signals(given: Sequence[Path], *, example: bool) -> tuple[Path, list[Path]]:
    """Return the network and the files of signals that the arguments ``[RUN] SIGNALS...`` name.

    The first argument is the network where it is the folder of a training run or a checkpoint;
    else all of them are signals, for the network that comes with Opalux.

    Parameters
    ----------
    given : the arguments
    example : take the example's table as signals

    Raises
    ------
    InputError
        When there are no signals, one of them does not exist, or there are two networks.
    """
    network, signals = NETWORK, list(given)
    if signals and is_network(signals[0]):
        network = signals.pop(0)
    if example:
        if signals:
            raise InputError(
                f"--example: found the signals {signals[0]} beside it, expected none, since it "
                "brings its own; leave one of them out"
            )
        signals = [EXAMPLE]
    if not signals:
        found = "nothing" if network is NETWORK else f"the network {network} alone"
        raise InputError(
            f"SIGNALS: found {found}, expected tables, solution.h5, .sds or .csv files, or folders "
            "of them; give them, or --example"
        )
    for path in signals:
        if not path.exists():
            raise InputError(
                f"{path}: no such file or folder; expected the folder of a training run as the "
                "first argument, or signals"
            )
        if is_network(path):
            raise InputError(
                f"{path}: found a network among the signals; give one network as the first "
                "argument, and further ones by --set also=[...]"
            )
    return network, signals
