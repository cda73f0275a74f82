"""Long tables come to a network at its own places and times, and what they lack is not invented."""

import numpy as np
import pytest

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.jobs.inversion.tables import from_tables, split_tables
from opalux.learning.data.card import Card
from opalux.solver.files.measurements import write_table
from opalux.solver.inversion.rows import Rows, joined

N, TIMES = 8, np.linspace(0.0, 0.01, 11)
CARD = Card.model_validate(
    {
        "name": "some",
        "splits": {"train": 1},
        "shape": (N, N),
        "sources": EDGES,
        "signals_at": "edge",
        "n_times": len(TIMES),
        "n_cells": N,
        "shard_size": 1,
        "families": ["some"],
    }
)


def signal(place, time):
    """Return a smooth signal, the same for all channels."""
    return 5 + np.sin(300 * time) + 2 * place


def rows(places, times, quantities=("E", "F", "T"), edges=EDGES, sources=EDGES):
    place, time = (a.ravel() for a in np.meshgrid(places, times, indexing="ij"))
    n = len(place)
    return joined(
        [
            Rows(
                np.full(n, s), np.full(n, e), np.full(n, q), place, np.zeros(n), time,
                signal(place, time), np.full(n, np.nan),
            )
            for s in sources for e in edges for q in quantities
        ]
    )  # fmt: skip


def read(tmp_path, *tables):
    paths = [tmp_path / f"{k}.csv" for k in range(len(tables))]
    for path, table in zip(paths, tables, strict=True):
        write_table(path, table)
    return {m.source: m for m in from_tables(paths, CARD, TIMES)}


CELLS = (np.arange(N) + 0.5) / N
EXPECTED = signal(CELLS, TIMES[:, None])


def test_its_own_places_and_times_come_through_as_they_are(tmp_path):
    table = rows(CELLS, TIMES)
    order = np.random.default_rng(0).permutation(len(table))
    found = read(tmp_path, table.take(order[:999]), table.take(order[999:]))
    assert set(found) == set(EDGES)
    for measured in found.values():
        assert measured.assumed == ""
        for edge in EDGES:
            np.testing.assert_allclose(measured.signals[edge], np.stack([EXPECTED] * 3), rtol=1e-8)


@pytest.mark.parametrize("detectors", [5, 16, 24])
def test_other_places_and_times_are_interpolated_or_averaged(detectors, tmp_path):
    places = (np.arange(detectors) + 0.5) / detectors
    measured = read(tmp_path, rows(places, np.linspace(0, 0.01, 26)))["left"]
    np.testing.assert_allclose(measured.signals["up"][2], EXPECTED, atol=5e-3)


def test_what_was_not_measured_is_not_known_and_named(tmp_path):
    table = rows(CELLS[:3], TIMES[:7], quantities=("E",), edges=("up", "down"))
    measured = read(tmp_path, table)["down"]
    known = np.isfinite(measured.signals["up"])
    assert known[0, :7, :3].all()
    assert known.sum() == 7 * 3
    assert not np.isfinite(measured.signals["left"]).any()
    assert "left E, left F" in measured.assumed
    assert "96% of the network's places and times" in measured.assumed


def test_wide_gaps_between_detectors_and_times_stay_gaps(tmp_path):
    table = rows([0.1, 0.9], TIMES[[0, 1, 9, 10]])
    up = np.isfinite(read(tmp_path, table)["up"].signals["up"][0])
    assert up[[0, 1, 9, 10]][:, [0, 7]].all()
    assert up.sum() == 8


def test_values_that_the_network_does_not_take_are_told(tmp_path):
    table = rows(CELLS, np.linspace(0, 0.012, 13), quantities=("E", "F", "T", "Fn"))
    assumed = read(tmp_path, table)["up"].assumed
    assert "not used: Fn" in assumed
    assert "values after 0.01 sh" in assumed


def test_detectors_off_the_domain_are_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"edge up: found a detector at 1.2 cm, expected 0 to 1"):
        read(tmp_path, rows([0.5, 1.2], TIMES))


def test_tables_are_told_from_other_files_also_in_folders(tmp_path):
    write_table(tmp_path / "a.csv", rows([0.5], TIMES[:2]))
    write_table(tmp_path / "b.h5", rows([0.5], TIMES[:2]))
    (tmp_path / "c.sds").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("")
    tables, others = split_tables([tmp_path, tmp_path / "missing.csv"])
    assert [p.name for p in tables] == ["a.csv", "b.h5"]
    assert [p.name for p in others] == ["c.sds", "missing.csv"]


def test_half_written_files_of_a_folder_are_left_out(tmp_path):
    (tmp_path / "up.csv").write_text("source,edge,quantity,position [cm],time [sh],value\n")
    (tmp_path / ".left.csv.0").write_text("source,edge")
    (tmp_path / ".left.csv").write_text("source,edge")
    assert split_tables([tmp_path]) == ([tmp_path / "up.csv"], [])
