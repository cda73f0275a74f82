"""The model card: the purpose of a trained network, its training data, its scores and limits."""

from collections.abc import Mapping

from opalux.base.provenance import git_revision, version
from opalux.jobs.inversion.kind import Judged, Kind
from opalux.jobs.inversion.number import number
from opalux.jobs.inversion.trained import Trained


def model_card(trained: Trained, kind: Kind, judged: Mapping[str, Judged]) -> str:
    """Return the text of model_card.md.

    Parameters
    ----------
    trained : the network
    kind : of its answers
    judged : by name of the set; the main one is the first
    """
    layout, data, settings = trained.layout, trained.card, trained.settings
    main = next(iter(judged.values()))
    ny, nx = layout.shape
    sets = {f"{main.numbers['split']} split": main} | dict(list(judged.items())[1:])
    rows = [
        f"| {name} | " + " | ".join(number(result.headline[key]) for key in kind.meaning) + " |"
        for name, result in sets.items()
    ]
    return "\n".join(
        [
            f"# {settings.model.kind} on {data.name}",
            "",
            f"Gives {trained.model.objective.answer}, for maps of {ny}×{nx} cells, from "
            f"{', '.join(layout.quantities)} at {layout.n_times} times between "
            f"{trained.times[0]:.4g} and {trained.times[-1]:.4g} sh on the edges "
            f"{', '.join(layout.edges)}, with the sources "
            f"{', '.join(layout.sources)} one after the other.",
            "",
            f"- Network: {settings.model.kind}, {trained.weights:,} weights, {trained.step:,} "
            f"steps of {settings.batch} samples, seed {settings.seed}",
            f"- Training data: {data.name} ({data.origin}), {data.splits.train} maps of "
            f"the families {', '.join(data.families)}, seed {data.seed}",
            *(
                f"- Corrected by the solver, trained on {one.card.name}: {one.card.splits.train} "
                f"maps, seed {one.card.seed}"
                for one in trained.data_sets[1:]
            ),
            f"- Made with opalux {version()}, revision {git_revision()}",
            "",
            "| judged on | " + " | ".join(kind.meaning) + " |",
            "|---|" + "---|" * len(kind.meaning),
            *rows,
            "",
            kind.limits(main.numbers),
            "",
        ]
    )
