"""Answers come from the numbers: on noise, on a planted answer, on a confounded one."""

import numpy as np
import pytest

from opalux.learning.siqd.study.interval import Interval, chance, place
from opalux.learning.siqd.study.networks import other_model
from opalux.learning.siqd.study.preparation import prepare
from opalux.learning.siqd.study.repeats import groups_of, repeat
from opalux.learning.siqd.study.settings import NetworkSettings, StudySettings
from opalux.learning.siqd.study.study import make_tasks, run_study
from opalux.learning.siqd.study.subject import Subject
from opalux.learning.siqd.study.verdicts import judge, verdicts
from opalux.learning.siqd.tables.table import Table

NAMES = ("a", "b", "c", "d")
SMALL = NetworkSettings(activation="tanh", layers=(6,), alpha=0.01, max_iter=150)
SUBJECT = Subject(features=NAMES, property="y", quantiles=3)


def table(features, values):
    columns = dict(zip(NAMES, features.T, strict=True)) | {"y": values}
    names = tuple(str(i) for i in range(len(values)))
    return Table(origin="test", names=names, columns=columns)


def answers(features, values, **changes):
    """Answer the questions with few repetitions; return them and their reasons by question."""
    settings = StudySettings.model_construct(
        **{
            **StudySettings(subject=SUBJECT, data={"example": "iris"}).__dict__,
            "repeats": 6,
            "nulls": 6,
            "networks": dict.fromkeys(("classes", "clusters", "property"), SMALL),
            "folds": 3,
            "shifts": 3,
            "curve_sizes": 2,
            "other_p": (9,),
            "models": (),
            "clusterers": (),
            **changes,
        }
    )
    found = verdicts(run_study(table(features, values), settings, lambda _: None))
    return {verdict.key: verdict.answer for verdict in found}, {v.key: v.reason for v in found}


def noise(seed):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((150, 4)), rng.standard_normal(150)


def three_blobs(seed):
    rng = np.random.default_rng(seed)
    centres = 12.0 * np.eye(4)[:3]
    member = np.repeat(np.arange(3), 50)
    return centres[member] + rng.standard_normal((150, 4)), member, rng


@pytest.mark.parametrize(("seed", "method"), [(0, "published"), (1, "jumps")])
def test_nothing_is_found_in_noise(seed, method):
    found, reasons = answers(*noise(seed), method=method)
    assert "yes" not in found.values(), reasons
    assert found["property_can_be_computed"] == "no"
    assert "because" not in " ".join(reasons.values())


def test_planted_classes_are_found():
    features, member, rng = three_blobs(2)
    found, reasons = answers(features, 10.0 * member + rng.standard_normal(150))
    assert set(found.values()) == {"yes"}, reasons


def test_scaled_and_permuted_copies_have_the_same_answers():
    features, member, rng = three_blobs(2)
    values = 10.0 * member + rng.standard_normal(150)
    rows = rng.permutation(150)
    found, reasons = answers(1e3 * features[rows][:, ::-1] - 7.0, 0.01 * values[rows] + 5.0)
    assert set(found.values()) == {"yes"}, reasons


def test_classes_that_one_feature_cuts_are_no_separate_ones():
    """A continuous feature gives the property; the structure classes are those of others."""
    rng = np.random.default_rng(4)
    size = rng.random(150)
    member = rng.integers(0, 2, 150)
    shape = 8.0 * member[:, None] + rng.standard_normal((150, 3))
    found, reasons = answers(
        np.column_stack([size, shape]), 100.0 * size + rng.standard_normal(150)
    )
    assert found == {
        "structure_classes_are_separate": "yes",
        "structure_classes_are_pure": "no",
        "property_classes_are_separate": "no",
        "property_classes_can_be_predicted": "yes",
        "property_can_be_computed": "yes",
    }, reasons
    assert "because the features predict y itself" in reasons["property_classes_are_separate"]
    assert "that of a" in reasons["property_can_be_computed"]


def test_an_interval_across_the_limit_decides_nothing():
    assert (
        judge(Interval(low=0.2, middle=0.4, high=0.6), 0.5, beyond_chance=True) == "cannot be told"
    )
    assert judge(Interval(low=0.5, middle=0.6, high=0.7), 0.5, beyond_chance=True) == "yes"
    assert judge(Interval(low=0.5, middle=0.6, high=0.7), 0.5, beyond_chance=False) == "no"
    assert judge(Interval(low=0.1, middle=0.2, high=0.4), 0.5, beyond_chance=True) == "no"


def test_places_and_chances_count_ties_by_half_and_the_value_itself():
    values = np.array([0.1, 0.2, 0.2, 0.3])
    assert place(0.2, values) == 0.5
    assert place(1.0, values) == 1.0
    assert chance(0.25, values) == pytest.approx(2 / 5)


def test_parts_of_a_whole_are_permuted_together():
    assert groups_of(("a", "b", "c", "d"), (("b", "d"),)) == {"a": [0], "b, d": [1, 3], "c": [2]}


def test_importance_is_that_of_the_feature_that_matters():
    features, _ = noise(5)
    prepared = prepare(table(features, 3.0 * features[:, 2]), SUBJECT)
    task = make_tasks(
        prepared,
        np.zeros(150, dtype=int),
        StudySettings(subject=SUBJECT, data={"example": "iris"}),
    )["property"]
    groups = groups_of(NAMES, ())
    found = repeat(task, other_model("linear", task), groups, repeats=5, nulls=9)
    leader, share = found.leading
    assert leader == "c"
    assert share == pytest.approx(1.0)
    assert found.score.low == pytest.approx(1.0)
    assert found.above_chance == 1.0
    assert found.null.max() < 0.3
