"""Features, classes, models and conclusions: on the shipped set where the claim is about it."""

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.linear_model import LinearRegression, LogisticRegression

from opalux.base.errors import InputError
from opalux.learning.siqd.clustering.ils import IterativeLabelSpreading
from opalux.learning.siqd.dots.settings import TableSettings
from opalux.learning.siqd.dots.table import read_table
from opalux.learning.siqd.study.classify import Task, assess, learn
from opalux.learning.siqd.study.networks import network
from opalux.learning.siqd.study.preparation import correlations, drops, prepare
from opalux.learning.siqd.study.property_classes import classes_of
from opalux.learning.siqd.study.published import NETWORKS
from opalux.learning.siqd.study.separation import purity
from opalux.learning.siqd.study.settings import Space, StudySettings
from opalux.learning.siqd.study.silicon import BANDS, dots
from opalux.learning.siqd.study.study import make_tasks
from opalux.learning.siqd.study.subject import Subject
from opalux.learning.siqd.study.trials import LEAST, run_trials, winner


@pytest.fixture(scope="module")
def prepared():
    return prepare(read_table(TableSettings()), dots(400.0, 750.0), scale_before_cut=False)


@pytest.fixture(scope="module")
def tasks(prepared):
    labels = IterativeLabelSpreading(p=15, method="published").fit(prepared.features).labels_
    return make_tasks(prepared, labels, StudySettings())


def classes_task(features, target):
    names = ("a", "b", "c")
    return Task(name="bands", role="classes", features=features, target=target, classes=names)


def test_a_limit_opens_its_band():
    limits = np.array([400.0, 450.0, 495.0, 570.0, 590.0, 620.0])
    colours = classes_of(dots(400.0, 750.0), limits, "here")
    assert colours.names == BANDS
    assert colours.of(limits).tolist() == list(range(6))
    assert colours.of(np.nextafter(limits[1:], 0)).tolist() == list(range(5))


@pytest.mark.parametrize(
    ("shortest", "longest", "names"),
    [
        (300.0, 750.0, ("ultraviolet", *BANDS)),
        (400.0, 800.0, (*BANDS, "infrared")),
        (460.0, 500.0, ("blue", "green")),
        (620.0, 750.0, ("red",)),
        (0.0, 390.0, ("ultraviolet",)),
    ],
)
def test_light_beyond_the_colours_is_not_called_by_one(shortest, longest, names):
    subject = dots(shortest, longest)
    assert subject.classes == names
    assert subject.limits is not None
    assert (subject.limits[0], subject.limits[-1]) == (shortest, longest)


def test_quantiles_are_classes_of_equal_size():
    subject = Subject(features=("a", "b"), property="c", quantiles=5)
    values = np.random.default_rng(0).standard_normal(100)
    found = classes_of(subject, values, "here")
    assert np.bincount(found.of(values)).tolist() == [20] * 5
    with pytest.raises(InputError, match="equal quantiles of c"):
        classes_of(subject, np.repeat([0.0, 1.0], 50), "here")


def test_prepared_features_run_from_zero_to_one(prepared):
    assert prepared.features.min(axis=0) == pytest.approx(np.zeros(6), abs=1e-12)
    assert prepared.features.max(axis=0) == pytest.approx(np.ones(6))
    assert prepared.values.min() >= 400.0 > prepared.left_out.columns["wavelength"].max()


def test_scaling_may_see_the_dots_left_out():
    table = read_table(TableSettings())
    before = prepare(table, dots(400.0, 750.0), scale_before_cut=True)
    assert before.features[:, 0].min() > 0.1


def test_too_few_dots_are_refused():
    with pytest.raises(InputError, match="expected at least 50"):
        prepare(read_table(TableSettings()), dots(670.0, 750.0))


def test_dropped_columns_say_what_a_feature_says():
    subject = dots(400.0, 750.0)
    found = {
        drop.name: drop
        for drop in drops(correlations(read_table(TableSettings()), subject), subject)
    }
    assert found["n_coord"].partner == "hsi_ratio"
    assert found["n_coord"].correlation == pytest.approx(-1.0)
    for name in ("silicon", "hydrogen"):
        assert found[name].partner == "diameter"
        assert found[name].correlation > 0.9


def test_split_and_folds_share_out_every_dot_once(tasks):
    for task in tasks.values():
        train, test = task.split()
        everyone = np.arange(len(task.target))
        assert np.array_equal(np.sort(np.concatenate([train, test])), everyone)
        held_out = np.concatenate([part for _, part in task.folds(10, everyone)])
        assert np.array_equal(np.sort(held_out), everyone)


def test_a_class_of_one_dot_does_not_stop_the_split():
    target = np.array([0] * 30 + [1] * 30 + [2])
    task = classes_task(np.zeros((61, 2)), target)
    train, test = task.split()
    assert len(train) + len(test) == 61
    assert len(task.folds(10, np.arange(61))) == 10


def test_a_perfect_classifier_is_assessed_as_perfect():
    target = np.repeat([0, 1, 2], 30)
    features = np.eye(3)[target] + 0.01 * np.random.default_rng(0).standard_normal((90, 3))
    task = classes_task(features, target)
    found = assess(task, LogisticRegression(), folds=5)
    assert (found.train, found.test, found.fold_scores.mean()) == (1.0, 1.0, 1.0)
    assert np.array_equal(found.confusion, np.diag([30, 30, 30]))
    assert [scores.f1 for scores in found.class_scores] == [1.0, 1.0, 1.0]
    assert sum(scores.tested for scores in found.class_scores) == 18


def test_fold_scores_are_those_of_scikit_learn(tasks):
    from sklearn.model_selection import cross_val_score

    task = tasks["property"]
    parts = task.folds(5, np.arange(len(task.target)))
    expected = cross_val_score(LinearRegression(), task.features, task.target, cv=parts)
    assert assess(task, LinearRegression(), folds=5).fold_scores == pytest.approx(expected)


def test_learning_curve_ends_with_four_fifths_of_the_dots(tasks):
    curve = learn(tasks["property"], LinearRegression(), sizes=3)
    assert curve.sizes[-1] == int(0.8 * len(tasks["property"].target))
    assert curve.validation.shape == (3, 5)


def test_published_regressor_is_nearly_exact_on_the_shipped_set(tasks):
    model = network(tasks["property"], NETWORKS["wavelength"].parameters)
    found = assess(tasks["property"], model)
    assert found.fold_scores.mean() > 0.99
    assert found.test > 0.99


def test_published_band_network_tells_the_bands_of_the_shipped_set(tasks):
    model = network(tasks["classes"], NETWORKS["bands"].parameters)
    assert assess(tasks["classes"], model).fold_scores.mean() > 0.9


def test_clusters_that_are_bands_are_pure_and_random_ones_are_not(prepared):
    labels = prepared.labels
    same = purity(labels, labels[None], labels, len(BANDS))
    assert same.overall == 1.0
    assert same.mutual_information.low == pytest.approx(1.0)
    random = np.random.default_rng(0).integers(0, 4, len(labels))
    mixed = purity(random, random[None], labels, len(BANDS))
    assert mixed.mutual_information.low < mixed.null.max()
    assert mixed.mutual_information.high < 0.1
    assert mixed.overall == pytest.approx(mixed.by_chance, abs=0.03)
    assert mixed.table.sum() == len(labels)
    assert mixed.table.shape == (4, len(BANDS))


def test_one_structure_class_leaves_nothing_to_learn_of_it(prepared):
    one = make_tasks(prepared, np.zeros(len(prepared.values), dtype=int), StudySettings())
    assert set(one) == {"classes", "property"}


SPACE = Space(folds=3, max_iter=(20, 40))


def test_a_trial_is_drawn_from_its_number_alone():
    assert SPACE.draw(7) == SPACE.draw(7)
    assert SPACE.draw(7) != SPACE.draw(8)
    for number in range(50):
        drawn = SPACE.draw(number)
        assert 1 <= len(drawn["hidden_layer_sizes"]) <= 3
        assert all(2 <= width <= 10 for width in drawn["hidden_layer_sizes"])
        assert 1e-4 <= drawn["alpha"] <= 10.0


def test_giving_up_hopeless_trials_does_not_change_the_winner(tasks):
    task = tasks["classes"]
    raced = run_trials(task, SPACE, range(14), LEAST)
    alone = [run_trials(task, SPACE, [number], LEAST)[0] for number in range(14)]
    assert all(trial.complete for trial in alone)
    assert not all(trial.complete for trial in raced)
    assert winner(raced).number == winner(alone).number
    assert winner(raced).mean == winner(alone).mean


def test_the_winner_is_that_of_scikit_learn(tasks):
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import RandomizedSearchCV

    task = tasks["classes"]
    train, _ = task.split()
    drawn = [SPACE.draw(number) for number in range(6)]
    search = RandomizedSearchCV(
        network(task, {}),
        [{key: [value] for key, value in one.items()} for one in drawn],
        n_iter=6,
        cv=task.folds(SPACE.folds, train),
        refit=False,
    )
    with pytest.warns(ConvergenceWarning):
        search.fit(task.features[train], task.target[train])
    best = winner(run_trials(task, SPACE, range(6), LEAST))
    assert search.best_score_ == pytest.approx(best.mean)


@pytest.mark.parametrize(
    "wrong", [{"width": (9, 2)}, {"activations": ("sine",)}, {"alpha": (0.0, 1.0)}]
)
def test_a_space_that_cannot_be_drawn_from_is_refused(wrong):
    with pytest.raises(ValidationError):
        Space(**wrong)


def test_one_colour_is_refused():
    red = prepare(read_table(TableSettings()), dots(620.0, 750.0))
    with pytest.raises(InputError, match="found dots of one class of wavelength, red"):
        make_tasks(red, np.arange(len(red.values)) % 2, StudySettings())


def test_dots_beyond_the_red_are_left_out():
    short = prepare(read_table(TableSettings()), dots(400.0, 650.0))
    assert short.values.max() < 650.0 < short.left_out.columns["wavelength"].max()
