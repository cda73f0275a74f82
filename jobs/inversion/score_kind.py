"""Judging answers that are no maps, by the scores of their objective."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.figure import Figure

from opalux.base.errors import InputError
from opalux.base.page import Page
from opalux.jobs.inversion import pictures
from opalux.jobs.inversion.kind import Answers, Judged
from opalux.jobs.inversion.settings import EvaluateSettings
from opalux.jobs.inversion.trained import Trained
from opalux.learning.networks.objectives.objective import Objective


@dataclasses.dataclass(frozen=True)
class ScoreKind:
    """See `opalux.jobs.inversion.kind.Kind`.

    Attributes
    ----------
    objective : that the network was trained for
    """

    objective: Objective

    @property
    def meaning(self) -> Mapping[str, str]:
        """All scores of the objective."""
        return self.objective.meaning

    @property
    def shown(self) -> Mapping[str, str]:
        """All scores of the objective."""
        return {name: name for name in self.objective.meaning}

    def refuse(self, settings: EvaluateSettings) -> None:
        """Refuse what only maps have, where it was asked for."""
        for name in ("symmetries", "linear_baseline", "misfit_maps", "spread_maps"):
            value = getattr(settings, name)
            if name in settings.model_fields_set and value:
                raise InputError(
                    f"{name}: found {str(value).lower()}, but the network gives "
                    f"{self.objective.answer}; only networks that give a map have this: leave it "
                    "out"
                )

    def measure(self, trained: Trained, answers: Answers, settings: EvaluateSettings) -> Judged:
        """Return the scores."""
        sums = self.objective.sums(
            torch.from_numpy(answers.predicted).double(), torch.from_numpy(answers.truth).double()
        )
        scores = self.objective.scores(sums.numpy())
        numbers = {
            "scores": scores,
            "n_maps": len(answers.positions),
            "data": str(answers.data.folder),
        }
        return Judged(
            numbers=numbers,
            scores=scores,
            headline={**scores},
            truth=answers.truth,
            predicted=answers.predicted,
            families=answers.families,
        )

    def baselines(self, trained: Trained, settings: EvaluateSettings) -> dict[str, Judged]:
        """There are none."""
        return {}

    def figures(self, judged: Mapping[str, Judged]) -> dict[str, Figure]:
        """There are none."""
        return {}

    def learning_curve(self, points: Sequence[Mapping[str, Any]]) -> Figure:
        """Return all scores against the number of training maps."""
        return pictures.scores_by_maps(points, self.shown)

    def add_sections(self, page: Page, main: Judged, images: Mapping[str, bytes]) -> None:
        """The measures say it all."""

    def limits(self, main: Mapping[str, Any]) -> str:
        """See `Kind`."""
        return (
            "Limits: maps of other kinds, other sources, other units or another span of time are "
            "not what it has learned."
        )
