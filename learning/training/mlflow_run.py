"""A training run beside others in MLflow: its settings, numbers and state, in a file or a server.

Training never waits for it long and never fails by it: what cannot be noted is said once, and
`metrics.jsonl` has all of it.
"""

import contextlib
import importlib
import json
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import pydantic

from opalux.base.errors import InputError
from opalux.base.files import write_json
from opalux.base.messages import LOGGER
from opalux.base.settings import Settings, SettingsPath

NAME = "mlflow.json"
"""File of a run's folder that says where the run is kept."""
AT_ONCE = 100
"""Parameters that MLflow takes in one call."""
LONGEST = 500
"""Length to which the text of a parameter is cut."""
_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}
"""Of MLflow's own variables, where the user has set nothing: a dead server holds up no training."""

State = Literal["FINISHED", "KILLED", "FAILED"]


class MlflowSettings(Settings):
    """Where MLflow keeps a training run, beside metrics.jsonl and TensorBoard.

    Attributes
    ----------
    database : file of an SQLite database, made where there is none; no server is needed
    server : address of a tracking server, such as http://127.0.0.1:5000
    experiment : under which the run appears
    """

    database: SettingsPath | None = None
    server: str | None = pydantic.Field(None, pattern=r"^https?://\S+$")
    experiment: str = pydantic.Field("opalux", min_length=1)

    @pydantic.model_validator(mode="after")
    def _one_place(self) -> "MlflowSettings":
        if (self.database is None) == (self.server is None):
            raise ValueError("found both or none of database and server, expected one of them")
        return self

    @property
    def address(self) -> str:
        """The place, as MLflow names it."""
        return self.server or f"sqlite:///{self.database}"


class MlflowRun:
    """Notes the numbers of one training run in MLflow.

    Parameters
    ----------
    settings : the place

    Raises
    ------
    InputError
        When MLflow is not installed or the place cannot be used.
    """

    def __init__(self, settings: MlflowSettings) -> None:
        mlflow = _mlflow()
        self._settings, self._entities = settings, mlflow.entities
        self._works = True
        try:
            if settings.database:
                _require_database(settings.database)
            self._client = mlflow.MlflowClient(tracking_uri=settings.address)
            self._client.get_experiment_by_name(settings.experiment)
        except Exception as error:  # of a library, a database or the network
            raise InputError(
                f"mlflow: {settings.address} cannot be used ({_first_line(error)}); correct "
                "mlflow.database or mlflow.server, or leave mlflow out"
            ) from None

    def begin(self, folder: Path, told: Mapping[str, Any]) -> None:
        """Begin a run, or continue the one that was begun in ``folder``.

        Parameters
        ----------
        folder : of the run
        told : settings of the training, nested; kept as parameters
        """
        self._try(lambda: self._begin(folder, told))

    def write(self, kind: str, step: int, values: Mapping[str, float]) -> None:
        """Note the numbers of a step; ``kind`` groups them (train, validation)."""
        now = int(1000 * time.time())
        metrics = [
            self._entities.Metric(f"{kind}/{k}", float(v), now, step) for k, v in values.items()
        ]
        self._try(lambda: self._client.log_batch(self._run, metrics=metrics))

    def end(self, state: State) -> None:
        """Note how the run has ended."""
        self._try(lambda: self._client.set_terminated(self._run, state))

    def _begin(self, folder: Path, told: Mapping[str, Any]) -> None:
        self._run = self._known(folder) or self._new(folder, told)
        self._client.update_run(self._run, status="RUNNING")
        write_json(folder / NAME, {"address": self._settings.address, "run": self._run})

    def _known(self, folder: Path) -> str | None:
        """Return the number of the run that was begun in this folder and place."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            noted = json.loads((folder / NAME).read_text(encoding="utf-8"))
            if noted["address"] == self._settings.address:
                return str(noted["run"])
        return None

    def _new(self, folder: Path, told: Mapping[str, Any]) -> str:
        name = self._settings.experiment
        found = self._client.get_experiment_by_name(name)
        experiment = found.experiment_id if found else self._client.create_experiment(name)
        tags = {"opalux.folder": str(folder.resolve())}
        run = self._client.create_run(experiment, tags=tags, run_name=folder.name).info.run_id
        params = [self._entities.Param(k, str(v)[:LONGEST]) for k, v in _flat(told)]
        for first in range(0, len(params), AT_ONCE):
            self._client.log_batch(run, params=params[first : first + AT_ONCE])
        return str(run)

    def _try(self, note: Callable[[], object]) -> None:
        if not self._works:
            return
        try:
            note()
        except Exception as error:  # of a library, a database or the network
            self._works = False
            LOGGER.warning("mlflow: %s; from here on only metrics.jsonl", _first_line(error))


def require_mlflow() -> None:
    """Raise InputError when MLflow is not installed."""
    _mlflow()


def _mlflow() -> Any:
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    try:
        for library in ("alembic", "sqlalchemy"):
            importlib.import_module(library)
        made = importlib.import_module("mlflow")
    except ImportError as error:
        raise InputError(
            f"mlflow: needs {error.name}, which is not installed; run pip install 'opalux[mlflow]' "
            "or leave the key out"
        ) from None
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    return made


def _require_database(file: Path) -> None:
    """Open the file for writing once: MLflow would try for hours to open one that it cannot."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as opened:
        opened.execute("begin immediate")
        opened.execute("rollback")


def _flat(told: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted keys of nested settings with their values."""
    for key, value in told.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{where}{key}.")
        else:
            yield f"{where}{key}", value


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
