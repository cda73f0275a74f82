"""The numbers that the paper reports.

References
----------
A. J. Parker, A. S. Barnard, Nanoscale Horiz. 6, 277 (2021), doi 10.1039/d0nh00637h.
"""

import dataclasses
from typing import Any

N_DOTS = 303
N_KEPT = 297  # from 400 nm on
DIAMETERS = (0.5, 3.04)  # [nm]
ILS_P = 15
N_CLUSTERS = 6
BAND_COUNTS = (15, 11, 67, 38, 58, 108)
CLUSTER_COUNTS = (48, 83, 62, 43, 36, 25)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Network:
    """A network of the paper and its scores.

    Attributes
    ----------
    task : "bands", "clusters" or "wavelength"
    activation, layers, alpha, max_iter, learning_rate : hyper-parameters
    train, test : score on each part of the 80/20 split; accuracy or R²
    cv, cv_deviation : mean and standard deviation over 10 folds
    """

    task: str
    activation: str
    layers: tuple[int, ...]
    alpha: float
    max_iter: int
    learning_rate: str
    train: float
    test: float
    cv: float
    cv_deviation: float

    @property
    def parameters(self) -> dict[str, Any]:
        """Hyper-parameters under scikit-learn's names."""
        return {
            "activation": self.activation,
            "hidden_layer_sizes": self.layers,
            "alpha": self.alpha,
            "max_iter": self.max_iter,
            "learning_rate": self.learning_rate,
        }


NETWORKS = {
    network.task: network
    for network in (
        Network(
            task="bands",
            activation="identity",
            layers=(10, 7, 3),
            alpha=0.4339,
            max_iter=230,
            learning_rate="constant",
            train=0.975,
            test=0.933,
            cv=0.96,
            cv_deviation=0.084,
        ),
        Network(
            task="clusters",
            activation="relu",
            layers=(4, 3),
            alpha=0.0451,
            max_iter=297,
            learning_rate="invscaling",
            train=1.000,
            test=0.983,
            cv=0.98,
            cv_deviation=0.10,
        ),
        Network(
            task="wavelength",
            activation="relu",
            layers=(10, 3),
            alpha=4.652,
            max_iter=270,
            learning_rate="invscaling",
            train=0.997,
            test=0.996,
            cv=0.994,
            cv_deviation=0.007,
        ),
    )
}

# Precision, recall, F1 of each class.
CLASS_SCORES = {
    "bands": (
        (0.75, 1.00, 0.86),
        (1.00, 0.50, 0.67),
        (0.92, 1.00, 0.96),
        (1.00, 1.00, 1.00),
        (0.89, 0.89, 0.89),
        (0.96, 0.96, 0.96),
    ),
    "clusters": (
        (0.80, 1.00, 0.89),
        (1.00, 0.94, 0.97),
        (1.00, 1.00, 1.00),
        (1.00, 1.00, 1.00),
        (1.00, 1.00, 1.00),
        (1.00, 1.00, 1.00),
    ),
}
