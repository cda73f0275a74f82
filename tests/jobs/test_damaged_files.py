"""Damaged files of training, evaluation, the dots and status: the right value or one message.

Every case is drawn from a fixed seed. HDF5 files are cut or changed in their data only: their
metadata can hold up the C library for ever.
"""

import contextlib
import json
import random
import shutil

import h5py
import numpy as np
import pytest
import torch

from opalux.base.errors import InputError
from opalux.base.run_folder import run_folder
from opalux.jobs import status, train
from opalux.jobs.inversion.pictures import training_curves
from opalux.jobs.inversion.trained import load_trained
from opalux.learning.data.data_set import DataSet
from opalux.learning.siqd.dots.settings import TableSettings
from opalux.learning.siqd.dots.table import SHIPPED, read_table
from opalux.learning.siqd.study.journal import Journal
from opalux.learning.training import checkpoint, logbook
from opalux.learning.training.distributed import Processes
from opalux.learning.training.plan import TrainSettings
from opalux.learning.training.prepare import prepare
from opalux.learning.training.restore import restore
from tests.learning.made_data import make_data

ALONE = Processes(0, 1, torch.device("cpu"))
CUTS, FLIPS = 20, 60
"""Damages of each kind to each file."""


def damages(whole: bytes, *, where=None, flips: int = FLIPS):
    """Yield copies that are cut short, that have one bit or one byte changed, and none."""
    draw = random.Random(7)
    places = range(len(whole)) if where is None else where
    yield from (whole[: draw.randrange(len(whole))] for _ in range(CUTS))
    for number in range(flips):
        changed = bytearray(whole)
        place = draw.choice(places)
        flipped = changed[place] ^ (1 << draw.randrange(8))
        changed[place] = flipped if number % 2 else draw.randrange(32, 127)
        yield bytes(changed)
    yield b""


@contextlib.contextmanager
def restored(path):
    """Give the content of a file, and bring it back at the end."""
    whole = path.read_bytes()
    try:
        yield whole
    finally:
        path.write_bytes(whole)


def settings(data) -> TrainSettings:
    model = {"kind": "edge_vnet", "width": 4, "features": 4, "levels": 2}
    return TrainSettings.model_validate(
        {"data": {"folder": data}, "model": model, "epochs": 1, "batch": 8, "precision": "float32"}
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data") / "set")


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    model = "{kind: edge_vnet, width: 4, features: 4, levels: 2}"
    text = f"data: {{folder: {data}}}\nmodel: {model}\nepochs: 2\nbatch: 8\nlog_every: 1\n"
    (folder / "train.yaml").write_text(text + "precision: float32\n")
    assert train.main([str(folder / "train.yaml"), "--out", str(folder / "run")]) == 0
    return folder / "run"


def read_all(folder):
    """Return what training makes of a data set: scaling, and every sample in use."""
    found = prepare(settings(folder), ALONE)
    used = [*found.plan.seen, *found.plan.held_out]
    samples = [found.plan.judging[0, int(position)] for position in used]
    scaling = [found.model.signal_mean, found.model.signal_std]
    return [*scaling, *(array for *arrays, _ in samples for array in arrays)]


def data_bytes(path) -> list[int]:
    """Return the places in an HDF5 file that hold numbers."""
    places: list[int] = []
    with h5py.File(path) as file:
        for array in file.values():
            if array.dtype.kind not in "iuf":
                continue
            if array.chunks is None:
                start = array.id.get_offset()
                places += range(start, start + array.nbytes)
                continue
            for number in range(array.id.get_num_chunks()):
                chunk = array.id.get_chunk_info(number)
                places += range(chunk.byte_offset, chunk.byte_offset + chunk.size)
    return places


@pytest.mark.parametrize("name", ["part-00000.h5", "stats.json", "dataset.yaml"])
def test_training_reads_the_numbers_that_were_written_or_refuses_them(data, tmp_path, name):
    folder = tmp_path / "set"
    shutil.copytree(data, folder)
    expected, refused = read_all(folder), 0
    path = folder / name
    where = data_bytes(path) if name.endswith(".h5") else None
    for damaged in damages(path.read_bytes(), where=where):
        path.write_bytes(damaged)
        try:
            found = read_all(folder)
        except InputError:
            refused += 1
            continue
        if name == "dataset.yaml" and DataSet(folder).card.splits.train != 16:
            continue  # another card, which says so itself
        assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    assert refused > CUTS


@pytest.mark.parametrize("change", ["missing", "text", "shorter", "longer", "flat", "group"])
def test_a_part_with_an_array_of_another_kind_is_refused(data, tmp_path, change):
    folder = tmp_path / "set"
    shutil.copytree(data, folder)
    path = folder / "part-00000.h5"
    for name in ("density", "signals", "times", "status", "checksum", "density_range"):
        with restored(path):
            with h5py.File(path, "r+") as file:
                values = file[name][:]
                del file[name]
                if change == "group":
                    file.create_group(name)
                elif change != "missing":
                    file[name] = {
                        "text": np.full(values.shape, b"no number"),
                        "shorter": values[:-1],
                        "longer": np.concatenate([values, values]),
                        "flat": values.reshape(-1)[:, None, None],
                    }[change]
            with pytest.raises(InputError, match=r"part-00000\.h5"):
                read_all(folder)


@pytest.mark.parametrize("name", ["best.ckpt", "last.ckpt"])
def test_a_damaged_checkpoint_gives_its_weights_or_a_message(run, name):
    path, expected = run / name, load_trained(run / name).model.state_dict()
    refused = 0
    with restored(path) as whole:
        for damaged in damages(whole):
            path.write_bytes(damaged)
            try:
                found = load_trained(path).model.state_dict()
            except InputError:
                refused += 1
                continue
            assert all(torch.equal(found[key], expected[key]) for key in expected)
    assert refused > CUTS


OTHER = [None, 3, -1, "x", [], {}, [[1, 2], [3]], {"a": 1}, torch.zeros(2), float("nan")]


def resumed(path, data):
    prepared = prepare(settings(data), ALONE)
    restore(
        path,
        data=prepared.data,
        steps=100,
        model=prepared.model,
        average=None,
        optimiser=torch.optim.Adam(prepared.model.parameters()),
        device=torch.device("cpu"),
    )


def test_a_checkpoint_that_holds_other_things_is_refused_by_evaluation_and_resume(run, data):
    path = run / checkpoint.BEST
    content = checkpoint.load(path)
    with restored(path):
        for key in ("settings", "layout", "card", "times", "state", "model"):
            for other in OTHER:
                torch.save({**content, key: other}, path)
                with pytest.raises(InputError):
                    load_trained(path)
    path = run / checkpoint.LAST
    content = checkpoint.load(path)
    with restored(path):
        for key in ("card", "state", "model", "optimiser"):
            for other in OTHER:
                torch.save({**content, key: other}, path)
                with pytest.raises(InputError):
                    resumed(path, data)
        first = next(iter(content["model"]))
        for weights in (content["model"][first].double(), content["model"][first][:0], None):
            torch.save({**content, "model": content["model"] | {first: weights}}, path)
            with pytest.raises(InputError):
                resumed(path, data)


def test_a_damaged_log_gives_lines_that_can_be_drawn_or_a_message(run):
    path, shown = run / logbook.NAME, {"r2_pooled": "R²", "r2_mean": "mean R²"}
    with restored(path) as whole:
        for damaged in damages(whole, flips=150):
            path.write_bytes(damaged)
            with contextlib.suppress(InputError):
                training_curves(logbook.read(run, shown), shown)


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_a_damaged_table_of_dots_is_a_table_or_a_message(tmp_path, ending):
    path = tmp_path / f"dots{ending}"
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()[:30]
    path.write_text("\n".join(lines))
    if ending == ".xlsx":
        openpyxl = pytest.importorskip("openpyxl")
        book = openpyxl.Workbook()
        for line in lines:
            book.active.append(line.split(",")[:9])
        book.save(path)
    with restored(path) as whole:
        for damaged in [*damages(whole), whole + b'"' + b"x" * 200_000, b"\0" * 100]:
            path.write_bytes(damaged)
            with contextlib.suppress(InputError):
                table = read_table(TableSettings(file=path))
                assert all(np.isfinite(column).all() for column in table.columns.values())


def test_a_damaged_journal_gives_results_that_were_written_or_a_message(tmp_path):
    path = tmp_path / "search.jsonl"
    written = {number: [[number, [0.1 * number, 0.25], True]] for number in range(20)}
    journal = Journal(path)
    for number, result in written.items():
        journal.add(number, result)
    refused = 0
    with restored(path) as whole:
        for damaged in damages(whole, flips=300):
            path.write_bytes(damaged)
            try:
                found = Journal(path).entries
            except InputError:
                refused += 1
                continue
            assert found.items() <= written.items()
    assert refused > 250


@pytest.mark.parametrize(
    "name", [".opalux.json", "config.yaml", "metrics.jsonl", "run.json", "metrics.json"]
)
def test_status_shows_a_run_with_damaged_files(run, tmp_path, capsys, name):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    (folder / "metrics.json").write_text(json.dumps({"r2_pooled": 0.5, "scores": {"r2": 1.0}}))
    path = folder / name
    for damaged in [
        *damages(path.read_bytes(), flips=30),
        b"[" * 50_000,
        b"null",
        b"[]",
        b"\xff\xfe",
    ]:
        path.write_bytes(damaged)
        assert status.main([str(folder)]) in (0, 2)
        assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["dataset.yaml", "part-00000.h5", "stats.json"])
def test_status_shows_a_data_set_with_damaged_files(data, tmp_path, capsys, name):
    folder = tmp_path / "set"
    shutil.copytree(data, folder)
    path = folder / name
    where = data_bytes(path) if name.endswith(".h5") else None
    for damaged in damages(path.read_bytes(), where=where, flips=30):
        path.write_bytes(damaged)
        assert status.main([str(folder)]) in (0, 2)
        assert "Traceback" not in capsys.readouterr().err


def _enter(folder, text):
    return run_folder(folder, text, job="train", makes=["none.txt"], resume=True, force=False)


def test_a_run_with_a_damaged_marker_is_continued_or_left_alone(run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    text, path = (folder / "config.yaml").read_text(), folder / ".opalux.json"
    kept = (folder / checkpoint.BEST).read_bytes()
    with restored(path) as whole:
        for damaged in [*damages(whole), b"[" * 100_000, b"null", b'{"makes": [1], "job": 3}']:
            path.write_bytes(damaged)
            with contextlib.suppress(InputError), _enter(folder, text):
                pass
            assert (folder / checkpoint.BEST).read_bytes() == kept
