"""The model card: what a trained network is for, what it was trained on, what it can and cannot."""

from collections.abc import Mapping
from typing import Any

from opalux.base.provenance import git_revision, version
from opalux.jobs.inversion.metrics import HEADLINE
from opalux.jobs.inversion.report import number
from opalux.learning.training.predict import Trained


def card(trained: Trained, numbers: Mapping[str, Any]) -> str:
    """Return the text of model_card.md.

    Parameters
    ----------
    trained : the network
    numbers : what metrics.json holds
    """
    layout, data, settings = trained.model.layout, trained.card, trained.settings
    weights = sum(p.numel() for p in trained.model.parameters())
    ny, nx = layout.shape
    sets = {f"{numbers['split']} split": numbers, **numbers["apart"]}
    rows = [
        f"| {name} | " + " | ".join(number(result[key]) for key in HEADLINE) + " |"
        for name, result in sets.items()
    ]
    depth = numbers["rms_error_by_depth"]
    return "\n".join(
        [
            f"# {settings.model.kind} on {data.name}",
            "",
            f"Reconstructs a density of {ny}×{nx} cells [g/cm³] from "
            f"{', '.join(layout.quantities)} at {layout.n_times} times between "
            f"{trained.times[0]:.4g} and {trained.times[-1]:.4g} sh on the edges "
            f"{', '.join(layout.edges)}, with the sources "
            f"{', '.join(layout.sources)} one after the other.",
            "",
            f"- Network: {settings.model.kind}, {weights:,} weights, {trained.step:,} steps of "
            f"{settings.batch} samples, seed {settings.seed}",
            f"- Training data: {data.name} ({data.origin}), {data.splits.train} maps of "
            f"the families {', '.join(data.families)}, seed {data.seed}",
            f"- Made with opalux {version()}, revision {git_revision()}",
            "",
            "| judged on | " + " | ".join(HEADLINE) + " |",
            "|---|" + "---|" * len(HEADLINE),
            *rows,
            "",
            f"Limits: the root mean square error grows from {depth[0]:.3g} g/cm³ at the edge to "
            f"{depth[-1]:.3g} g/cm³ in the middle. Densities of other families, other sources, "
            "other units or another span of time are not what it has learned; signals of another "
            "grid need the calibration that `opalux reconstruct` does.",
            "",
        ]
    )
