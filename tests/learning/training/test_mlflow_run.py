"""A training in MLflow: its numbers, its state, what a resume continues, and places that fail."""

import pytest

from opalux.base.errors import InputError
from opalux.jobs import train
from opalux.learning.training import logbook
from opalux.learning.training.mlflow_run import MlflowRun, MlflowSettings
from tests.conftest import ROOT
from tests.learning.made_data import make_data

DEBUG = str(ROOT / "configs" / "train" / "debug.yaml")


@pytest.fixture
def mlflow():
    pytest.importorskip("alembic")
    return pytest.importorskip("mlflow")


@pytest.fixture
def client(tmp_path, mlflow):
    return mlflow.MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/runs/all.db")


def test_a_run_and_its_resume_are_one_run_with_the_numbers_of_the_log(tmp_path, client, capsys):
    data, out = make_data(tmp_path / "set", side=16, n_times=16), tmp_path / "mine"
    words = [DEBUG, "--out", str(out), "--set", f"data.folder={data}", "epochs=1", "log_every=1"]
    words += ["precision=float32", f"mlflow.database={tmp_path}/runs/all.db"]
    assert train.main(words) == 0
    assert train.main([*words, "epochs=2", "--resume"]) == 0
    assert capsys.readouterr().err.count("warning") == 0
    experiment = client.get_experiment_by_name("opalux").experiment_id
    (run,) = client.search_runs([experiment])
    assert (run.info.run_name, run.info.status) == ("mine", "FINISHED")
    assert run.data.params["model.levels"] == "3"
    noted = client.get_metric_history(run.info.run_id, "train/loss")
    written = [line for line in logbook.read(out) if line["kind"] == "train"]
    assert {(m.step, m.value) for m in noted} == {(line["step"], line["loss"]) for line in written}
    score = [line for line in logbook.read(out) if line["kind"] == "validation"][-1]["r2_pooled"]
    assert run.data.metrics["validation/r2_pooled"] == pytest.approx(score)


def test_a_place_that_fails_later_is_told_once_and_ends_nothing(tmp_path, client, caplog):
    run = MlflowRun(MlflowSettings(database=tmp_path / "runs" / "all.db"))
    run.begin(tmp_path, {"a": {"b": 1}})
    (tmp_path / "runs" / "all.db").write_bytes(b"no database" * 1000)
    for step in range(3):
        run.write("train", step, {"loss": 1.0})
    run.end("FINISHED")
    assert [r.levelname for r in caplog.records if r.name == "opalux"] == ["WARNING"]


@pytest.mark.parametrize("place", [{"server": "http://127.0.0.1:9"}, {"database": "/proc/x.db"}])
def test_a_place_that_cannot_be_used_is_refused(place, mlflow, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(InputError, match=r"^mlflow: \S+ cannot be used"):
        MlflowRun(MlflowSettings(**place))


@pytest.mark.parametrize("place", [{}, {"server": "http://a", "database": "b"}, {"server": "b"}])
def test_one_place_is_asked_for(place):
    with pytest.raises(ValueError, match=r"expected one of them|pattern"):
        MlflowSettings(**place)
