"""Judging a trained network on one test set, re-simulation included."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.base.progress import Progress
from opalux.jobs.inversion import linear, metrics
from opalux.jobs.inversion.settings import EvaluateSettings, TestSet
from opalux.jobs.inversion.two_grids import calibrate, campaign_of
from opalux.jobs.sampling.sample import simulate_sources
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.layout import Layout
from opalux.learning.networks.reconstructor import Reconstructor
from opalux.learning.training.augmentation import Augmentation, AugmentationSettings
from opalux.learning.training.calibration import Calibration
from opalux.learning.training.loader import Samples, layout_of, require_split, training_positions
from opalux.learning.training.precision import mixed_precision
from opalux.learning.training.predict import Trained, load_trained, reconstruct_all


@dataclasses.dataclass(frozen=True)
class Judged:
    """A network's reconstructions of one test set.

    Attributes
    ----------
    truth, predicted : (n, ny, nx) [g/cm³]
    families : (n,) labels
    numbers : the content of metrics.json
    """

    truth: NDArray[np.float32]
    predicted: NDArray[np.float32]
    families: NDArray[np.str_]
    numbers: dict[str, Any]

    @property
    def headline(self) -> dict[str, float]:
        """The measures that stand side by side, those that were taken."""
        return {key: self.numbers[key] for key in metrics.HEADLINE if self.numbers[key] is not None}


def judge_with_calibration(
    ensemble: Sequence[Trained], name: str, test_set: TestSet, settings: EvaluateSettings
) -> dict[str, Judged]:
    """Judge ``test_set`` and, if its grid is another than the training data's, calibrated as well.

    Returns
    -------
    The judgement under ``name``, and under "NAME, calibrated".
    """
    results = {name: judge(ensemble, test_set, settings)}
    trained = ensemble[0]
    data = DataSet(test_set.folder or trained.settings.data.folder)
    if settings.calibration_maps and data.card.campaign and trained.card.campaign:
        ours = campaign_of(trained.card, "campaign in the checkpoint")
        other = campaign_of(data.card, f"{data.folder}/dataset.yaml")
        if other.refinement != ours.refinement:
            calibration = calibrate(
                ours, other.refinement, data.times, trained.times, settings.calibration_maps
            )
            results[f"{name}, calibrated"] = judge(ensemble, test_set, settings, calibration)
    return results


def judge(
    ensemble: Sequence[Trained],
    test_set: TestSet,
    settings: EvaluateSettings,
    calibration: Calibration | None = None,
) -> Judged:
    """Reconstruct every map of ``test_set`` by the mean of the networks and take all measures.

    Raises
    ------
    InputError
        When the data set is not of the kind that the networks were trained on.
    """
    trained = ensemble[0]
    data = DataSet(test_set.folder or trained.settings.data.folder)
    positions = require_split(data, test_set.split)
    layout = layout_of(data, trained.settings.data.n_times)
    for member in ensemble:
        require_same(data, layout, member.model.layout)
    noise = Augmentation(
        AugmentationSettings(symmetries=False, noise=test_set.noise),
        layout,
        trained.model.signal_mean.squeeze((-2, -1)).cpu().numpy(),
        trained.model.signal_std.squeeze((-2, -1)).cpu().numpy(),
        settings.seed,
    )
    found = reconstruct_all(
        [member.model for member in ensemble],
        Samples(data, trained.times, trained.model.objective, noise, calibration),
        positions,
        batch=settings.batch,
        symmetries=settings.symmetries and layout.is_symmetric,
        autocast=mixed_precision("float32", torch.device("cpu")),
    )
    with Progress("reconstructing", len(positions)) as progress:
        parts = []
        for part in found:
            parts.append(part)
            progress.advance(len(part[0]))
    truth, predicted, spread = (np.concatenate(maps) for maps in zip(*parts, strict=True))
    uncertainty = metrics.coverage(truth, predicted, spread) if spread.any() else None
    judged = measure(trained.model, data, positions, predicted, settings.misfit_maps)
    judged.numbers.update(split=test_set.split, noise=test_set.noise, uncertainty=uncertainty)
    return judged


def judge_linear(trained: Trained, settings: EvaluateSettings) -> Judged:
    """Judge ridge regression, trained on the same data, on the main test set."""
    data = DataSet(trained.settings.data.folder)
    test_data = DataSet(settings.folder or data.folder)
    positions = require_split(test_data, settings.split)
    seen = training_positions(data, trained.settings.data)
    predicted = linear.fit(trained.model, data, seen, trained.times).reconstruct(
        test_data, positions
    )
    judged = measure(trained.model, test_data, positions, predicted, settings.misfit_maps)
    judged.numbers.update(split=settings.split, noise=0.0, uncertainty=None)
    return judged


def judge_learning_curve(
    run: Path, trained: Trained, main: Judged, settings: EvaluateSettings
) -> list[dict[str, Any]]:
    """Return what networks reach on the main test set, by the number of maps they were trained on.

    ``main`` is what has been found for the run itself (and its ensemble).
    """
    folder = settings.folder or trained.settings.data.folder
    here = settings.model_copy(update={"folder": folder, "misfit_maps": 0})
    judged = [(run, trained, main)]
    for other in settings.learning_curve:
        network = load_trained(other / f"{settings.checkpoint}.ckpt")
        judged.append((other, network, judge([network], here, here)))
    points = [
        {
            "run": str(path),
            "training_maps": _maps_seen(network),
            "step": network.step,
            **{key: result.numbers[key] for key in ("r2_pooled", "r2_mean", "mae")},
        }
        for path, network, result in judged
    ]
    return sorted(points, key=lambda point: point["training_maps"])


def _maps_seen(trained: Trained) -> int:
    settings = trained.settings.data
    return len(training_positions(DataSet(settings.folder), settings))


def measure(
    model: Reconstructor,
    data: DataSet,
    positions: NDArray[np.int64],
    predicted: NDArray[np.float32],
    misfit_maps: int,
) -> Judged:
    """Take all measures of reconstructions (n, ny, nx) of the samples at ``positions``."""
    truth = np.stack([data.density(int(position)) for position in positions])
    families = np.array([data.family(int(position)) for position in positions])
    data_range = float(truth.max() - truth.min())
    by_family = {str(label): families == label for label in np.unique(families)}
    each = metrics.r2_each(truth, predicted)
    worst = np.argsort(np.nan_to_num(each, nan=1.0))[: max(1, len(each) // 20)]
    numbers: dict[str, Any] = {
        **metrics.summary(truth, predicted, data_range),
        **_misfit(model, data, positions, predicted, misfit_maps),
        "n_maps": len(truth),
        "data": str(data.folder),
        "r2_pooled_worst_5_percent": metrics.r2_pooled(truth[worst], predicted[worst]),
        "rms_error_by_depth": metrics.error_by_depth(truth, predicted).tolist(),
        "families": {
            label: {
                "n_maps": int(these.sum()),
                **metrics.summary(truth[these], predicted[these], data_range),
            }
            for label, these in by_family.items()
        },
    }
    return Judged(truth, predicted, families, numbers)


def require_same(data: DataSet, found: Layout, expected: Layout) -> None:
    """Refuse a data set whose signals a network was not trained on."""
    for name, there, here in zip(Layout._fields, found, expected, strict=True):
        if there != here:
            raise InputError(
                f"{data.folder}: found {name} = {there}, but the network was trained with "
                f"{name} = {here}; judge it on data of the same kind"
            )


def _misfit(
    model: Reconstructor,
    data: DataSet,
    positions: NDArray[np.int64],
    predicted: NDArray[np.float32],
    n_maps: int,
) -> dict[str, Any]:
    """Simulate reconstructions, evenly spread over the set, as their truths were simulated.

    Returns
    -------
    The mean ‖F(ρ̂)−d‖/‖d‖, of the signals as they are (``data_misfit``) and of their deviations
    from each channel's mean in units of its standard deviation (``data_misfit_standardised``); null
    when the data set was not simulated here.
    """
    chosen = np.unique(np.linspace(0, len(positions) - 1, min(n_maps, len(positions))).astype(int))
    if not data.card.campaign or not len(chosen):
        return {"data_misfit": None, "data_misfit_standardised": None, "misfit_maps": 0}
    campaign = campaign_of(data.card, f"{data.folder}/dataset.yaml")
    mean, std = model.signal_mean.cpu().numpy(), model.signal_std.cpu().numpy()
    plain, standardised = [], []
    with Progress("simulating reconstructions", len(chosen)) as progress:
        for row in chosen:
            position = int(positions[row])
            measured = data.signals(position)
            density = np.maximum(predicted[row], metrics.LOWEST)
            simulated = simulate_sources(campaign, density, data.sources(position))
            plain.append(metrics.data_misfit(simulated, measured))
            standardised.append(
                metrics.data_misfit((simulated - mean) / std, (measured - mean) / std)
            )
            progress.advance()
    return {
        "data_misfit": float(np.mean(plain)),
        "data_misfit_standardised": float(np.mean(standardised)),
        "misfit_maps": len(chosen),
    }
