"""All figures of the report, by name, with their captions."""

from collections.abc import Callable

from matplotlib.figure import Figure

from opalux.base.plots import png
from opalux.learning.siqd.clustering.peers import sweep
from opalux.learning.siqd.report import figures, supplement
from opalux.learning.siqd.study.comparison import TITLES
from opalux.learning.siqd.study.run import Results
from opalux.learning.siqd.study.study import TASKS

SHARES = (0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1, 0.12)
"""Widths p of Iterative Label Spreading in figure S12, as shares of the points."""

CAPTIONS = {
    "fig1_dots": "Figure 1. The dots: wavelength against diameter, and the colour bands.",
    "fig2_clusters": "Figure 2. Structure classes by Iterative Label Spreading.",
    "fig3_bands": "Figure 3. The network for the colour bands.",
    "fig4_clusters_network": "Figure 4. The network for the structure classes.",
    "fig5_wavelength": "Figure 5. The regressor for the wavelength; colour: band.",
    "figS1_correlations": "Figure S1. Correlation and skew of every column, over all dots.",
    "figS2_by_band": "Figure S2. Features by colour band. Boxes: quartiles; whiskers: 1.5 "
    "interquartile ranges; points: dots.",
    "figS3_by_cluster": "Figure S3. Features and wavelength by structure class.",
    "figS4_cluster_colours": "Figure S4. Colours in each structure class, and in all dots.",
    "figS5_robustness": "Figure S5. What the number of structure classes depends on.",
    "figS6_separability": "Figure S6. Whether colour bands are separate classes.",
    "figS7_forest": "Figure S7. Random forest for the colour bands.",
    **{
        f"figS{8 + i}_weights_{task}": f"Figure S{8 + i}. Weights and biases of the network for "
        f"the {TITLES[task]}; each column is a unit, the last row its bias."
        for i, task in enumerate(TASKS)
    },
    "figS11_peers": "Figure S11. Clusterers on the usual sets of points.",
    "figS12_peers_by_p": "Figure S12. Iterative Label Spreading on these sets, by p.",
}
"""Captions by name; the last two figures exist only when clusterers were compared."""


def draw(results: Results, done: Callable[[str], None]) -> dict[str, bytes]:
    """Return every figure as PNG, by name.

    Parameters
    ----------
    results : of the run
    done : called with the name of each figure when it is drawn
    """
    drawn = {}
    for name, make in _makers(results).items():
        drawn[name] = png(make())
        done(name)
    return drawn


def _makers(results: Results) -> dict[str, Callable[[], Figure]]:
    study, sets = results.study, results.sets
    networks, curves = study.networks, study.curves
    makers: dict[str, Callable[[], Figure]] = {
        "fig1_dots": lambda: figures.dots(study),
        "fig2_clusters": lambda: figures.clusters(study),
        "fig3_bands": lambda: figures.classified(
            networks["bands"], curves["bands"], TITLES["bands"]
        ),
        "fig4_clusters_network": lambda: figures.classified(
            networks["clusters"], curves["clusters"], TITLES["clusters"]
        ),
        "fig5_wavelength": lambda: figures.regression(networks["wavelength"], curves["wavelength"]),
        "figS1_correlations": lambda: supplement.correlation_map(study),
        "figS2_by_band": lambda: supplement.distributions(study, "bands"),
        "figS3_by_cluster": lambda: supplement.distributions(study, "clusters"),
        "figS4_cluster_colours": lambda: supplement.cluster_colour(study),
        "figS5_robustness": lambda: supplement.robustness(study),
        "figS6_separability": lambda: supplement.separability(study),
        "figS7_forest": lambda: supplement.forest(study),
        "figS8_weights_bands": lambda: supplement.weights(study, "bands"),
        "figS9_weights_clusters": lambda: supplement.weights(study, "clusters"),
        "figS10_weights_wavelength": lambda: supplement.weights(study, "wavelength"),
    }
    if sets:
        makers["figS11_peers"] = lambda: supplement.peers(sets, results.outcomes)
        makers["figS12_peers_by_p"] = lambda: supplement.peers_by_p(sweep(sets, SHARES), SHARES)
    return makers
