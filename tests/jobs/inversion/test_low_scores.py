"""A score below that of the mean map stands beside its reason."""

from opalux.jobs.inversion.low_scores import low_scores


def test_a_negative_score_names_its_set_and_what_calibration_gives():
    sets = {
        "held-out maps": {"r2_pooled": 0.9},
        "finer grid": {"r2_pooled": -2.089},
        "finer grid, calibrated": {"r2_pooled": 0.61},
        "other maps": {"r2_pooled": -0.1},
        "classes": {},
    }
    finer, other = low_scores(sets)
    assert finer.startswith("R² -2.089 of “finer grid” is below 0")
    assert "they give 0.610" in finer
    assert other.startswith("R² -0.100 of “other maps”")
    assert "unlike what the network was trained on" in other
