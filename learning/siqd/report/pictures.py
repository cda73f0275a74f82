"""All figures of the report, by name, with their captions."""

from collections.abc import Callable

from matplotlib.figure import Figure

from opalux.base.plots import png
from opalux.learning.siqd.clustering.peers import sweep
from opalux.learning.siqd.report import figures, peer_figures, supplement
from opalux.learning.siqd.study.comparison import titles
from opalux.learning.siqd.study.run import Results

SHARES = (0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1, 0.12)
"""Least sizes p of Iterative Label Spreading in figure S13, as shares of the points."""


def captions(results: Results) -> dict[str, str]:
    """Return the caption of each figure that the results have, by name."""
    study = results.study
    names, subject = titles(study), study.prepared.subject
    made = {
        "fig1_property": f"Figure 1. {subject.property} of the {subject.rows}, and its classes.",
        "fig2_clusters": "Figure 2. Structure classes by Iterative Label Spreading.",
        "fig3_classes": f"Figure 3. The network for the {names['classes']}.",
        "fig4_clusters_network": "Figure 4. The network for the structure classes.",
        "fig5_regression": f"Figure 5. The regressor for {subject.property}; colour: class.",
        "figS1_correlations": "Figure S1. Correlation and skew of every column, over all rows.",
        "figS2_by_class": f"Figure S2. Features by class of {subject.property}. Boxes: quartiles; "
        "whiskers: 1.5 interquartile ranges; points: rows.",
        "figS3_by_cluster": "Figure S3. Features and property by structure class.",
        "figS4_cluster_classes": f"Figure S4. Classes of {subject.property} in each structure "
        "class, and in all rows.",
        "figS5_robustness": "Figure S5. What the number of structure classes depends on.",
        "figS6_limits": "Figure S6. Whether the limits between classes are special.",
        "figS7_spreads": "Figure S7. Above: scores over splits and seeds, and with the property "
        "shuffled over the rows. Below: importance by permutation; boxes: quartiles, whiskers: 5 "
        "and 95 %.",
    }
    for i, role in enumerate(study.tasks):
        made[f"figS{8 + i}_weights_{study.tasks[role].name}"] = (
            f"Figure S{8 + i}. Weights and biases of the network for the {names[role]}; each "
            "column is a unit, the last row its bias."
        )
    if results.sets:
        made["figS12_peers"] = "Figure S12. Clusterers on the usual sets of points."
        made["figS13_peers_by_p"] = "Figure S13. Iterative Label Spreading on these sets, by p."
    if "clusters" not in study.tasks:
        del made["fig4_clusters_network"]
    return made


def draw(results: Results, done: Callable[[str], None]) -> dict[str, bytes]:
    """Return every figure as PNG, by name.

    Parameters
    ----------
    results : of the run
    done : called with the name of each figure when it is drawn
    """
    drawn, makers = {}, _makers(results)
    for name in captions(results):
        drawn[name] = png(makers[name]())
        done(name)
    return drawn


def _makers(results: Results) -> dict[str, Callable[[], Figure]]:
    study, sets = results.study, results.sets
    networks, curves, names = study.networks, study.curves, titles(study)

    def classified(role: str) -> Callable[[], Figure]:
        return lambda: figures.classified(networks[role], curves[role], names[role])

    def weights(role: str) -> Callable[[], Figure]:
        return lambda: supplement.weights(study, role)

    return {
        "fig1_property": lambda: figures.property_by_leader(study),
        "fig2_clusters": lambda: figures.clusters(study),
        "fig3_classes": classified("classes"),
        "fig4_clusters_network": classified("clusters"),
        "fig5_regression": lambda: figures.regression(study),
        "figS1_correlations": lambda: supplement.correlation_map(study),
        "figS2_by_class": lambda: supplement.distributions(study, "classes"),
        "figS3_by_cluster": lambda: supplement.distributions(study, "clusters"),
        "figS4_cluster_classes": lambda: supplement.cluster_classes(study),
        "figS5_robustness": lambda: supplement.robustness(study),
        "figS6_limits": lambda: supplement.moved_limits(study),
        "figS7_spreads": lambda: supplement.spreads(study),
        **{
            f"figS{8 + i}_weights_{study.tasks[role].name}": weights(role)
            for i, role in enumerate(study.tasks)
        },
        "figS12_peers": lambda: peer_figures.peers(sets, results.outcomes),
        "figS13_peers_by_p": lambda: peer_figures.peers_by_p(sweep(sets, SHARES), SHARES),
    }
