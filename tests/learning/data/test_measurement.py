"""Signals from elsewhere are brought into the network's form, or refused."""

import dataclasses

import numpy as np
import pytest

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.learning.data.layout import Layout
from opalux.learning.data.measurement import MayLack, Measurement, assemble, filled

LAYOUT = Layout(EDGES, EDGES, ("E", "F", "T"), 5, 4, (4, 4))
TIMES = np.linspace(0.0, 0.01, 5)
MEAN = np.full((4, 4, 3), 2.0)
STD = np.full((4, 4, 3), 0.5)


def measured(source: str, cells: int = 4, n: int = 9) -> Measurement:
    """Return a measurement that grows linearly in time and along the edge."""
    times = np.linspace(0.0, 0.01, n)
    place = (np.arange(cells) + 0.5) / cells
    one = 2 + 10 * times[:, None] + 0.1 * EDGES.index(source) + 0.3 * place
    return Measurement(source, source, times, {e: np.stack([one] * 3) for e in EDGES})


def put_together(measurements, **may_lack):
    return assemble(measurements, LAYOUT, TIMES, MEAN, STD, MayLack(**may_lack))


def test_order_times_and_grid_of_the_measurements_do_not_matter():
    expected = put_together([measured(source) for source in EDGES])
    other = put_together([measured(source, cells=8, n=23) for source in reversed(EDGES)])
    np.testing.assert_allclose(other, expected, rtol=1e-6)
    place = (np.arange(4) + 0.5) / 4
    np.testing.assert_allclose(expected[2, 1, 0, -1], 2 + 0.1 + 0.2 + 0.3 * place, rtol=1e-6)


def test_a_source_that_lacks_is_at_the_mean_if_the_network_can_do_without():
    three = [measured(source) for source in EDGES[:3]]
    found = put_together(three, sources=1)
    assert np.isnan(found[3]).all()
    assert (filled(found, MEAN)[3] == 2.0).all()
    assert np.isfinite(found[:3]).all()
    with pytest.raises(InputError, match="drop_sources=1"):
        put_together(three)


def spoiled(change: str) -> list[Measurement]:
    """Return measurements with one thing wrong."""
    good = [measured(source) for source in EDGES]
    first = good[0]
    signals = dict(first.signals)
    if change == "nan":
        signals["left"] = np.where(np.arange(4) == 1, np.nan, signals["left"])
    elif change == "edge":
        del signals["left"]
    elif change == "quantity":
        signals["left"] = signals["left"][:2]
    elif change == "units":
        signals["left"] = 1000 * signals["left"]
    elif change == "cells":
        return [measured(source, cells=6) for source in EDGES]
    elif change == "twice":
        return [*good, first]
    elif change == "source":
        return [*good[1:], dataclasses.replace(first, source="middle")]
    elif change == "span":
        return [*good[1:], dataclasses.replace(first, times=first.times * 0.5)]
    return [dataclasses.replace(first, signals=signals), *good[1:]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("nan", "edge left: found NaN"),
        ("edge", "edge left: found nothing"),
        ("quantity", "3 quantities"),
        ("units", "use the units cm, sh, g, keV"),
        ("cells", "found 6 cells, expected 4 or a multiple"),
        ("twice", "given twice"),
        ("source", "found a source 'middle'"),
        ("span", "record the same span"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_remedy(change, message):
    with pytest.raises(InputError, match=message):
        put_together(spoiled(change))
