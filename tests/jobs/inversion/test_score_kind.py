"""An objective that only has scores is judged, shown and described without a line about it."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.jobs.inversion.findings import Found
from opalux.jobs.inversion.judge import judge, judge_apart, kind_of
from opalux.jobs.inversion.model_card import model_card
from opalux.jobs.inversion.report import write_report
from opalux.jobs.inversion.settings import EvaluateSettings, JudgedMaps
from opalux.jobs.inversion.trained import Trained, TrainingData
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.layout import Layout
from opalux.learning.networks.reconstructor import Reconstructor
from opalux.learning.training.plan import TrainSettings
from opalux.learning.training.scaling import scaling_of
from tests.learning.made_data import make_data

LAYOUT = Layout(EDGES, EDGES, ("E", "F", "T"), 8, 8, (8, 8))


class Mass:
    """The mean density, which no part of the program has heard of."""

    answer: ClassVar[str] = "the mean density [g/cm³]"
    is_map: ClassVar[bool] = False
    leading: ClassVar[str] = "closeness"
    meaning: ClassVar[Mapping[str, str]] = {"closeness": "1 − mean absolute error"}
    published: ClassVar[Mapping[str, tuple[str, str]]] = {}

    def scale_shape(self, layout):
        return (1,)

    def target(self, truth):
        return truth.density.mean(keepdims=True)[0]

    def scale(self, truths, stats, layout):
        return np.array([stats.density_mean], np.float32), np.ones(1, np.float32)

    def loss(self, given, scaled_target):
        return functional.mse_loss(given, scaled_target)

    def sums(self, output, target):
        return torch.stack(
            [torch.tensor(float(len(target))).double(), (output - target).abs().sum()]
        )

    def scores(self, sums):
        return {"closeness": float(1 - sums[1] / sums[0])}


class Zero(nn.Module):
    """A network that gives the mean of what it was trained on."""

    def forward(self, signals_BSEQTN):
        return 0 * signals_BSEQTN.flatten(1)[:, :1]


@pytest.fixture
def trained(tmp_path):
    data = DataSet(make_data(tmp_path / "set"))
    model = Reconstructor(Zero(), LAYOUT, Mass())
    model.scale_by(scaling_of(data, data.split("train"), data.times, LAYOUT, Mass()))
    settings = TrainSettings.model_validate(
        {"data": {"folder": data.folder}, "model": {"kind": "edge_vnet"}}
    )
    own = TrainingData(
        path=tmp_path / "best.ckpt", settings=settings.data, card=data.card, fingerprint=None
    )
    return Trained(
        path=tmp_path / "best.ckpt", model=model.eval(), settings=settings, campaign=None,
        times=data.times, step=1, data_sets=(own,),
    )  # fmt: skip


def test_it_is_judged_by_its_scores_and_has_a_report_and_a_card(trained, tmp_path):
    settings = EvaluateSettings()
    judged = {"main": judge([trained], settings, settings)}
    judged |= judge_apart([trained], "noisy", JudgedMaps(noise=0.1), settings)
    data = DataSet(trained.settings.data.folder)
    means = np.array([data.density(int(p)).mean() for p in data.split("test")])
    expected = 1 - np.abs(means - data.stats.density_mean).mean()
    assert judged["main"].numbers["scores"] == {"closeness": pytest.approx(expected, rel=1e-6)}
    kind = kind_of(trained)
    write_report(tmp_path, trained, kind, Found(logs={"/runs/mine": []}, judged=judged))
    page = (tmp_path / "report.html").read_text()
    assert "the mean density" in page
    assert "1 − mean absolute error" in page
    assert "closeness" in model_card(trained, kind, judged)


def test_it_has_no_linear_baseline(trained):
    with pytest.raises(InputError, match="the mean density"):
        kind_of(trained).refuse(EvaluateSettings(linear_baseline=True))
