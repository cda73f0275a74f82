"""Files of a run: when snapshots are due, what is taken from the disk, what stays there."""

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opalux.base.errors import InputError, StorageError
from opalux.solver.domains.domain import SerialDomain
from opalux.solver.files import growing as storage
from opalux.solver.files.checkpoint import read_checkpoint, write_checkpoint
from opalux.solver.files.growing import GrowingFile
from opalux.solver.files.snapshots import snapshot_steps
from opalux.solver.grid import bands
from opalux.solver.march import March
from opalux.solver.problem import Problem

PROBLEM = Problem.model_validate({"grid": {"nx": 7, "ny": 5}, "time": {"final": 0.01}})


@given(st.integers(1, 10**6), st.integers(2, 200))
def test_snapshots_are_evenly_spaced_from_the_first_to_the_last_state(n_steps, count):
    if count > n_steps + 1:
        with pytest.raises(InputError, match="expected 0 or 2 to"):
            snapshot_steps(n_steps, count)
        return
    steps = np.array(snapshot_steps(n_steps, count))
    assert len(steps) == count
    assert (steps[0], steps[-1]) == (0, n_steps)
    assert np.diff(steps).min() >= 1
    even = n_steps * np.arange(count)  # times count − 1, to stay with integers
    assert 2 * np.abs(steps * (count - 1) - even).max() <= count - 1


@given(st.integers(0, 10**4), st.integers(0, 10**7))
def test_bands_cover_all_rows_once(rows, cells):
    places = [place for band in bands(rows, cells) for place in (band.start, band.stop)]
    assert places[:1] + places[-1:] == [0, rows] * (rows > 0)
    assert places[1:-1:2] == places[2::2]
    assert places == sorted(places)


def test_a_file_takes_its_room_when_it_is_made(tmp_path):
    file = GrowingFile(
        tmp_path / "x.h5", SerialDomain(PROBLEM), {"/a": (1000, 500)}, {"/": {"b": 1}}
    )
    assert 512 * storage.unfinished(tmp_path / "x.h5").stat().st_blocks >= 8 * 1000 * 500
    file.write_rows({"/a": np.ones((3, 500))}, 997)
    assert not (tmp_path / "x.h5").exists()
    file.finish()
    with h5py.File(tmp_path / "x.h5") as found:
        assert found.attrs["b"] == 1
        assert (found["a"][:997] == 0).all()
        assert (found["a"][997:] == 1).all()
    assert [path.name for path in tmp_path.iterdir()] == ["x.h5"]


def test_an_unfinished_file_of_other_shapes_is_not_gone_on_with(tmp_path):
    domain = SerialDomain(PROBLEM)
    GrowingFile(tmp_path / "x.h5", domain, {"/a": (3, 4)}, {})
    GrowingFile(tmp_path / "x.h5", domain, {"/a": (3, 4)}, {}, resume=True)
    with pytest.raises(InputError, match="--force"):
        GrowingFile(tmp_path / "x.h5", domain, {"/a": (4, 4)}, {}, resume=True)


def test_a_checkpoint_that_fails_leaves_the_one_before(tmp_path, monkeypatch):
    march = March(PROBLEM, SerialDomain(PROBLEM))
    path = tmp_path / "checkpoint.h5"
    steps = march.run(pauses=[10, 20])
    next(steps)
    write_checkpoint(path, march, {"config": "same"})
    state = march.domain.state.copy()
    next(steps)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(march.domain, "write", full)
        with pytest.raises(StorageError, match="No space left"):
            write_checkpoint(path, march, {"config": "same"})
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.h5"]
    again = March(PROBLEM, SerialDomain(PROBLEM))
    read_checkpoint(path, again, "same")
    assert again.step == 10
    assert np.array_equal(again.domain.state[:, 1:-1, 1:-1], state[:, 1:-1, 1:-1])
    with pytest.raises(InputError, match="another configuration"):
        read_checkpoint(path, again, "other")


def flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_a_checkpoint_with_a_flipped_bit_in_its_numbers_is_refused(tmp_path):
    march = March(PROBLEM, SerialDomain(PROBLEM))
    path = tmp_path / "checkpoint.h5"
    next(march.run(pauses=[10]))
    write_checkpoint(path, march, {"config": "same"})
    whole = path.read_bytes()
    with h5py.File(path, "r") as file:
        offsets = [file[f"/state/{name}"].id.get_offset() for name in ("E", "Fx", "Fy", "T")]
        size = file["/state/E"].size * 8
    chosen = np.random.default_rng(0)
    for offset in offsets * 10:
        bit = 8 * offset + int(chosen.integers(0, 8 * size))
        path.write_bytes(flipped(whole, bit))
        with pytest.raises(InputError, match="is damaged"):
            read_checkpoint(path, March(PROBLEM, SerialDomain(PROBLEM)), "same")


def test_flips_outside_the_numbers_never_reach_hdf5(tmp_path, monkeypatch):
    march = March(PROBLEM, SerialDomain(PROBLEM))
    path = tmp_path / "checkpoint.h5"
    next(march.run(pauses=[10]))
    write_checkpoint(path, march, {"config": "same"})
    whole = path.read_bytes()
    with h5py.File(path, "r") as file:
        arrays = [file[f"/state/{name}"] for name in ("E", "Fx", "Fy", "T")]
        spans = [(data.id.get_offset(), 8 * data.size) for data in arrays]

    def never(*_):
        raise AssertionError("HDF5 has opened it")

    monkeypatch.setattr(h5py, "File", never)
    inside = {n for first, size in spans for n in range(first, first + size)}
    places = [n for n in range(len(whole)) if n not in inside]
    assert len(places) > 1000
    for place in places[::7]:
        path.write_bytes(flipped(whole, 8 * place + place % 8))
        with pytest.raises(InputError, match="is damaged"):
            read_checkpoint(path, march, "same")
    for content in [whole[:n] for n in (0, 1, 511, 512, 600, len(whole) - 1)] + [whole + b"0"]:
        path.write_bytes(content)
        with pytest.raises(InputError, match="is damaged"):
            read_checkpoint(path, march, "same")


def test_a_file_without_a_seal_is_refused_in_words(tmp_path):
    path = tmp_path / "checkpoint.h5"
    with h5py.File(path, "w") as file:  # as earlier versions wrote it
        file.attrs.update({"step": 10, "config": "same"})
    with pytest.raises(InputError, match=r"earlier versions; delete it to start"):
        read_checkpoint(path, March(PROBLEM, SerialDomain(PROBLEM)), "same")


def test_unfinished_results_whose_structure_is_changed_are_not_gone_on_with(tmp_path):
    domain = SerialDomain(PROBLEM)
    arrays = {f"/{n:03d}/a": (3, 4) for n in range(200)}  # places that take more than 512 bytes
    GrowingFile(tmp_path / "x.h5", domain, arrays, {})
    part = storage.unfinished(tmp_path / "x.h5")
    whole = part.read_bytes()
    assert whole.index(b"\x89HDF") == 16384
    for place in range(0, 16384 + 48, 331):
        part.write_bytes(flipped(whole, 8 * place))
        with pytest.raises(InputError, match=r"damaged.*--force"):
            GrowingFile(tmp_path / "x.h5", domain, arrays, {}, resume=True)
    part.write_bytes(whole)
    file = GrowingFile(tmp_path / "x.h5", domain, arrays, {}, resume=True)
    file.write_rows({"/007/a": np.ones((3, 4))})
    GrowingFile(tmp_path / "x.h5", domain, arrays, {}, resume=True).finish()
    with h5py.File(tmp_path / "x.h5") as found:
        assert (found["007/a"][()] == 1).all()
