"""The models of the study, untrained."""

from typing import Any

from sklearn.base import BaseEstimator
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

from opalux.learning.siqd.study.classify import Task
from opalux.learning.siqd.study.published import NETWORKS
from opalux.learning.siqd.study.settings import NetworkSettings, StudySettings


def network(task: Task, parameters: dict[str, Any], seed: int = 42) -> BaseEstimator:
    """Return an untrained network for a task, with the published solver.

    The paper also sets ``early_stopping``; L-BFGS uses neither this nor ``learning_rate``.

    Parameters
    ----------
    task : classes, or a number
    parameters : hyper-parameters under scikit-learn's names
    seed : of the initial weights
    """
    kind = MLPClassifier if task.classes else MLPRegressor
    model = kind(solver="lbfgs", early_stopping=True, random_state=seed, **parameters)
    if task.classes or not task.scale_target:
        return model
    return TransformedTargetRegressor(model, transformer=StandardScaler())


def network_of(task: Task, settings: StudySettings) -> BaseEstimator:
    """Return the network that the settings name for a task; by default the published one."""
    if task.role in settings.networks:
        parameters = settings.networks[task.role].parameters
    elif settings.preset:
        parameters = NETWORKS[task.name].parameters
    else:
        parameters = NetworkSettings().parameters
    return network(task, parameters, settings.seed)


def other_model(kind: str, task: Task, seed: int = 42) -> BaseEstimator:
    """Return an untrained forest, or the linear model, for a task."""
    if kind == "forest":
        forest = RandomForestClassifier if task.classes else RandomForestRegressor
        return forest(random_state=seed)
    return LogisticRegression(max_iter=1000) if task.classes else LinearRegression()


def layers_of(model: BaseEstimator) -> list[tuple[Any, Any]]:
    """Return weights and biases of each layer of a trained network."""
    trained = getattr(model, "regressor_", model)
    return list(zip(trained.coefs_, trained.intercepts_, strict=True))
