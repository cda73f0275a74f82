"""Densities that come more than once: in two splits, they are seen in training and judged on."""

import hashlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from opalux.learning.data.card import SPLITS, Card

NAMED = 6
"""At most so many samples are named for one density."""


def checksum(density: NDArray[np.floating]) -> bytes:
    """Return a checksum of a density as data sets keep it, in single precision."""
    return hashlib.blake2b(np.ascontiguousarray(density, np.float32).data, digest_size=16).digest()


class Densities:
    """The checksums of the densities of a data set, to find those in more than one split.

    Parameters
    ----------
    card : of the data set
    """

    def __init__(self, card: Card) -> None:
        self._bounds = {name: card.splits.bounds(name) for name in SPLITS}
        self._samples: dict[bytes, list[int]] = {}
        self._files: dict[int, str] = {}

    def note(self, number: int, density: NDArray[np.floating], file: str = "") -> None:
        """Note the density of a sample, and the file that it comes from if there is one."""
        if file:
            self._files[number] = file
        self._samples.setdefault(checksum(density), []).append(number)

    def problems(self) -> Iterator[str]:
        """Yield one line for each density that is in more than one split."""
        for numbers in self._samples.values():
            by_split: dict[str, int] = {}
            for number in numbers:
                by_split.setdefault(self._split_of(number), number)
            if len(by_split) > 1:
                # The first one of each split, then others.
                named = sorted({*by_split.values(), *numbers[:NAMED]})
                words = ", ".join(f"{number} ({self._where(number)})" for number in named)
                more = len(numbers) - len(named)
                others = f" and {more} more" if more else ""
                yield (
                    f"samples {words}{others}: have the same density, expected each in one split "
                    "only; make the set again with other densities"
                )

    def _where(self, number: int) -> str:
        file = self._files.get(number)
        return self._split_of(number) + (f", {file}" if file else "")

    def _split_of(self, number: int) -> str:
        return next(name for name, (low, high) in self._bounds.items() if low <= number < high)
