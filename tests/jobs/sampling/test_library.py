"""Campaigns as a user of the library meets them: drawn, simulated and run in Python."""

import contextlib

import numpy as np
import pydantic
import pytest

import opalux
from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.jobs.cluster.pool import InProcess
from opalux.jobs.sampling.campaign import Campaign
from opalux.jobs.sampling.card import card_of, refuse_repeats
from opalux.jobs.sampling.check import check_data_set
from opalux.learning.data.card import Splits
from opalux.solver.densities.files import Files
from opalux.solver.densities.islands import Islands
from opalux.solver.march import simulate
from opalux.solver.solution import edge_quantities


def small(**changes) -> Campaign:
    settings = {
        "name": "mine",
        "splits": {"train": 3, "test": 1},
        "shard_size": 2,
        "problem": {"grid": {"nx": 8, "ny": 8}, "time": {"final": 0.002}},
        "n_times": 5,
        "families": [{"kind": "islands"}],
    }
    return Campaign(**(settings | changes))


def test_a_campaign_is_made_of_keywords_or_of_objects():
    objects = small(splits=Splits(train=3, test=1), families=[Islands()])
    assert objects == small()
    with pytest.raises(pydantic.ValidationError, match="each one once"):
        small(quantities=["E", "E"])


@pytest.mark.parametrize("edge", EDGES)
def test_the_signals_of_a_rectangle_are_those_of_its_edges_and_end_in_zeros(edge):
    grid = {"nx": 8, "ny": 6, "x": [0, 2], "y": [0, 1.5]}
    campaign = small(problem={"grid": grid, "time": {"final": 0.002}}, n_times=None)
    sample, number = opalux.make_sample(campaign, 1), EDGES.index(edge)
    problem = campaign.problems(sample.sources)[number]
    solution = simulate(problem, density=sample.density.astype(np.float64))
    for own, name in zip(sample.signals[number], EDGES, strict=True):
        expected = np.stack(edge_quantities(solution.signals[name]))
        cells = expected.shape[-1]
        assert cells == (8 if name in ("up", "down") else 6)
        np.testing.assert_allclose(own[..., :cells], expected, rtol=1e-6)
        assert not own[..., cells:].any()


def test_statistics_of_a_rectangle_are_over_the_cells_of_each_edge(tmp_path):
    grid = {"nx": 8, "ny": 6, "y": [0, 0.75]}
    campaign = small(problem={"grid": grid, "time": {"final": 0.002}})
    data = opalux.DataSet(
        opalux.run_campaign(campaign, tmp_path / "set", backend=InProcess()).folder
    )
    assert not check_data_set(data.folder, resimulate=1).problems
    signals = np.stack([data.signals(position) for position in data.split("train")])
    left = signals[:, :, EDGES.index("left"), :, :, :6].astype(np.float64)
    found = data.stats.signal_std[:, EDGES.index("left")]
    np.testing.assert_allclose(found, left.std((0, 3, 4)), rtol=1e-6)
    labelled = data.to_xarray([0]).signals
    assert labelled.sel(edge="left").isnull().sum() == 4 * 3 * 5 * 2
    assert not labelled.sel(edge="up").isnull().any()


def test_a_sample_is_drawn_without_being_simulated():
    draw = small().draw(2)
    assert draw.density.shape == (8, 8)
    assert draw.sources.shape == (4, 2)
    assert draw.family == "islands"
    sample = opalux.make_sample(small(), 2)
    np.testing.assert_array_equal(sample.density, draw.density)
    assert sample.signals.shape == (4, 4, 3, 5, 8)


def test_a_campaign_is_run_into_a_folder_and_continued(tmp_path):
    result = opalux.run_campaign(small(), tmp_path / "set", backend=InProcess())
    assert (result.samples, result.made, result.failed, result.parts_missing) == (4, 4, 0, 0)
    data = opalux.DataSet(result.folder)
    np.testing.assert_array_equal(data.signals(2), opalux.make_sample(small(), 2).signals)
    assert opalux.run_campaign(small(), tmp_path / "set", backend=InProcess()).made == 0
    assert not check_data_set(result.folder, resimulate=4).problems
    with pytest.raises(InputError, match="another configuration"):
        opalux.run_campaign(small(seed=1), tmp_path / "set", backend=InProcess())


def test_tasks_say_how_many_parts_are_missing(tmp_path):
    first = opalux.run_campaign(small(), tmp_path / "set", backend=InProcess(), task=(0, 2))
    assert (first.made, first.parts_missing) == (2, 1)
    second = opalux.run_campaign(small(), tmp_path / "set", backend=InProcess(), task=(1, 2))
    assert (second.made, second.parts_missing) == (2, 0)


def test_maps_given_as_arrays_are_simulated(tmp_path):
    maps = np.random.default_rng(1).uniform(1, 5, (4, 8, 8))
    campaign = small(families=[Files.from_arrays(maps, tmp_path / "maps")])
    result = opalux.run_campaign(campaign, tmp_path / "set", backend=InProcess())
    data = opalux.DataSet(result.folder)
    found = [data.density(number).tobytes() for number in range(4)]
    assert set(found) == {rho.astype(np.float32).tobytes() for rho in maps}
    assert check_data_set(result.folder, resimulate=4).problems == ()


def test_the_seed_says_in_which_order_maps_are_dealt_out_and_no_map_comes_twice(tmp_path):
    maps = np.random.default_rng(1).uniform(1, 5, (20, 8, 8))
    family = Files.from_arrays(maps, tmp_path / "maps")
    orders = []
    for seed in (0, 0, 1):
        campaign = small(families=[family], seed=seed, splits={"train": 12, "test": 8})
        orders.append([campaign.draw(number).drawn for number in range(20)])
        assert len(set(orders[-1])) == 20
    assert orders[0] == orders[1] != orders[2]


@pytest.mark.parametrize("others", [[], [{"kind": "islands"}]])
def test_two_files_of_one_map_in_two_splits_are_refused_before_any_work(tmp_path, others):
    maps = np.random.default_rng(1).uniform(1, 5, (8, 8, 8))
    maps[5] = maps[2]
    family = Files.from_arrays(maps, tmp_path / "maps")
    for seed in range(6):
        campaign = small(families=[family, *others], seed=seed, splits={"train": 4, "test": 4})
        drawn = [campaign.draw(number) for number in range(8)]
        found = [
            n for n in range(8) if drawn[n].density.tobytes() == maps[2].astype("f4").tobytes()
        ]
        leaks = len({number < 4 for number in found}) > 1
        with pytest.raises(InputError, match="map-00000") if leaks else contextlib.nullcontext():
            refuse_repeats(campaign, card_of(campaign))


@pytest.mark.parametrize("others", [[], [{"kind": "islands"}]])
def test_more_samples_than_maps_are_refused(tmp_path, others):
    family = Files.from_arrays(np.ones((3, 8, 8)), tmp_path / "maps")
    with pytest.raises(pydantic.ValidationError, match="found 3 maps for 4 samples"):
        small(families=[family, *others])


def test_the_campaign_of_a_data_card_is_read_once():
    card = card_of(small())
    assert Campaign.of(card) == small()
    assert Campaign.of(card) is Campaign.of(card_of(small()))


def test_an_imported_data_set_has_no_campaign():
    card = card_of(small()).model_copy(update={"campaign": {}, "origin": "imported from a file"})
    with pytest.raises(InputError, match="imported from a file"):
        Campaign.of(card, "data card")
