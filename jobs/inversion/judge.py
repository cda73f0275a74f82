"""Judging trained networks on sets of maps: with noise, on other grids, by the number of maps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from opalux.base.axes import depths
from opalux.base.errors import InputError
from opalux.base.progress import Progress
from opalux.jobs.inversion.kind import Answers, Judged, Kind
from opalux.jobs.inversion.map_kind import MapKind
from opalux.jobs.inversion.mean_answer import MeanAnswer, answering
from opalux.jobs.inversion.metrics import coverage_by_depth
from opalux.jobs.inversion.misfit import held_out
from opalux.jobs.inversion.restricted import Restricted, subsets_of
from opalux.jobs.inversion.score_kind import ScoreKind
from opalux.jobs.inversion.settings import EvaluateSettings, JudgedMaps
from opalux.jobs.inversion.trained import Trained, load_one
from opalux.jobs.inversion.two_grids import calibration_for
from opalux.jobs.sampling.campaign import Campaign
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.layout import Layout
from opalux.learning.training.calibration import Calibration
from opalux.learning.training.loader import Samples, layout_of, require_split, training_positions
from opalux.learning.training.precision import mixed_precision
from opalux.learning.training.predict import answer_all
from opalux.learning.training.subsets import Known

CALIBRATED = ", calibrated"
"""Behind the name of a set that is judged once more, after calibration."""


def kind_of(trained: Trained) -> Kind:
    """Return how the answers of a network are judged."""
    objective = trained.model.objective
    return MapKind(objective) if objective.is_map else ScoreKind(objective)


def judge(
    ensemble: Sequence[Trained],
    maps: JudgedMaps,
    settings: EvaluateSettings,
    calibration: Calibration | None = None,
    known: Known | None = None,
) -> Judged:
    """Judge the mean answers of several networks on a set of maps.

    ``known`` : what they are given of the signals; None: all

    Raises
    ------
    InputError
        When the data set is not of the kind that the networks were trained on.
    """
    trained = ensemble[0]
    data = judged_data(trained, maps)
    positions = require_split(data, maps.split)
    layout = layout_of(data, trained.settings.data.n_times)
    require_same(data, layout, trained.layout)
    if known is None:
        known = trained.layout.everything
    given = Restricted(trained, maps.noise, known, settings.seed)
    found = answer_all(
        MeanAnswer(
            ensemble,
            symmetries=averages_symmetries(trained, settings),
            noise=maps.noise,
            known=known,
        ),
        Samples(data, trained.times, trained.model.objective, given, calibration),
        positions,
        batch=settings.batch,
        device=trained.model.signal_mean.device,
        autocast=mixed_precision("float32", torch.device("cpu")),
    )
    truths, answers, deviations = [], [], []
    with Progress("reconstructing", len(positions)) as progress:
        for truth, answer, deviation in found:
            truths.append(truth)
            answers.append(answer)
            deviations += [] if deviation is None else [deviation]
            progress.advance(len(truth))
    together = Answers(
        data=data,
        positions=positions,
        truth=np.concatenate(truths),
        predicted=np.concatenate(answers),
        deviation=np.concatenate(deviations) if deviations else None,
    )
    judged = kind_of(trained).measure(trained, together, settings)
    judged.numbers.update(split=maps.split, noise=maps.noise)
    if settings.spread_maps:
        judged.numbers["spread"] = _coverage(ensemble, together, maps, settings, known)
    return judged


def _coverage(
    ensemble: Sequence[Trained],
    answers: Answers,
    maps: JudgedMaps,
    settings: EvaluateSettings,
    known: Known,
) -> dict[str, Any] | None:
    """Return how much of the error lies within the calibrated spread; None: there is no spread."""
    if answers.deviation is None:
        return None
    answer = answering(ensemble, symmetries=settings.symmetries, noise=maps.noise, known=known)
    usual = held_out(ensemble[0], answer, known, settings.spread_maps, maps.noise)
    if usual is None or usual.scale is None:
        return None
    spread = usual.scale[depths(answers.truth.shape[1:])] * answers.deviation
    return {
        "maps": settings.spread_maps,
        **coverage_by_depth(answers.truth, answers.predicted, spread),
    }


def judged_data(trained: Trained, maps: JudgedMaps) -> DataSet:
    """Open the data set that a network is judged on: another one, or that of its training.

    Raises
    ------
    InputError
        When its signals are in another place than those of the training.
    """
    if not maps.folder:
        return trained.training_data()
    data = DataSet(maps.folder)
    trained.card.require_signals_at(data.card.signals_at, str(maps.folder))
    return data


def averages_symmetries(trained: Trained, settings: EvaluateSettings) -> bool:
    """Return whether answers are averaged over the symmetries of the domain."""
    return settings.symmetries and trained.model.objective.is_map and trained.layout.is_symmetric


def judge_apart(
    ensemble: Sequence[Trained], name: str, maps: JudgedMaps, settings: EvaluateSettings
) -> dict[str, Judged]:
    """Judge a further set and, if its grid is another than the training data's, calibrated as well.

    Returns
    -------
    The judgement under ``name``, and under "NAME, calibrated".
    """
    results = {name: judge(ensemble, maps, settings)}
    trained = ensemble[0]
    data = judged_data(trained, maps)
    if not data.card.campaign:
        return results
    refinement = Campaign.of(data.card, f"{data.folder}/dataset.yaml").refinement
    calibration = calibration_for(trained, refinement, data.times, settings.calibration_maps)
    if calibration is not None:
        results[f"{name}{CALIBRATED}"] = judge(ensemble, maps, settings, calibration)
    return results


def judge_subsets(ensemble: Sequence[Trained], settings: EvaluateSettings) -> dict[str, Judged]:
    """Judge networks on parts of the main set's signals, by name."""
    here = settings.model_copy(update={"misfit_maps": 0})
    return {
        name: judge(ensemble, here.model_copy(update={"noise": subset.noise}), here, known=known)
        for name, (subset, known) in subsets_of(ensemble, settings).items()
    }


def load_learning_curve(trained: Trained, settings: EvaluateSettings) -> list[Trained]:
    """Return the networks of the learning curve beside the judged one.

    Raises
    ------
    InputError
        When one is of another objective.
    """
    networks = []
    for path in settings.learning_curve:
        network = load_one(path, settings.checkpoint)
        if network.model.objective.answer != trained.model.objective.answer:
            raise InputError(
                f"learning_curve: {path} gives {network.model.objective.answer}, but the judged "
                f"run gives {trained.model.objective.answer}; give runs of the same objective"
            )
        networks.append(network)
    return networks


def scores_alone(settings: EvaluateSettings) -> EvaluateSettings:
    """Return settings with which nothing is simulated beside what is judged."""
    return settings.model_copy(update={"misfit_maps": 0, "spread_maps": 0})


def judge_learning_curve(
    run: Path,
    trained: Trained,
    main: Judged,
    others: Sequence[Trained],
    settings: EvaluateSettings,
) -> list[dict[str, Any]]:
    """Return what networks reach on the main set, by the number of maps they were trained on.

    Parameters
    ----------
    main : what has been found for the run itself (and its ensemble)
    others : of `load_learning_curve`
    """
    if not others:
        return []
    folder = settings.folder or trained.settings.data.folder
    here = scores_alone(settings).model_copy(update={"folder": folder})
    judged = [(run, trained, main)]
    for path, network in zip(settings.learning_curve, others, strict=True):
        judged.append((path, network, judge([network], here, here)))
    points = [
        {
            "run": str(path),
            "training_maps": _maps_seen(network),
            "step": network.step,
            **result.scores,
        }
        for path, network, result in judged
    ]
    return sorted(points, key=lambda point: (point["training_maps"], point["step"]))


def _maps_seen(trained: Trained) -> int:
    return len(training_positions(trained.training_data(), trained.settings.data))


def require_same(data: DataSet, found: Layout, expected: Layout) -> None:
    """Refuse a data set whose signals a network was not trained on."""
    for name, there, here in zip(Layout._fields, found, expected, strict=True):
        if there != here:
            raise InputError(
                f"{data.folder}: found {name} = {there}, but the network was trained with "
                f"{name} = {here}; judge it on data of the same kind"
            )
