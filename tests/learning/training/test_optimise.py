"""Learning rates follow the textbook; averaged weights too."""

import pytest
import torch

from opalux.learning.training.optimise import (
    MovingAverage,
    OptimiserSettings,
    learning_rate,
    make_optimiser,
)


def test_one_cycle_is_the_one_of_torch():
    settings = OptimiserSettings(lr=0.01, warm_up=0.3)
    weight = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([weight], lr=1.0)
    # torch counts the rise in steps up to and including the highest; with 0.3 · 110 it is off ours
    # by the one step that it takes away.
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 0.01, total_steps=111, pct_start=34 / 111, final_div_factor=1e4
    )
    for step in range(110):
        expected = optimiser.param_groups[0]["lr"]
        assert learning_rate(settings, step, 110) == pytest.approx(expected, rel=1e-6), step
        optimiser.step()
        schedule.step()


def test_a_cosine_rises_to_the_top_and_ends_near_zero():
    settings = OptimiserSettings(lr=1.0, schedule="cosine", warm_up=0.1)
    rates = [learning_rate(settings, step, 100) for step in range(100)]
    assert max(rates) == rates[10] == 1.0
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 1e-3


def test_decay_spares_biases_and_normalisations():
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    decayed, spared = make_optimiser(model, OptimiserSettings()).param_groups
    assert [p.ndim for p in decayed["params"]] == [4]
    assert spared["weight_decay"] == 0
    assert len(spared["params"]) == 3


def test_the_moving_average_of_constant_weights_is_that_constant_and_lags_a_change():
    model = torch.nn.Linear(1, 1, bias=False)
    average = MovingAverage(model, decay=0.9)
    for step in range(1, 200):
        average.update(model, step)
    assert torch.equal(average.model.weight, model.weight)
    with torch.no_grad():
        before = float(model.weight)
        model.weight += 1
    average.update(model, 200)
    assert float(average.model.weight.detach()) == pytest.approx(before + 0.1, abs=1e-5)
