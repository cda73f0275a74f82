"""Judging density maps: measures by map, family and depth, and the signals simulated again."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from opalux.base.page import Page
from opalux.base.progress import Progress
from opalux.jobs.inversion import linear, metrics, pictures
from opalux.jobs.inversion.kind import Answers, Judged
from opalux.jobs.inversion.number import number
from opalux.jobs.inversion.settings import EvaluateSettings
from opalux.jobs.inversion.trained import Trained
from opalux.jobs.sampling.campaign import Campaign
from opalux.jobs.sampling.sample import simulate_sources
from opalux.learning.data.data_set import DataSet
from opalux.learning.networks.objectives.objective import Objective
from opalux.learning.training.loader import require_split, training_positions

RIDGE = "ridge regression"
"""How the linear baseline is called beside other sets."""


@dataclasses.dataclass(frozen=True)
class MapKind:
    """See `opalux.jobs.inversion.kind.Kind`.

    Attributes
    ----------
    objective : that the network was trained for
    """

    objective: Objective
    meaning = metrics.MEANING
    shown = {"r2_pooled": "pooled R²", "r2_mean": "mean R² per map"}  # noqa: RUF012

    def refuse(self, settings: EvaluateSettings) -> None:
        """Maps have everything."""

    def measure(self, trained: Trained, answers: Answers, settings: EvaluateSettings) -> Judged:
        """Take all measures; see metrics.json."""
        truth, predicted, families = answers.truth, answers.predicted, answers.families
        data_range = float(truth.max() - truth.min())
        by_family = {str(label): families == label for label in np.unique(families)}
        each = metrics.r2_each(truth, predicted)
        worst = np.argsort(np.nan_to_num(each, nan=1.0))[: max(1, len(each) // 20)]
        deviation, uncertainty = answers.deviation, None
        if deviation is not None and deviation.any():
            uncertainty = metrics.coverage(truth, predicted, deviation)
        numbers: dict[str, Any] = {
            **metrics.summary(truth, predicted, data_range),
            **misfit(trained, answers.data, answers.positions, predicted, settings.misfit_maps),
            "n_maps": len(truth),
            "data": str(answers.data.folder),
            "r2_pooled_worst_5_percent": metrics.r2_pooled(truth[worst], predicted[worst]),
            "rms_error_by_depth": metrics.error_by_depth(truth, predicted).tolist(),
            "families": {
                label: {
                    "n_maps": int(these.sum()),
                    **metrics.summary(truth[these], predicted[these], data_range),
                }
                for label, these in by_family.items()
            },
            "uncertainty": uncertainty,
        }
        return Judged(
            numbers=numbers,
            scores={name: numbers[name] for name in self.objective.meaning},
            headline={name: numbers[name] for name in self.meaning},
            truth=truth,
            predicted=predicted,
            families=families,
        )

    def baselines(self, trained: Trained, settings: EvaluateSettings) -> dict[str, Judged]:
        """Judge ridge regression, trained on the same data, on the main set, if it is asked for."""
        if not settings.linear_baseline:
            return {}
        data = trained.training_data()
        judged_on = DataSet(settings.folder) if settings.folder else data
        positions = require_split(judged_on, settings.split)
        seen = training_positions(data, trained.settings.data)
        regression = linear.fit(trained.model, data, seen, trained.times)
        answers = Answers(
            data=judged_on,
            positions=positions,
            truth=np.stack([judged_on.density(int(position)) for position in positions]),
            predicted=regression.reconstruct(judged_on, positions),
            deviation=None,
        )
        judged = self.measure(trained, answers, settings)
        judged.numbers.update(split=settings.split, noise=0.0)
        return {RIDGE: judged}

    def figures(self, judged: Mapping[str, Judged]) -> dict[str, Figure]:
        """Return maps, error against depth, and reconstructed against true density."""
        main = next(iter(judged.values()))
        titles, rows = shown_maps(main)
        curves = {
            name: metrics.error_by_depth(result.truth, result.predicted)
            for name, result in judged.items()
        }
        figures = {
            "maps": pictures.maps(titles, main.truth[rows], main.predicted[rows]),
            "depth": pictures.error_against_depth(curves, 1.0 / main.truth.shape[-1]),
            "cells": pictures.found_against_true(main.truth, main.predicted),
        }
        shares = {name: one.numbers.get("spread") for name, one in judged.items()}
        if known := {name: share for name, share in shares.items() if share}:
            figures["coverage"] = pictures.coverage_against_depth(known)
        return figures

    def learning_curve(self, points: Sequence[Mapping[str, Any]]) -> Figure:
        """Return R² and mean absolute error against the number of training maps."""
        return pictures.learning_curve(points)

    def add_sections(self, page: Page, main: Judged, images: Mapping[str, bytes]) -> None:
        """Add uncertainty, pictures of maps, families, and where the errors are."""
        page.note(
            "Unless a set says otherwise, its signals come from the same solver on the same grid "
            "without noise, which flatters every method; sets with a finer grid or noise are "
            f"judged apart. {main.numbers['misfit_maps']} reconstructions of each set were "
            "simulated again for the data misfit."
        )
        found = main.numbers["uncertainty"]
        if found is not None:
            page.text(
                "The reconstructions from turned and reflected signals, and of all networks, "
                f"differ. The error is at most their standard deviation in {found['within_1']:.0%} "
                f"of the cells, and at most twice as large in {found['within_2']:.0%}. The "
                f"standard deviation must be multiplied by {found['scale']:.2f} to be as large as "
                "the error."
            )
        if "coverage" in images:
            share = main.numbers["spread"]["within_1"]
            page.figure(
                images["coverage"],
                "How much of the error lies within the spread",
                f"The spread, calibrated on {main.numbers['spread']['maps']} other maps that were "
                f"held out from training, holds {min(share):.0%} to {max(share):.0%} of the cells, "
                "by their distance from the edge; grey lines are those of Gaussian errors.",
            )
        page.section("Best, median and worst map")
        titles, _ = shown_maps(main)
        page.figure(
            images["maps"],
            "Truth, reconstruction and error",
            "Truth, reconstruction and their difference of three maps: "
            + "; ".join(title.replace("\n", ", ") for title in titles),
        )
        page.section("By family")
        page.table(
            ["family", "maps", "pooled R²", "mean R²", "MAE [g/cm³]", "SSIM"],
            [
                [label, n["n_maps"]]
                + [number(n[key]) for key in ("r2_pooled", "r2_mean", "mae", "ssim")]
                for label, n in main.numbers["families"].items()
            ],
        )
        page.section("Where the errors are")
        depth = main.numbers["rms_error_by_depth"]
        page.figure(
            images["depth"],
            "Error against the distance from the edge",
            "Root mean square error against the distance from the nearest edge: from "
            f"{depth[0]:.3g} g/cm³ at the edge to {depth[-1]:.3g} in the middle.",
        )
        page.figure(
            images["cells"],
            "Reconstructed against true density",
            "Every cell as a point; exact reconstructions would lie on the diagonal.",
        )

    def limits(self, main: Mapping[str, Any]) -> str:
        """See `Kind`."""
        depth = main["rms_error_by_depth"]
        return (
            f"Limits: the root mean square error grows from {depth[0]:.3g} g/cm³ at the edge to "
            f"{depth[-1]:.3g} g/cm³ in the middle. Densities of other families, other sources, "
            "other units or another span of time are not what it has learned; signals of another "
            "grid need the calibration that `opalux reconstruct` does."
        )


def misfit(
    trained: Trained,
    data: DataSet,
    positions: NDArray[np.int64],
    predicted: NDArray[np.float32],
    n_maps: int,
) -> dict[str, Any]:
    """Simulate reconstructions, evenly chosen from the set, as their truths were simulated.

    Returns
    -------
    The mean ‖F(ρ̂)−d‖/‖d‖, of the signals as they are (``data_misfit``) and of their deviations
    from each channel's mean in units of its standard deviation (``data_misfit_standardised``); null
    when the data set was not simulated here.
    """
    chosen = np.unique(np.linspace(0, len(positions) - 1, min(n_maps, len(positions))).astype(int))
    if not data.card.campaign or not len(chosen):
        return {"data_misfit": None, "data_misfit_standardised": None, "misfit_maps": 0}
    campaign = Campaign.of(data.card, f"{data.folder}/dataset.yaml")
    mean, std = (channel[..., None, None] for channel in trained.channels)
    on_edges = trained.layout.on_edges
    plain, standardised = [], []
    with Progress("simulating reconstructions", len(chosen)) as progress:
        for row in chosen:
            position = int(positions[row])
            signals = data.signals(position)
            density = np.maximum(predicted[row], metrics.LOWEST)
            simulated = simulate_sources(campaign, density, data.sources(position))
            plain.append(metrics.data_misfit(simulated, signals))
            standardised.append(
                metrics.data_misfit(
                    *(on_edges * ((one - mean) / std) for one in (simulated, signals))
                )
            )
            progress.advance()
    return {
        "data_misfit": float(np.mean(plain)),
        "data_misfit_standardised": float(np.mean(standardised)),
        "misfit_maps": len(chosen),
    }


def shown_maps(judged: Judged) -> tuple[list[str], list[int]]:
    """Return titles and numbers of the best, median and worst map, of those that R² tells apart."""
    each = np.nan_to_num(metrics.r2_each(judged.truth, judged.predicted), nan=-np.inf)
    telling = np.flatnonzero(metrics.varied(judged.truth))
    among = telling if len(telling) else np.arange(len(each))
    order = among[np.argsort(each[among])[::-1]]
    rows = [int(order[0]), int(order[len(order) // 2]), int(order[-1])]
    names = ("best", "median", "worst")
    return [
        f"{name}: R² {each[row]:.3f}\n{judged.families[row]}"
        for name, row in zip(names, rows, strict=True)
    ], rows
