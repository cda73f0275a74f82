"""The maps that a report shows: the best, the median and the worst of those that R² tells apart."""

import numpy as np

from opalux.jobs.inversion.kind import Judged
from opalux.jobs.inversion.map_kind import shown_maps


def judged(truth, predicted):
    families = np.array([f"family {number}" for number in range(len(truth))])
    return Judged(
        numbers={}, scores={}, headline={}, truth=truth, predicted=predicted, families=families
    )


def test_a_nearly_uniform_map_is_not_the_worst_however_low_its_r2():
    rng = np.random.default_rng(0)
    truth = 2 + 0.5 * rng.standard_normal((5, 8, 8)).astype(np.float32)
    truth[1] = 2 + 0.001 * (truth[1] - 2)
    truth[4] = 2.0
    off = np.array([0.3, 0.1, 0.1, 0.2, 0.1], dtype=np.float32)[:, None, None]
    titles, rows = shown_maps(judged(truth, truth + off))
    assert rows == [2, 3, 0]
    assert titles[2].startswith("worst: R² 0.")
    assert titles[2].endswith("family 0")


def test_where_all_are_nearly_uniform_three_are_shown_all_the_same():
    truth = np.full((3, 8, 8), 2.0, dtype=np.float32)
    assert len(shown_maps(judged(truth, truth + 0.1))[1]) == 3
