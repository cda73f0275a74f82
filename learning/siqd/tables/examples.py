"""Public tables that scikit-learn brings, as sheets."""

import numpy as np
import sklearn.datasets

from opalux.learning.siqd.tables.sheets import Sheet

EXAMPLES = {
    "wine": "load_wine",
    "diabetes": "load_diabetes",
    "breast_cancer": "load_breast_cancer",
    "iris": "load_iris",
}


def example_sheet(name: str) -> Sheet:
    """Return one of ``EXAMPLES``; the column ``target`` comes last."""
    found = getattr(sklearn.datasets, EXAMPLES[name])()
    values = np.column_stack([found.data, found.target])
    return Sheet(
        origin=f"scikit-learn's {name}",
        header=[*map(str, found.feature_names), "target"],
        lines=list(range(1, len(values) + 1)),
        rows=values.tolist(),
    )
