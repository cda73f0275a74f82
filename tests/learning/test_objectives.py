"""Scores are the textbook's, whichever way the samples are shared out."""

import json

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, mean_absolute_error, r2_score

from opalux.base.errors import InputError
from opalux.learning.data.data_set import DataSet
from opalux.learning.networks.objectives import Density, NicheInFront, NichePlace
from tests.learning.made_data import make_data


class Niches(DataSet):
    """A data set of one niche a map, given by its numbers alone."""

    def __init__(self, niches):
        self.niches = niches

    def drawn(self, position):
        x, y, height = self.niches[position]
        return json.loads(json.dumps({"x": x, "y": y, "height": height}))

    def sources(self, position):
        return np.array([[0.1, 0.3], [0.3, 0.5], [0.5, 0.7], [0.7, 0.9]])


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
    ours = scores(Density(), found, truth)
    each = [r2_score(t.ravel(), f.ravel()) for t, f in zip(truth, found, strict=True)]
    assert ours["r2_pooled"] == pytest.approx(r2_score(truth.ravel(), found.ravel()))
    assert ours["r2_mean"] == pytest.approx(np.mean(each))
    assert ours["mae"] == pytest.approx(mean_absolute_error(truth.ravel(), found.ravel()))


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
    data = Niches([(0.5, y, 2.0)])
    assert NicheInFront().target(data, 0).tolist() == labels


def test_places_are_scaled_to_the_training_splits_mean_and_deviation():
    data = Niches([(0.2, 0.3, 1.0), (0.4, 0.3, 5.0), (9.0, 9.0, 9.0)])
    offset, unit = NichePlace().scale(data, np.array([0, 1]))
    np.testing.assert_allclose(offset, [0.3, 0.3, 3.0], rtol=1e-6)
    np.testing.assert_allclose(unit, [0.1, 1.0, 2.0], rtol=1e-6)


def test_maps_without_a_niche_are_refused(tmp_path):
    data = DataSet(make_data(tmp_path / "set"))
    with pytest.raises(InputError, match="expected maps of one niche"):
        NichePlace().target(data, 0)
