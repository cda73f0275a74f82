"""``opalux export`` writes a model that gives, without torch, what it gives in torch."""

import json

import numpy as np
import onnxruntime
import pytest
import torch

from opalux.jobs import export, train
from opalux.jobs.inversion.trained import load_trained
from opalux.learning.data.data_set import DataSet
from opalux.learning.training import checkpoint, onnx_export
from opalux.learning.training.compact import compacted
from tests.learning.made_data import make_data

MODELS = {
    "edge_vnet": "{kind: edge_vnet, width: 4, features: 4, levels: 2, patch: 2}",
    "turned": "{kind: edge_vnet, stem: turned, width: 4, features: 4, levels: 2, norm: batch}",
    "vnet": "{kind: vnet, width: 4, levels: 2, kernel: 3}",
    "fcunet": "{kind: fcunet, courses: 2, coarse: 4, features: 4, width: 4, levels: 2}",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("export") / "data")


def trained(folder, data, model):
    """Train for a moment and return the folder of the run."""
    text = f"data: {{folder: {data}}}\nmodel: {model}\nepochs: 1\nbatch: 8\n"
    (folder / "train.yaml").write_text(text)
    assert train.main([str(folder / "train.yaml"), "--out", str(folder / "run")]) == 0
    return folder / "run"


@pytest.mark.parametrize("name", MODELS)
def test_the_file_gives_the_models_maps_for_any_number_of_samples(name, data, tmp_path):
    run = trained(tmp_path, data, MODELS[name])
    assert export.main([str(run), "--out", str(tmp_path / "out")]) == 0
    samples = DataSet(data)
    session = onnxruntime.InferenceSession(tmp_path / "out" / "model.onnx")
    model = load_trained(run / "best.ckpt").model
    for positions in ([0], [3, 1, 2, 7, 5]):
        signals = np.stack([samples.signals(position) for position in positions])
        (found,) = session.run(["density"], {"signals": signals})
        expected = model(torch.from_numpy(signals)).numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    told = session.get_modelmeta().custom_metadata_map
    assert json.loads(told["sources"]) == ["up", "down", "left", "right"]
    np.testing.assert_allclose(json.loads(told["times"]), samples.times)
    numbers = json.loads((tmp_path / "out" / "export.json").read_text())
    assert 0 <= numbers["largest_difference"] < onnx_export.TOLERANCE


def test_a_small_checkpoint_gives_the_maps_of_the_run_from_half_of_its_bytes(
    data, tmp_path, capsys
):
    model = "{kind: edge_vnet, width: 32, features: 4, levels: 2, patch: 2, courses: 4}"
    run = trained(tmp_path, data, model)
    assert export.main([str(run), "--set", "form=checkpoint", "--out", str(tmp_path / "out")]) == 0
    small = tmp_path / "out" / "network.ckpt"
    assert small.stat().st_size < 0.6 * (run / "best.ckpt").stat().st_size
    assert str(tmp_path).encode() not in small.read_bytes()
    whole, handed_on = load_trained(run), load_trained(small)
    samples = DataSet(data)
    signals = torch.from_numpy(np.stack([samples.signals(position) for position in (0, 3)]))
    off = (handed_on.model(signals) - whole.model(signals)) / whole.model.unit
    assert 0 < off.abs().max() < 0.05
    assert torch.equal(handed_on.model.centre, whole.model.centre)
    assert (handed_on.times == whole.times).all()


def test_a_small_checkpoint_names_no_place_of_the_machine_where_it_was_made(data, tmp_path):
    content = checkpoint.load(trained(tmp_path, data, MODELS["edge_vnet"]) / "best.ckpt")
    content["settings"]["augmentation"]["other_grid"] = "/home/me/pairs"
    content["settings"]["mlflow"] = {"database": "/home/me/mlflow.db"}
    handed_on = compacted(content)["settings"]
    assert handed_on["augmentation"]["other_grid"] == "pairs"
    assert handed_on["mlflow"] is None
    assert "/" not in handed_on["data"]["folder"]
    assert handed_on["epochs"] == content["settings"]["epochs"]


def test_a_file_that_differs_from_the_model_is_not_left(data, tmp_path, monkeypatch):
    run = trained(tmp_path, data, MODELS["edge_vnet"])
    monkeypatch.setattr(onnx_export, "TOLERANCE", -1.0)
    network = load_trained(run)
    with pytest.raises(onnx_export.ExportError, match="not written"):
        onnx_export.export_onnx(network.model, tmp_path / "model.onnx", network.times, "made")
    assert not list(tmp_path.glob("*.onnx")) + list(tmp_path.glob(".*.onnx"))


def test_a_missing_run_is_one_message(tmp_path, capsys):
    assert export.main([str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
    assert "folder of a training run" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
