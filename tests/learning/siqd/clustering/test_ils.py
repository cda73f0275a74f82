"""The clusterer: scikit-learn's rules, scipy's peaks, clusters that are plain to see."""

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.pyplot import close
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks_cwt
from scipy.spatial.distance import cdist
from sklearn.datasets import make_blobs, make_circles
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from opalux.base.errors import InputError
from opalux.learning.siqd.clustering import ils
from opalux.learning.siqd.clustering.ils import IterativeLabelSpreading
from opalux.learning.siqd.clustering.jumps import find_cuts
from opalux.learning.siqd.clustering.published_rule import inner_peaks, wavelet_peaks
from opalux.learning.siqd.clustering.stability import stability
from opalux.learning.siqd.clustering.width import count_of


@parametrize_with_checks([IterativeLabelSpreading(), IterativeLabelSpreading(method="published")])
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
    model = IterativeLabelSpreading().fit(points)
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


def test_published_rule_cuts_at_the_peaks_of_the_smoothed_curve():
    points, _ = make_blobs(300, centers=[[0, 0], [8, 0], [0, 8]], random_state=0)
    model = IterativeLabelSpreading(p=15, method="published").fit(points)
    assert np.array_equal(model.smoothed_, gaussian_filter1d(model.r_min_, 15))
    assert model.n_clusters_ == 3
    assert len(model.peaks_) == 2
    assert (np.diff([0, *model.peaks_, 299]) > 15).all()


def test_published_rule_keeps_a_peak_up_to_the_width_from_the_end():
    """The reference keeps i < m - p; peaks of random curves reach this limit."""
    rng = np.random.default_rng(0)
    at_limit = 0
    for _ in range(300):
        curve = gaussian_filter1d(rng.gamma(2.0, size=60), 3)
        peaks, inner = find_peaks_cwt(curve, [3]), inner_peaks(curve, 3)
        assert inner.tolist() == [i for i in peaks if 3 < i < 60 - 3]
        at_limit += 56 in inner
    assert at_limit > 5


def test_published_rule_finds_classes_of_one_point_unless_a_least_size_is_given():
    points = np.random.default_rng(1).random((300, 6))
    plain = IterativeLabelSpreading(p=8, method="published").fit(points)
    sizes = np.bincount(plain.labels_)
    assert sizes.min() < 8
    merged = IterativeLabelSpreading(p=8, method="published", least=8).fit(points)
    assert 1 <= merged.n_clusters_ < plain.n_clusters_
    assert merged.n_clusters_ == 1 or np.bincount(merged.labels_).min() >= 8
    assert len(merged.peaks_) == merged.n_clusters_ - 1


@pytest.mark.parametrize("seed", range(3))
def test_blobs_are_found_among_many_points(seed):
    centres = 8.0 * np.array([[0, 0], [1, 0], [0, 1], [1, 1], [2, 0.5]])
    points, truth = make_blobs(5000, centers=centres, random_state=seed)
    labels = IterativeLabelSpreading().fit(points).labels_
    assert adjusted_rand_score(truth, labels) > 0.99


def test_no_cluster_is_found_in_points_without_any():
    found = [
        IterativeLabelSpreading().fit(np.random.default_rng(seed).random((500, d))).n_clusters_
        for d in (2, 3, 6)
        for seed in range(5)
    ]
    assert found.count(1) >= 13


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 150),
    p=st.integers(1, 40),
    d=st.integers(1, 4),
    digits=st.integers(0, 3),
)
def test_no_cluster_is_smaller_than_p(seed, n, p, d, digits):
    points = np.round(np.random.default_rng(seed).standard_normal((n, d)), digits)
    model = IterativeLabelSpreading(p=p).fit(points)
    sizes = np.bincount(model.labels_, minlength=model.n_clusters_)
    assert sizes.sum() == n
    assert model.n_clusters_ == 1 or sizes.min() >= p
    assert model.labels_[model.seeds_].tolist() == list(range(model.n_clusters_))
    assert len(model.peaks_) == model.n_clusters_ - 1


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), power=st.integers(-40, 40))
def test_units_do_not_matter(seed, power):
    points, _ = make_blobs(120, centers=3, n_features=3, random_state=seed)
    labels = IterativeLabelSpreading().fit(points).labels_
    assert np.array_equal(IterativeLabelSpreading().fit(points * 2.0**power).labels_, labels)


def test_order_of_rows_only_renames_clusters():
    points, _ = make_blobs(400, centers=4, cluster_std=0.5, random_state=4)
    rows = np.random.default_rng(5).permutation(400)
    labels = IterativeLabelSpreading().fit(points).labels_
    shuffled = IterativeLabelSpreading().fit(points[rows]).labels_
    assert adjusted_rand_score(labels[rows], shuffled) == 1.0


def test_prediction_gives_fitted_points_their_label_and_others_that_of_the_nearest():
    points, truth = make_blobs(300, centers=[[0, 0], [8, 0], [0, 8]], random_state=0)
    for metric in ("euclidean", "cityblock"):
        model = IterativeLabelSpreading(p=15, metric=metric).fit(points)
        assert np.array_equal(model.predict(points), model.labels_)
        assert model.predict([[8.1, 0.2]]) == model.labels_[truth == 1][0]
    distances = cdist(points, points)
    model = IterativeLabelSpreading(p=15, metric="precomputed").fit(distances)
    assert np.array_equal(model.predict(distances), model.labels_)


def test_distances_that_are_none_are_refused():
    points = np.random.default_rng(0).random((30, 2))
    with pytest.raises(InputError, match="no matrix of distances"):
        IterativeLabelSpreading(metric="precomputed").fit(points)
    with pytest.raises(InputError, match="found metric 'euklid'"):
        IterativeLabelSpreading(metric="euklid").fit(points)
    with pytest.raises(InputError, match="found method 'tree'"):
        IterativeLabelSpreading(method="tree").fit(points)


def test_cuts_have_to_beat_chance_in_many_dimensions():
    """Normal points in 10 dimensions have an outskirt of long edges, which looks like a gap."""
    found, tempted = 0, 0
    for seed in range(12):
        points = np.random.default_rng(seed).normal(size=(300, 10))
        model = IterativeLabelSpreading().fit(points)
        tempted += bool(find_cuts(model.r_min_, 15))
        found += model.n_clusters_ > 1
    assert tempted >= 4
    assert found <= 1
    labels = np.arange(300) % 3
    apart = points + 12 * np.eye(10)[labels]
    assert adjusted_rand_score(labels, IterativeLabelSpreading().fit_predict(apart)) > 0.99


def test_clear_clusters_are_stable_over_starts_and_chance_ones_are_not():
    clear, _ = make_blobs(300, centers=[[0, 0], [8, 0], [0, 8]], random_state=0)
    found = stability(IterativeLabelSpreading().fit(clear), most_starts=8)
    assert len(found.starts) == 8
    assert (found.agreement == 1.0).all()
    assert found.smallest.min() >= 15
    noise = np.random.default_rng(0).random((300, 6))
    published = IterativeLabelSpreading(p=8, method="published").fit(noise)
    assert stability(published, most_starts=8).agreement.min() < 0.9


@pytest.mark.parametrize("method", ["jumps", "published"])
def test_another_start_along_the_tree_is_a_new_fit(method):
    points, _ = make_blobs(300, centers=4, n_features=3, random_state=12)
    model = IterativeLabelSpreading(p=15, method=method).fit(points)
    for start in (0, 150, 299):
        fresh = IterativeLabelSpreading(p=15, method=method, start=start).fit(points)
        again = model.from_start(start)
        assert np.array_equal(again.order_, fresh.order_)
        assert np.array_equal(again.labels_, fresh.labels_)
        assert np.array_equal(again.peaks_, fresh.peaks_)


def test_the_curve_can_be_drawn():
    points, _ = make_blobs(300, centers=[[0, 0], [8, 0], [0, 8]], random_state=0)
    axes = IterativeLabelSpreading().fit(points).plot()
    assert len(axes.collections) == 3
    assert len(IterativeLabelSpreading(seeds=[0, 9]).fit(points).plot(axes).collections) == 5
    close(axes.figure)


@pytest.mark.parametrize("p", [0, -1, 1.5, True, "15", float("nan")])
def test_a_width_that_is_neither_count_nor_share_is_refused(p):
    with pytest.raises(InputError, match="found p ="):
        count_of(p, 100)


@pytest.mark.slow
@pytest.mark.parametrize("d", [2, 6])
def test_a_hundred_thousand_points_give_the_tree_of_the_dense_loops(d):
    points = np.random.default_rng(d).standard_normal((100_000, d))
    fast = IterativeLabelSpreading(algorithm="tree").fit(points)
    plain = IterativeLabelSpreading(algorithm="dense").fit(points)
    assert np.array_equal(fast.order_, plain.order_)
    assert np.array_equal(fast.labels_, plain.labels_)


def test_values_whose_distances_overflow_are_refused_at_once():
    points = np.random.default_rng(0).normal(size=(50, 2))
    points[7, 1] = 1e300  # what some tables hold for "missing"
    with pytest.raises(InputError, match=r"column 1 that lie 1e\+300 apart"):
        IterativeLabelSpreading(p=5).fit(points)
