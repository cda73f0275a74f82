"""Features, classes, models and conclusions: on the shipped set where the claim is about it."""

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.linear_model import LinearRegression, LogisticRegression

from opalux.base.errors import InputError
from opalux.learning.siqd.clustering.ils import IterativeLabelSpreading
from opalux.learning.siqd.dots.settings import TableSettings
from opalux.learning.siqd.dots.table import read_table
from opalux.learning.siqd.study.bands import BANDS, bands
from opalux.learning.siqd.study.classify import Task, assess, learn
from opalux.learning.siqd.study.conclusions import purity
from opalux.learning.siqd.study.networks import network
from opalux.learning.siqd.study.preparation import correlations, drops, prepare
from opalux.learning.siqd.study.published import NETWORKS
from opalux.learning.siqd.study.settings import PreparationSettings, Space
from opalux.learning.siqd.study.study import make_tasks
from opalux.learning.siqd.study.trials import LEAST, run_trials, winner


@pytest.fixture(scope="module")
def prepared():
    return prepare(read_table(TableSettings()), PreparationSettings())


@pytest.fixture(scope="module")
def tasks(prepared):
    labels = IterativeLabelSpreading(p=15, method="published").fit(prepared.features).labels_
    return make_tasks(prepared, labels, seed=42)


def test_a_limit_opens_its_band():
    limits = np.array([400.0, 450.0, 495.0, 570.0, 590.0, 620.0])
    assert bands(limits).tolist() == list(range(6))
    assert bands(np.nextafter(limits[1:], 0)).tolist() == list(range(5))


def test_prepared_features_run_from_zero_to_one(prepared):
    assert prepared.features.min(axis=0) == pytest.approx(np.zeros(6), abs=1e-12)
    assert prepared.features.max(axis=0) == pytest.approx(np.ones(6))
    assert prepared.wavelength.min() >= 400.0 > prepared.left_out.wavelength.max()


def test_scaling_may_see_the_dots_left_out():
    table = read_table(TableSettings())
    before = prepare(table, PreparationSettings(scale_before_cut=True))
    assert before.features[:, 0].min() > 0.1


def test_too_few_dots_are_refused():
    with pytest.raises(InputError, match="expected at least 50"):
        prepare(read_table(TableSettings()), PreparationSettings(shortest=670.0))


def test_dropped_columns_say_what_a_feature_says():
    found = {drop.name: drop for drop in drops(correlations(read_table(TableSettings())))}
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
    task = Task(name="bands", features=np.zeros((61, 2)), target=target, classes=("a", "b", "c"))
    train, test = task.split()
    assert len(train) + len(test) == 61
    assert len(task.folds(10, np.arange(61))) == 10


def test_a_perfect_classifier_is_assessed_as_perfect():
    target = np.repeat([0, 1, 2], 30)
    features = np.eye(3)[target] + 0.01 * np.random.default_rng(0).standard_normal((90, 3))
    task = Task(name="bands", features=features, target=target, classes=("a", "b", "c"))
    found = assess(task, LogisticRegression(), folds=5)
    assert (found.train, found.test, found.fold_scores.mean()) == (1.0, 1.0, 1.0)
    assert np.array_equal(found.confusion, np.diag([30, 30, 30]))
    assert [scores.f1 for scores in found.class_scores] == [1.0, 1.0, 1.0]
    assert sum(scores.tested for scores in found.class_scores) == 18


def test_fold_scores_are_those_of_scikit_learn(tasks):
    from sklearn.model_selection import cross_val_score

    task = tasks["wavelength"]
    parts = task.folds(5, np.arange(len(task.target)))
    expected = cross_val_score(LinearRegression(), task.features, task.target, cv=parts)
    assert assess(task, LinearRegression(), folds=5).fold_scores == pytest.approx(expected)


def test_learning_curve_ends_with_four_fifths_of_the_dots(tasks):
    curve = learn(tasks["wavelength"], LinearRegression(), sizes=3)
    assert curve.sizes[-1] == int(0.8 * len(tasks["wavelength"].target))
    assert curve.validation.shape == (3, 5)


def test_published_regressor_is_nearly_exact_on_the_shipped_set(tasks):
    model = network("wavelength", NETWORKS["wavelength"].parameters)
    found = assess(tasks["wavelength"], model)
    assert found.fold_scores.mean() > 0.99
    assert found.test > 0.99


def test_published_band_network_tells_the_bands_of_the_shipped_set(tasks):
    model = network("bands", NETWORKS["bands"].parameters)
    assert assess(tasks["bands"], model).fold_scores.mean() > 0.9


def test_clusters_that_are_bands_are_pure_and_random_ones_are_not(prepared):
    same = purity(bands(prepared.wavelength), prepared.wavelength)
    assert same.overall == 1.0
    assert same.mutual_information == pytest.approx(1.0)
    random = np.random.default_rng(0).integers(0, 4, len(prepared.wavelength))
    mixed = purity(random, prepared.wavelength)
    assert abs(mixed.mutual_information) < 0.05
    assert mixed.overall == pytest.approx(mixed.by_chance, abs=0.03)
    assert mixed.table.sum() == len(prepared.wavelength)
    assert mixed.table.shape == (4, len(BANDS))


def test_one_structure_class_is_refused(prepared):
    with pytest.raises(InputError, match="found one structure class"):
        make_tasks(prepared, np.zeros(len(prepared.wavelength), dtype=int), 42)


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
    task = tasks["bands"]
    raced = run_trials(task, SPACE, range(14), LEAST)
    alone = [run_trials(task, SPACE, [number], LEAST)[0] for number in range(14)]
    assert all(trial.complete for trial in alone)
    assert not all(trial.complete for trial in raced)
    assert winner(raced).number == winner(alone).number
    assert winner(raced).mean == winner(alone).mean


def test_the_winner_is_that_of_scikit_learn(tasks):
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import RandomizedSearchCV

    task = tasks["bands"]
    train, _ = task.split()
    drawn = [SPACE.draw(number) for number in range(6)]
    search = RandomizedSearchCV(
        network("bands", {}),
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
    red = prepare(read_table(TableSettings()), PreparationSettings(shortest=620.0))
    with pytest.raises(InputError, match="found dots of one colour band, red"):
        make_tasks(red, np.arange(len(red.wavelength)) % 2, 42)


def test_dots_beyond_the_red_are_left_out():
    short = prepare(read_table(TableSettings()), PreparationSettings(longest=650.0))
    assert short.wavelength.max() < 650.0 < short.left_out.wavelength.max()
