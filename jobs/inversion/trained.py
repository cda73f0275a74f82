"""A trained network and what it was trained with, out of a checkpoint."""

import dataclasses
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from opalux.base.axes import EDGES
from opalux.base.config import check
from opalux.base.errors import InputError
from opalux.jobs.inversion.evidence import Witness, witness_of
from opalux.jobs.inversion.settings import Checkpoint
from opalux.jobs.inversion.which_network import NETWORK
from opalux.jobs.sampling.campaign import Campaign
from opalux.learning.data.card import Card
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.identity import physics_difference, require_unchanged
from opalux.learning.data.layout import Layout
from opalux.learning.networks.correction import CorrectionSettings
from opalux.learning.networks.corrector import Corrector, build_corrector
from opalux.learning.networks.reconstructor import Reconstructor, build
from opalux.learning.training import checkpoint
from opalux.learning.training.loader import DataSettings
from opalux.learning.training.plan import TrainSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingData:
    """The data set that a network, or a correction of its maps, was trained on.

    Attributes
    ----------
    path : the checkpoint that says so
    settings : which of its samples were used, and how
    card : of the data set, as it was then
    fingerprint : of the data set; None: checkpoints of earlier versions
    """

    path: Path
    settings: DataSettings
    card: Card
    fingerprint: int | None

    def open(self) -> DataSet:
        """Open it.

        Raises
        ------
        InputError
            When the folder is gone or holds another data set by now.
        """
        data = DataSet(self.settings.folder)
        require_unchanged(
            data,
            self.card.model_dump(mode="json"),
            self.fingerprint,
            self.path,
            ", or judge on another folder (folder=DIR)",
        )
        return data


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Trained:
    """A network out of a checkpoint and what it was trained with.

    Attributes
    ----------
    path : the checkpoint
    model : ready for use, in evaluation mode
    settings : of its training
    campaign : that made this data set; None when it was imported
    times : (n_times,) of the signals that it takes [sh]
    step : global batches that it has seen
    data_sets : that it and its corrections were trained on, one after the other
    corrections : of the network's maps, one after the other
    corrected_with : settings of the training of each correction
    """

    path: Path
    model: Reconstructor
    settings: TrainSettings
    campaign: Campaign | None
    times: NDArray[np.float64]
    step: int
    data_sets: tuple[TrainingData, ...]
    corrections: tuple[Corrector, ...] = ()
    corrected_with: tuple[TrainSettings, ...] = ()

    def training_data(self) -> DataSet:
        """Open the data set that it was trained on.

        Raises
        ------
        InputError
            When the folder is gone or holds another data set by now.
        """
        return self.data_sets[0].open()

    @property
    def card(self) -> Card:
        """Of the data set that it was trained on, as it was then."""
        return self.data_sets[0].card

    @property
    def layout(self) -> Layout:
        """Names and lengths of the axes of the signals that it takes."""
        return self.model.layout

    @property
    def channels(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean and standard deviation (sources, edges, quantities) of its training signals."""
        mean, std = self.model.signal_mean, self.model.signal_std
        return mean[..., 0, 0].cpu().numpy(), std[..., 0, 0].cpu().numpy()

    @property
    def trained_on(self) -> str:
        """In two lines what it takes and what it was trained on."""
        layout, card, noise = self.layout, self.card, self.settings.augmentation.noise_range[1]
        (left, right), (low, high) = card.extents
        ny, nx = layout.shape
        parts = "any part of " if self.settings.augmentation.subsets else ""
        takes = (
            f"{self.path.name} of {self.path.parent.name}: maps of {nx} x {ny} cells on "
            f"{right - left:g} x {high - low:g} cm from {parts}{', '.join(layout.quantities)} at "
            f"the edges {', '.join(layout.edges)}, sources {', '.join(layout.sources)}, up to "
            f"{self.times[-1]:.3g} sh"
        )
        corrected = where = ""
        if self.corrections:
            times = len(self.corrections)
            corrected = f"; {times} correction(s) by what the solver says of its maps"
            names = dict.fromkeys(one.card.name for one in self.data_sets[1:])
            if others := [repr(name) for name in names if name != card.name]:
                corrected += f", trained on other maps ({', '.join(others)})"
        if self.campaign is not None:
            emission, problem = self.campaign.emission, self.campaign.problem
            edges = ", ".join(sorted({getattr(problem.edges, edge).kind for edge in EDGES}))
            where = (
                f"; sources of {emission.amplitude:g} g/cm/sh² at {emission.frequency:g}/sh, "
                f"other edges {edges}, scheme {problem.scheme}"
            )
        return (
            f"network: {takes}{corrected}\n"
            f"trained on: {card.splits.train} maps of {', '.join(card.families)} ('{card.name}'), "
            f"noise up to {noise:.0%}{where}"
        )

    @property
    def weights(self) -> int:
        """Number of weights."""
        models = (self.model, *self.corrections)
        return sum(p.numel() for model in models for p in model.parameters())

    @functools.cached_property
    def witness(self) -> Witness:
        """Simulates maps as its training data were, for its corrections."""
        ends = None if self.campaign is None else self.campaign.draw_sources(0)
        return witness_of(self.campaign, self.layout, self.channels[1], self.times, ends)

    def __repr__(self) -> str:
        ny, nx = self.layout.shape
        corrected = f", corrected {len(self.corrections)} times" if self.corrections else ""
        return (
            f"Trained({self.settings.model.kind}{corrected}, {self.weights:,} weights, maps of "
            f"{ny}×{nx} cells, data set '{self.card.name}', step {self.step})"
        )


def load_trained(path: str | Path = NETWORK, device: torch.device | str = "cpu") -> Trained:
    """Return the network of a checkpoint: averaged weights where there are any.

    Parameters
    ----------
    path : a checkpoint, or the folder of a training run, whose best.ckpt is taken; left out: the
        network that comes with Opalux
    device : where the network computes

    Raises
    ------
    InputError
        When there is no such checkpoint or it cannot be read.
    """
    path = checkpoint.best_of(Path(path))
    content = checkpoint.load(path, device)
    with checkpoint.reading(path):
        return _trained(content, path, torch.device(device))


def _trained(content: dict[str, Any], path: Path, device: torch.device) -> Trained:
    """Return what a checkpoint holds: a network, or one with a correction of its maps."""
    settings = TrainSettings.model_validate(content["settings"])
    layout = Layout(**content["layout"])
    weights = content.get("average", content["model"])
    step = int(content["state"]["step"])
    card = check(Card, content["card"], source=f"{path}: data card", folder=path.parent)
    learned_from = TrainingData(
        path=path, settings=settings.data, card=card, fingerprint=content.get("fingerprint")
    )
    if isinstance(settings.model, CorrectionSettings):
        corrected = _trained(content[checkpoint.CORRECTED], path, device)
        corrector = build_corrector(settings.model, layout, settings.seed)
        _fill(corrector, weights, path, device)
        return dataclasses.replace(
            corrected,
            step=step,
            data_sets=(*corrected.data_sets, learned_from),
            corrections=(*corrected.corrections, corrector),
            corrected_with=(*corrected.corrected_with, settings),
        )
    told = settings.augmentation.subsets
    model = build(settings.model, layout, settings.seed, told=told)
    _fill(model, weights, path, device)
    times = np.array(content["times"], dtype=np.float64)
    if times.shape != (layout.n_times,):
        raise ValueError(f"found {times.size} times, expected {layout.n_times}")
    return Trained(
        path=path,
        model=model,
        settings=settings,
        campaign=Campaign.of(card, f"{path}: data card") if card.campaign else None,
        times=times,
        step=step,
        data_sets=(learned_from,),
    )


def _fill(
    model: torch.nn.Module, weights: dict[str, torch.Tensor], path: Path, device: torch.device
) -> None:
    """Put weights into a model that is used, not trained."""
    model.to(device)
    checkpoint.load_weights(model, weights, path)
    model.requires_grad_(False).eval()


def load_one(run: Path, which: Checkpoint, device: torch.device | str = "cpu") -> Trained:
    """Return the network of a run, or of a checkpoint; see `load_trained`."""
    return load_trained(run / f"{which}.ckpt" if run.is_dir() else run, device)


def load_ensemble(run: Path, also: Sequence[Path], which: Checkpoint) -> list[Trained]:
    """Return the networks of several runs (folders or checkpoints), whose answers are averaged.

    Raises
    ------
    InputError
        When they do not take the same signals, or are not trained to give the same.
    """
    first, *others = [load_one(one, which) for one in (run, *also)]
    for other, folder in zip(others, also, strict=True):
        if other.layout != first.layout or not np.allclose(other.times, first.times):
            raise InputError(
                f"also: {folder} takes other signals than {run}; give runs that were trained on "
                "data of the same kind"
            )
        if other.model.told != first.model.told:
            raise InputError(
                f"also: one of {run} and {folder} is told what lacks and the other is not; give "
                "runs with the same augmentation.subsets"
            )
        key = physics_difference(first.card, other.card)
        if key:
            raise InputError(
                f"also: {folder} was trained on signals of other physics than {run} ({key}); give "
                "runs that were trained on data of the same kind"
            )
        if other.model.objective.answer != first.model.objective.answer:
            raise InputError(
                f"also: {folder} gives {other.model.objective.answer}, but {run} gives "
                f"{first.model.objective.answer}; give runs of the same objective"
            )
    return [first, *others]


def weights_of(networks: Sequence[Trained]) -> str:
    """Return a name for the networks, which others do not have."""
    digest = hashlib.sha256()
    for network in networks:
        for model in (network.model, *network.corrections):
            for name, values in model.state_dict().items():
                digest.update(name.encode() + np.ascontiguousarray(values.cpu().numpy()).tobytes())
    return digest.hexdigest()
