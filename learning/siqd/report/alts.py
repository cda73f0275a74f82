"""What each figure shows, in words and numbers, for those who do not see it."""

import numpy as np

from opalux.learning.siqd.report.look import short
from opalux.learning.siqd.study.comparison import titles
from opalux.learning.siqd.study.run import Results
from opalux.learning.siqd.study.study import Study


def alts(results: Results) -> dict[str, str]:
    """Return the words for each figure, by name; a caption serves where there are none."""
    study = results.study
    subject, names = study.prepared.subject, titles(study)
    values = study.prepared.table.columns[subject.property]
    unit = f" {subject.unit}" if subject.unit else ""
    cuts = len(study.clustering.peaks_)
    counted = "; ".join(
        f"class {number}: {', '.join(map(str, row))}"
        for number, row in enumerate(study.purity.table.tolist(), start=1)
    )
    made = {
        "fig1_property": f"Points: {subject.property} of each row, from {values.min():.4g} to "
        f"{values.max():.4g}{unit}, in the colours of its classes.",
        "fig2_clusters": f"The curve of the distances R_min in the order of labelling, cut at "
        f"{cuts} places, and the rows in the colours of their structure classes.",
        "fig5_regression": f"Predicted against true {subject.property}; exact predictions would "
        f"lie on the diagonal. Over all splits R² is {study.repeated['property'].score}.",
        "figS1_correlations": f"A square of numbers, one for each pair of columns. {_pair(study)}",
        "figS4_cluster_classes": f"Bars: rows of each class of {subject.property} "
        f"({', '.join(study.prepared.classes.names)}) in {counted}.",
        "figS5_robustness": "How often so many structure classes are found, from other starts and "
        "with other least sizes.",
        "figS6_limits": "Accuracy of the network against the shift of all limits between classes: "
        f"from {np.nanmin(study.limits.accuracy_shifted):.3f} to "
        f"{np.nanmax(study.limits.accuracy_shifted):.3f}.",
        "figS7_spreads": "Points: test scores over splits and seeds: "
        + "; ".join(f"{names[role]} {one.score}" for role, one in study.repeated.items())
        + ". Below, what is lost when a feature is permuted.",
    }
    for role, figure in (("classes", "fig3_classes"), ("clusters", "fig4_clusters_network")):
        if role in study.repeated:
            made[figure] = (
                f"Learning curve and table of right and wrong answers for the {names[role]}; over "
                f"all splits the accuracy is {study.repeated[role].score}."
            )
    return made


def _pair(study: Study) -> str:
    """Return the sentence on the most correlated pair."""
    matrix = np.abs(np.array(study.correlations.matrix, dtype=float))
    np.fill_diagonal(matrix, 0.0)
    a, b = np.unravel_index(np.nanargmax(matrix), matrix.shape)
    columns = study.correlations.names
    return (
        f"Most correlated are {short(study, columns[a])} and {short(study, columns[b])}: "
        f"{matrix[a, b]:.3f} in absolute value."
    )
