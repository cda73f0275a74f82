"""The networks of the study, untrained."""

from typing import Any

from sklearn.neural_network import MLPClassifier, MLPRegressor


def network(task: str, parameters: dict[str, Any], seed: int = 42) -> MLPClassifier | MLPRegressor:
    """Return an untrained network for a task, with the published solver.

    The paper also sets ``early_stopping``; L-BFGS uses neither this nor ``learning_rate``.

    Parameters
    ----------
    task : "bands", "clusters" or "wavelength"
    parameters : hyper-parameters under scikit-learn's names
    seed : of the initial weights
    """
    kind = MLPRegressor if task == "wavelength" else MLPClassifier
    return kind(solver="lbfgs", early_stopping=True, random_state=seed, **parameters)
