"""Scores are the textbook's, whichever way the samples are shared out."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, mean_absolute_error, r2_score

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.jobs.inversion import metrics
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.layout import Layout
from opalux.learning.data.stats import Stats
from opalux.learning.networks.objectives.niche import NicheInFront, NichePlace
from opalux.learning.networks.objectives.whole_map import WholeMap
from opalux.learning.training.truth import StoredTruth
from tests.learning.made_data import make_data

LAYOUT = Layout(EDGES, EDGES, ("E", "F", "T"), 4, 4, (4, 4))
STATS = Stats(
    signal_mean=np.zeros((4, 4, 3)),
    signal_std=np.ones((4, 4, 3)),
    density_min=1.0,
    density_max=5.0,
    density_mean=2.0,
    density_std=0.5,
    n_samples=2,
)


@dataclasses.dataclass
class Known:
    """What is known of a sample, given as it is."""

    drawn: dict[str, Any]
    family: str = "niche"
    origin: str = "made here: sample 0"
    density: np.ndarray = dataclasses.field(default_factory=lambda: np.ones((4, 4), np.float32))
    sources: np.ndarray = dataclasses.field(
        default_factory=lambda: np.array([[0.1, 0.3], [0.3, 0.5], [0.5, 0.7], [0.7, 0.9]])
    )


def niche(x, y, height):
    return Known({"x": x, "y": y, "height": height})


def scores(objective, given, target):
    """Return the scores from sums over two unequal shares."""
    given, target = torch.from_numpy(given), torch.from_numpy(target)
    shares = (slice(None, 2), slice(2, None))
    sums = sum(objective.sums(given[s], target[s]) for s in shares)
    return objective.scores(sums.numpy())


def test_density_scores_are_those_of_scikit_learn():
    draw = np.random.default_rng(0)
    truth = draw.uniform(1, 5, (7, 6, 6))
    found = truth + 0.2 * draw.standard_normal(truth.shape)
    ours = scores(WholeMap(), found, truth)
    each = [r2_score(t.ravel(), f.ravel()) for t, f in zip(truth, found, strict=True)]
    assert ours["r2_pooled"] == pytest.approx(r2_score(truth.ravel(), found.ravel()))
    assert ours["r2_mean"] == pytest.approx(np.mean(each))
    assert ours["mae"] == pytest.approx(mean_absolute_error(truth.ravel(), found.ravel()))


def test_mean_r2_leaves_out_nearly_uniform_maps_as_reports_do():
    draw = np.random.default_rng(0)
    truth = draw.uniform(1, 5, (7, 6, 6))
    truth[1] = 2.0
    truth[4] = 3.0 + 0.01 * draw.standard_normal((6, 6))
    found = truth + 0.2 * draw.standard_normal(truth.shape)
    varied = [0, 2, 3, 5, 6]
    each = [r2_score(truth[i].ravel(), found[i].ravel()) for i in varied]
    assert scores(WholeMap(), found, truth)["r2_mean"] == pytest.approx(np.mean(each))
    assert metrics.r2_mean(truth, found) == pytest.approx(np.mean(each))
    flat = truth[[1, 4, 1]]
    assert np.isnan(scores(WholeMap(), flat + 0.1, flat)["r2_mean"])
    assert metrics.r2_mean(flat, flat + 0.1) is None


def test_a_niche_is_found_when_both_coordinates_and_the_height_are_near():
    draw = np.random.default_rng(1)
    truth = draw.uniform(0.2, 0.8, (50, 3)) * [1, 1, 10]
    error = np.zeros((50, 3))
    error[0] = [0.09, -0.09, 0.9]
    error[1:4] = np.diag([0.11, 0.11, 1.1])
    ours = scores(NichePlace(), truth + error, truth)
    assert ours["custom_score"] == pytest.approx(47 / 50)
    assert ours["r2"] == pytest.approx(r2_score(truth, truth + error))


def test_labels_are_right_one_by_one_and_all_together():
    draw = np.random.default_rng(2)
    labels = draw.integers(0, 2, (30, 4)).astype(float)
    logits = np.where(labels > 0, 2.0, -2.0)
    logits[0, 1] *= -1
    logits[1] *= -1
    ours = scores(NicheInFront(), logits, labels)
    expected = accuracy_score(labels.ravel(), (logits > 0).ravel())
    assert ours["binary_accuracy"] == pytest.approx(expected)
    assert ours["strict_score"] == pytest.approx(28 / 30)


@pytest.mark.parametrize(
    ("y", "labels"),
    [(0.2, [1, 0, 0, 0]), (0.27, [1, 1, 0, 0]), (0.5, [0, 1, 1, 0]), (0.8, [0, 0, 0, 1])],
)
def test_a_niche_is_in_front_of_each_source_that_its_disc_is_level_with(y, labels):
    assert NicheInFront().target(niche(0.5, y, 2.0)).tolist() == labels


def test_places_are_scaled_to_the_training_splits_mean_and_deviation():
    seen = [niche(0.2, 0.3, 1.0), niche(0.4, 0.3, 5.0)]
    offset, unit = NichePlace().scale(seen, STATS, LAYOUT)
    np.testing.assert_allclose(offset, [0.3, 0.3, 3.0], rtol=1e-6)
    np.testing.assert_allclose(unit, [0.1, 1.0, 2.0], rtol=1e-6)


def test_maps_without_a_niche_are_refused(tmp_path):
    data = DataSet(make_data(tmp_path / "set"))
    with pytest.raises(InputError, match="sample 0 is of family 'waves', expected maps of"):
        NichePlace().target(StoredTruth(data, 0))


@pytest.mark.parametrize("objective", [WholeMap(), NichePlace(), NicheInFront()])
def test_an_objective_says_what_its_scores_are_and_which_one_leads(objective):
    given = (
        torch.rand(5, 4, 4) if objective.is_map else torch.rand(5, *objective.scale_shape(LAYOUT))
    )
    target = (given.double() + 0.3 * torch.rand(given.shape)).round(decimals=1)
    names = list(objective.scores(objective.sums(given.double(), target).numpy()))
    assert names == list(objective.meaning)
    assert objective.leading in names
    assert objective.leading in objective.published
