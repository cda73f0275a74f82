"""Comparison of clusterers: the sets are as described, and the methods differ on them."""

import numpy as np
import pytest

from opalux.learning.siqd.clustering.peers import METHODS, cluster, compare, sweep, usual_sets


@pytest.fixture(scope="module")
def sets():
    return {point_set.name: point_set for point_set in usual_sets(300)}


def test_sets_hold_the_points_asked_for(sets):
    assert len(sets) == 7
    for point_set in sets.values():
        assert point_set.points.shape == (300, 2)
        assert len(point_set.truth) == 300
        assert np.allclose(point_set.points.std(axis=0), 1.0)


def test_every_method_finds_blobs_that_are_far_apart(sets):
    found = {o.method: o for o in compare([sets["blobs"]])}
    assert set(found) == set(METHODS)
    for method in set(METHODS) - {"OPTICS"}:
        assert found[method].adjusted_rand > 0.95, method
    assert found["ILS"].n_clusters == 3


def test_single_linkage_fails_on_the_chain_where_label_spreading_does_not(sets):
    found = {o.method: o for o in compare([sets["chain"]])}
    assert found["single linkage"].adjusted_rand < 0.2
    assert found["ILS"].adjusted_rand > 0.8


def test_k_means_fails_on_circles(sets):
    assert cluster("k-means", sets["circles"]).max() == 1
    outcomes = {o.method: o for o in compare([sets["circles"]])}
    assert outcomes["k-means"].adjusted_rand < 0.2


def test_sweep_gives_an_index_for_every_p(sets):
    assert {len(values) for values in sweep([sets["moons"]], (0.05, 0.1)).values()} == {2}
