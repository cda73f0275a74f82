"""Batches depend on seed, epoch and step alone; augmentation does what it says."""

import numpy as np
import pytest
import torch

from opalux.base.errors import InputError
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.resampler import Resampler, evenly
from opalux.learning.networks.objectives.whole_map import WholeMap
from opalux.learning.training.augmentation import Augmentation, AugmentationSettings
from opalux.learning.training.loader import EpochOrder, Samples, batches, layout_of
from tests.learning.made_data import make_data


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return DataSet(make_data(tmp_path_factory.mktemp("data") / "set"))


def augmentation(data: DataSet, **settings: object) -> Augmentation:
    stats = data.stats
    wanted = AugmentationSettings.model_validate({"symmetries": False} | settings)
    return Augmentation(wanted, layout_of(data, None), stats.signal_mean, stats.signal_std, seed=1)


def visited(world: int, parts: int, first_step: int = 0) -> list[set[int]]:
    """Return the positions in each global batch, gathered over all processes."""
    orders = [
        EpochOrder(
            np.arange(26), batch=8, parts=parts, rank=rank, world=world, seed=3, epoch=2,
            first_step=first_step,
        )
        for rank in range(world)
    ]  # fmt: skip
    micro = [[{p for _, p in batch} for batch in order] for order in orders]
    steps = len(micro[0]) // parts
    return [
        set().union(*(m for mine in micro for m in mine[step * parts : (step + 1) * parts]))
        for step in range(steps)
    ]


def test_global_batches_do_not_depend_on_processes_or_accumulation():
    alone = visited(world=1, parts=1)
    assert [len(batch) for batch in alone] == [8, 8, 8]
    assert len(set().union(*alone)) == 24
    assert visited(world=2, parts=1) == visited(world=2, parts=2) == alone
    assert visited(world=4, parts=2, first_step=2) == alone[2:]


def test_linear_signals_are_resampled_exactly_at_uneven_times():
    times = np.array([0.0, 1.0, 1.5, 4.0])
    slope = np.array([2.0, -3.0], dtype=np.float32)
    signals = (times[:, None] * slope + 1).astype(np.float32)
    again = Resampler(times, evenly(times, 9))(signals)
    np.testing.assert_allclose(again, np.linspace(0, 4, 9)[:, None] * slope + 1, rtol=1e-6)


def test_loader_processes_give_the_same_batches_as_none(data):
    samples = Samples(data, data.times, WholeMap(), augmentation(data, symmetries=True, noise=0.1))
    order = [[(0, 1), (0, 5)], [(1, 1), (1, 7)]]
    for here, there in zip(batches(samples, order, 0), batches(samples, order, 2), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(here, there, strict=True))
    first, second = (batch[0][0] for batch in batches(samples, order, 0))
    assert not torch.equal(first, second), "each epoch draws anew"


def test_noise_has_the_asked_size_in_every_channel(data):
    samples = Samples(data, data.times, WholeMap())
    noisy = Samples(data, data.times, WholeMap(), augmentation(data, noise=0.05))
    keys = [(epoch, 3) for epoch in range(200)]
    added = torch.stack([noisy[key][0] - samples[key][0] for key in keys])
    size = added.std((0, 4, 5)) / torch.tensor(data.stats.signal_std)
    assert float((size - 0.05).abs().max()) < 0.003


def test_dropped_sources_and_edges_are_at_the_channels_mean(data):
    mean = torch.tensor(data.stats.signal_mean, dtype=torch.float32)[..., None, None]
    samples = Samples(
        data, data.times, WholeMap(), augmentation(data, drop_sources=3, drop_edges=3)
    )
    seen = set()
    for epoch in range(200):
        signals, _, _ = samples[epoch, 0]
        kept = (signals != mean).flatten(2).any(2)  # (source, edge)
        sources, edges = kept.any(1), kept.any(0)
        assert torch.equal(kept, sources[:, None] & edges), "whole sources and whole edges"
        seen.add((int(sources.sum()), int(edges.sum())))
    assert seen == {(s, e) for s in range(1, 5) for e in range(1, 5)}


def test_symmetries_are_refused_for_sources_that_are_no_whole_edges(tmp_path):
    data = DataSet(make_data(tmp_path / "set", sources=("left-0", "left-1")))
    with pytest.raises(InputError, match="symmetries=false"):
        augmentation(data, symmetries=True)
