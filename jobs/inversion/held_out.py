"""Whether maps that networks are judged on were in their training data."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from opalux.base.errors import InputError
from opalux.base.messages import LOGGER
from opalux.jobs.inversion.settings import JudgedMaps
from opalux.jobs.inversion.trained import Trained
from opalux.learning.data.card import Card
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.soundness import first_damaged, refuse_damaged, seen_before
from opalux.learning.training.loader import training_positions


def refuse_known(networks: Iterable[Trained], data: DataSet, maps: JudgedMaps) -> None:
    """Refuse maps that one of the networks was trained on, and samples that are damaged.

    ``split=train`` asks for what is known; nothing is compared then. A network whose training data
    are gone cannot be checked, which is said.

    Raises
    ------
    InputError
        Names the sample, and the network that knows it.
    """
    positions = data.split(maps.split)
    refuse_damaged(data, first_damaged(data, positions))
    if maps.split == "train":
        return
    told, checked = set(), list[tuple[Card, int | None, Path, int | None]]()
    for trained_on in (each for network in networks for each in network.data_sets):
        used = trained_on.settings
        maps_seen = trained_on.card, trained_on.fingerprint, used.folder, used.training_maps
        if maps_seen in checked:  # by another training, or by the network that this one corrects
            continue
        checked.append(maps_seen)
        try:
            own = trained_on.open()
        except InputError:
            if used.folder not in told:
                told.add(used.folder)
                LOGGER.info(
                    "not checked: whether %s was trained on maps of %s, since its data %s are "
                    "gone or others by now",
                    trained_on.path,
                    data.folder,
                    used.folder,
                )
            continue
        seen = training_positions(own, used)
        if own.folder.resolve() == data.folder.resolve():
            known = np.intersect1d(seen, positions)
            found = (int(known[0]), int(known[0])) if len(known) else None
        else:
            found = seen_before(data, positions, own, seen)
        own.close()
        if found:
            raise InputError(
                f"{data.folder}: sample {found[0]} has the density of sample {found[1]} of "
                f"{own.folder}, which {trained_on.path} was trained on; judge on maps that it has "
                "not seen, or give split=train to judge on known ones"
            )
