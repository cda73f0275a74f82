"""A small data set with two failed samples, for the tests of what reads and writes it."""

import hashlib

import numpy as np

from opalux.learning.data.card import Card, Splits
from opalux.learning.data.part import FAILED, Part

CARD = Card(
    name="small",
    seed=5,
    splits=Splits(train=7, validation=2, test=2),
    shape=(6, 6),
    sources=("up", "down", "left", "right"),
    n_times=5,
    n_cells=6,
    shard_size=4,
    families=("islands", "discs"),
)


BAD = (2, 8)  # samples that failed


def part_of(card: Card, part: int) -> Part:
    numbers = card.samples_of(part)
    rng = np.random.default_rng(100 + part)
    n = len(numbers)
    signals = rng.uniform(1, 9, (n, *card.signals_shape)).astype(np.float32)
    failed = np.isin(numbers, BAD)
    signals[failed] = np.nan
    return Part(
        density=rng.uniform(1, 5, (n, *card.shape)).astype(np.float32),
        signals=signals,
        times=np.linspace(0, 0.01, card.n_times),
        sample_id=np.array(numbers),
        family=[card.families[number % 2] for number in numbers],
        seed=np.full(n, card.seed),
        status=np.where(failed, FAILED, 0).astype(np.int8),
        sources=rng.uniform(0, 1, (n, 4, 2)),
        drawn=[f'{{"number": {number}}}' for number in numbers],
        reason=["it burst" if bad else "" for bad in failed],
    )


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
