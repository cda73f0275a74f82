"""Giving a network a part of a data set's signals, with noise, as a measurement would."""

from collections.abc import Mapping, Sequence

import torch

from opalux.base.errors import InputError
from opalux.jobs.inversion.given import may_lack
from opalux.jobs.inversion.settings import EvaluateSettings
from opalux.jobs.inversion.trained import Trained
from opalux.learning.networks.told import tell_noise
from opalux.learning.training.augmentation import Augmentation, AugmentationSettings
from opalux.learning.training.subsets import STANDARD, Known, Subset


class Restricted:
    """Adds noise to each sample and takes away what is not measured; see `Samples`.

    Parameters
    ----------
    trained : the network that is judged
    noise : standard deviation, relative to each channel's own
    known : what is measured
    seed : of the noise
    """

    def __init__(self, trained: Trained, noise: float, known: Known, seed: int) -> None:
        settings = AugmentationSettings(symmetries=False, noise=noise)
        self._noisy = Augmentation(settings, trained.layout, *trained.channels, seed)
        self._told, self._noise = trained.model.told, noise
        self._known = torch.from_numpy(known)
        lacks = torch.nan if self._told else trained.model.signal_mean.cpu()
        self._lacking = torch.as_tensor(lacks)

    def __call__(
        self, signals: torch.Tensor, target: torch.Tensor, epoch: int, position: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what the network is given, and the target."""
        signals, target = self._noisy(signals, target, epoch, position)
        signals = torch.where(self._known, signals, self._lacking)
        return (tell_noise(signals, self._noise) if self._told else signals), target


def subsets_of(
    networks: Sequence[Trained], settings: EvaluateSettings
) -> Mapping[str, tuple[Subset, Known]]:
    """Return the subsets that are asked for, and what is measured in each.

    Of the standard table, those are left out that the networks cannot take.

    Raises
    ------
    InputError
        When one of the user's own cannot be taken.
    """
    asked = settings.subset
    if asked is None:
        return {}
    found = {}
    for name, subset in (STANDARD if asked == "table" else asked).items():
        try:
            found[name] = subset, _known(networks, name, subset)
        except InputError:
            if asked != "table":
                raise
    return found


def _known(networks: Sequence[Trained], name: str, subset: Subset) -> Known:
    first = networks[0]
    known = subset.known(first.layout, first.times)
    allowed = may_lack(networks)
    lacks = first.layout.everything & ~known
    if allowed.anything or not lacks.any():
        return known
    sources, edges = known.any((1, 2, 3, 4)), known.any((0, 2, 3, 4))
    whole = not lacks[sources][:, edges].any()
    lacking = [int((~kept).sum()) for kept in (sources, edges)]
    if not whole or lacking[0] > allowed.sources or lacking[1] > allowed.edges:
        raise InputError(
            f"subset.{name}: found a part of the signals, expected all of them, since the network "
            "was trained on complete signals; train with augmentation.subsets=true"
        )
    return known
