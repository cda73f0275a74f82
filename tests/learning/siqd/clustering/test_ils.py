"""The clusterer: scikit-learn's rules, scipy's peaks, clusters that are plain to see."""

import doctest

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks_cwt
from sklearn.datasets import make_blobs, make_circles
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from opalux.base.errors import InputError
from opalux.learning.siqd.clustering import ils
from opalux.learning.siqd.clustering.ils import IterativeLabelSpreading, wavelet_peaks
from opalux.learning.siqd.clustering.width import count_of


@parametrize_with_checks([IterativeLabelSpreading()])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_the_example_of_the_docstring_is_true():
    assert doctest.testmod(ils) == (0, 3)


def test_peaks_are_those_of_scipy():
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(150):
        width = int(rng.integers(1, 25))
        curve = gaussian_filter1d(rng.gamma(2.0, size=int(rng.integers(3, 500))), width)
        peaks = wavelet_peaks(curve, width)
        assert np.array_equal(peaks, find_peaks_cwt(curve, [width]))
        found += len(peaks)
    assert found > 300


def test_blobs_are_found_without_being_counted():
    points, truth = make_blobs(300, centers=[[0, 0], [8, 0], [0, 8]], random_state=0)
    model = IterativeLabelSpreading(p=15).fit(points)
    assert model.n_clusters_ == 3
    assert adjusted_rand_score(truth, model.labels_) == 1.0


def test_circles_are_found_where_centres_fail():
    points, truth = make_circles(600, factor=0.5, noise=0.02, random_state=1)
    model = IterativeLabelSpreading(p=0.1).fit(points)
    assert adjusted_rand_score(truth, model.labels_) == 1.0


def test_seeded_labels_are_positions_among_the_seeds():
    points, truth = make_blobs(200, centers=[[0, 0], [9, 9]], random_state=2)
    seeds = [int(np.flatnonzero(truth == 1)[0]), int(np.flatnonzero(truth == 0)[0])]
    model = IterativeLabelSpreading(seeds=seeds).fit(points)
    assert np.array_equal(model.labels_, 1 - truth)
    assert model.seeds_.tolist() == seeds


def test_each_seed_bears_its_own_label():
    points, _ = make_blobs(500, centers=6, cluster_std=0.4, random_state=3)
    model = IterativeLabelSpreading(p=12).fit(points)
    assert model.n_clusters_ > 1
    assert model.labels_[model.seeds_].tolist() == list(range(model.n_clusters_))


def test_clusters_are_cut_at_the_peaks_of_the_smoothed_curve():
    points, _ = make_blobs(300, centers=[[0, 0], [8, 0], [0, 8]], random_state=0)
    model = IterativeLabelSpreading(p=15).fit(points)
    assert np.array_equal(model.smoothed_, gaussian_filter1d(model.r_min_, 15))
    assert len(model.peaks_) == model.n_clusters_ - 1
    assert (np.diff([0, *model.peaks_, 299]) > 15).all()


def test_p_as_a_share_is_the_same_as_the_count():
    points, _ = make_blobs(300, centers=3, random_state=5)
    share, count = (IterativeLabelSpreading(p=p).fit(points).labels_ for p in (0.05, 15))
    assert np.array_equal(share, count)


def test_order_of_dimensions_and_shift_do_not_matter():
    points = np.round(np.random.default_rng(6).standard_normal((200, 3)), 3)
    labels = IterativeLabelSpreading(p=8).fit(points).labels_
    assert np.array_equal(IterativeLabelSpreading(p=8).fit(points[:, ::-1] + 4.0).labels_, labels)


@pytest.mark.parametrize("p", [0, -1, 1.5, True, "15", float("nan")])
def test_a_width_that_is_neither_count_nor_share_is_refused(p):
    with pytest.raises(InputError, match="found p ="):
        count_of(p, 100)


@pytest.mark.slow
@pytest.mark.parametrize(("d", "method"), [(2, "tree"), (6, "tree")])
def test_a_hundred_thousand_points_give_the_tree_of_the_dense_loops(d, method):
    points = np.random.default_rng(d).standard_normal((100_000, d))
    fast = IterativeLabelSpreading(p=0.05, method=method).fit(points)
    plain = IterativeLabelSpreading(p=0.05, method="dense").fit(points)
    assert np.array_equal(fast.order_, plain.order_)
    assert np.array_equal(fast.labels_, plain.labels_)


def test_values_whose_distances_overflow_are_refused_at_once():
    points = np.random.default_rng(0).normal(size=(50, 2))
    points[7, 1] = 1e300  # what some tables hold for "missing"
    with pytest.raises(InputError, match=r"column 1 that lie 1e\+300 apart"):
        IterativeLabelSpreading(p=5).fit(points)
