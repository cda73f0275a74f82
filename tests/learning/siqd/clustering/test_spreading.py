"""Label spreading: exactly the reference, ties included, whichever way neighbours are found."""

import numpy as np
import pytest
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist

from opalux.base.errors import InputError
from opalux.learning.siqd.clustering.spanning_tree import forest_labels
from opalux.learning.siqd.clustering.spreading import spread_labels
from tests.learning.siqd.clustering.literal_ils import literal_spread


def random_set(case):
    """Points and seeds: on coarse grids, full of ties and duplicates, or in general position."""
    rng = np.random.default_rng(case)
    n, d = int(rng.integers(2, 26)), int(rng.integers(1, 5))
    levels = int(rng.integers(2, 6))
    points = rng.integers(0, levels, (n, d)).astype(float)
    if case % 4 == 0:
        points = rng.standard_normal((n, d))
    seeds = rng.choice(n, size=int(rng.integers(1, min(n, 4) + 1)), replace=False)
    return points, seeds


@pytest.mark.parametrize("algorithm", ["dense", "tree"])
def test_spreading_is_the_literal_reference_on_240_sets_with_ties(algorithm):
    tied = 0
    for case in range(240):
        points, seeds = random_set(case)
        expected = literal_spread(points, seeds.tolist())
        run = spread_labels(points, seeds, algorithm=algorithm)
        k = len(seeds)
        found = list(zip(run.order[k:], run.source[k:], strict=True))
        assert found == [(row, source) for row, source, _ in expected], f"case {case}"
        assert np.allclose(run.r_min**2, [float(step[2]) for step in expected], rtol=1e-12)
        tied += len({step[2] for step in expected}) < len(expected)
    assert tied > 120


@pytest.mark.parametrize("d", [1, 2, 6])
def test_tree_and_dense_agree_on_a_larger_set(d):
    rng = np.random.default_rng(d)
    points = np.round(rng.standard_normal((3000, d)), 1 if d < 6 else 8)
    seeds = np.array([5, 17, 2999])
    tree, dense = (
        spread_labels(points, seeds, algorithm=algorithm) for algorithm in ("tree", "dense")
    )
    assert np.array_equal(tree.order, dense.order)
    assert np.array_equal(tree.source, dense.source)
    assert np.array_equal(tree.distance, dense.distance)


def test_one_seed_walks_a_minimum_spanning_tree():
    points = np.random.default_rng(7).standard_normal((400, 3))
    run = spread_labels(points, np.array([0]))
    tree = minimum_spanning_tree(cdist(points, points))
    assert run.r_min.sum() == pytest.approx(tree.sum())


def test_several_seeds_cut_the_spanning_tree_between_them():
    """Kruskal's algorithm, refusing to join two parts that both hold a seed."""
    points = np.random.default_rng(8).standard_normal((300, 2))
    seeds = np.array([3, 50, 120, 280])
    label = np.arange(300)
    seeded = set(seeds.tolist())
    tree = minimum_spanning_tree(cdist(points, points)).tocoo()
    for edge in np.argsort(tree.data):
        a, b = label[tree.row[edge]], label[tree.col[edge]]
        if a in seeded and b in seeded:
            continue
        keep, drop = (b, a) if b in seeded else (a, b)
        label[label == drop] = keep
    assert np.array_equal(spread_labels(points, seeds).labels(seeds), label)


@pytest.mark.parametrize("seeds", [[], [-1], [4], [1, 1], [1.5]])
def test_seeds_that_are_not_distinct_rows_are_refused(seeds):
    with pytest.raises(InputError, match="found seed rows"):
        spread_labels(np.zeros((4, 2)), np.array(seeds))


def test_all_points_may_be_seeds():
    run = spread_labels(np.eye(3), np.array([2, 0, 1]))
    assert run.order.tolist() == [0, 1, 2]
    assert len(run.r_min) == 0


def test_identical_points_are_labelled_in_order_of_rows():
    assert spread_labels(np.ones((50, 2)), np.array([20]), algorithm="tree").order.tolist() == [
        20,
        *range(20),
        *range(21, 50),
    ]


@pytest.mark.parametrize("seeds", [[7], [3, 90, 41]])
def test_any_metric_spreads_in_the_same_way(seeds):
    points = np.random.default_rng(9).standard_normal((200, 3))
    plain = spread_labels(points, np.array(seeds))
    given = spread_labels(cdist(points, points), np.array(seeds), metric="precomputed")
    named = spread_labels(points, np.array(seeds), metric="minkowski")  # of exponent 2
    for run in (given, named):
        assert np.array_equal(run.order, plain.order)
        assert np.array_equal(run.source, plain.source)
        assert np.allclose(run.distance, plain.distance)


def test_tiny_points_spread_like_large_ones():
    points = np.random.default_rng(10).standard_normal((300, 2))
    plain = spread_labels(points, np.array([0]))
    tiny = spread_labels(points * 2.0**-700, np.array([0]))
    assert np.array_equal(tiny.order, plain.order)
    assert np.array_equal(tiny.distance, plain.distance * 2.0**-700)


def test_the_forest_of_the_walk_has_the_labels_of_a_second_run():
    points = np.random.default_rng(11).standard_normal((500, 3))
    walk = spread_labels(points, np.array([0]))
    shortest = np.argsort(walk.r_min, kind="stable")
    seeds = np.array([400, 2, 77, 310])
    labels = forest_labels(walk.order[1:][shortest], walk.source[1:][shortest], seeds)
    assert np.array_equal(labels, spread_labels(points, seeds).labels(np.argsort(seeds)))
