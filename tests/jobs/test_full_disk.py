"""A disk that takes no more ends a command with one message; nothing half-written looks whole.

The limits are those of the system: a size that no file may exceed (RLIMIT_FSIZE), and a small tmpfs
where the system lets us mount one.
"""

import contextlib
import json
import resource
import subprocess
from pathlib import Path

import numpy as np
import pytest

from opalux.base.errors import StorageError
from opalux.jobs import dataset, evaluate, export, siqd, solve, train
from opalux.learning.siqd.study.journal import Journal
from opalux.learning.training import checkpoint
from tests.conftest import ROOT
from tests.learning.made_data import make_data

STUDY = ["curve_sizes=2", "shifts=3", "folds=3", "peers=null", "other_p=[15]", "search=null"]


@contextlib.contextmanager
def files_up_to(size: int):
    """Let the system refuse to make a file longer than ``size`` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def disk(tmp_path):
    """Mount disks of a given size in KiB."""
    with contextlib.ExitStack() as mounted:

        def mount(kib: int) -> Path:
            folder = tmp_path / f"disk-{kib}"
            folder.mkdir()
            line = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(folder)]
            try:
                done = subprocess.run(line, capture_output=True, text=True)
            except FileNotFoundError:
                pytest.skip("there is no mount command here")
            if done.returncode:
                pytest.skip(f"the system lets us mount no tmpfs: {done.stderr.strip()}")
            mounted.callback(subprocess.run, ["umount", "-l", str(folder)])
            return folder

        yield mount


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("data") / "set", side=16, n_times=16)


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    assert train.main([*training(data), "--out", str(out)]) == 0
    return out


def training(data) -> list[str]:
    small = ["epochs=2", "batch=8", "precision=float32", "log_every=1", f"data.folder={data}"]
    return [str(ROOT / "configs/train/debug.yaml"), *(w for s in small for w in ("--set", s))]


def said(capsys, out: Path) -> None:
    """Check that there was one message, which names a file in ``out``."""
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert len(errors) == 1, errors
    assert str(out) in errors[0]
    assert "cannot be written" in errors[0]
    assert "make room" in errors[0]


@pytest.mark.parametrize("size", [0, 1_000, 2_500, 20_000, 300_000])
def test_training_says_what_it_could_not_write_and_goes_on_with_room(data, tmp_path, capsys, size):
    out = tmp_path / "run"
    with files_up_to(size):
        assert train.main([*training(data), "--out", str(out)]) == 1
    said(capsys, out)
    assert not (out / "run.json").exists()
    assert not list(out.glob(".*.part*"))
    for path in out.glob("*.ckpt"):
        assert checkpoint.load(path)["state"]["step"] > 0
    assert train.main([*training(data), "--out", str(out), "--resume"]) == 0
    assert json.loads((out / "run.json").read_text())["state"] == "finished"


@pytest.mark.parametrize("kib", [8, 200, 900])
def test_training_on_a_small_disk_ends_with_a_message(data, disk, capsys, kib):
    out = disk(kib) / "run"
    assert train.main([*training(data), "--out", str(out)]) == 1
    said(capsys, out)
    assert not (out / "run.json").exists()


@pytest.mark.parametrize("size", [0, 1_000, 20_000, 100_000])
def test_an_evaluation_that_could_not_be_written_has_no_metrics(trained, tmp_path, capsys, size):
    out = tmp_path / "judged"
    words = [str(trained), "--out", str(out), "--set", "misfit_maps=0"]
    assert evaluate.main(words) == 0
    with files_up_to(size):
        assert evaluate.main([*words, "--resume"]) == 1
    said(capsys, out)
    assert not (out / "metrics.json").exists() or size < 1_000, "nothing was begun"
    assert not list(out.glob(".*.part*"))
    assert evaluate.main([*words, "--resume"]) == 0
    assert (out / "metrics.json").is_file()


@pytest.mark.parametrize("form", ["npy", "well"])
@pytest.mark.parametrize("size", [0, 1_000, 100_000])
def test_an_export_of_data_is_whole_or_not_there(data, tmp_path, capsys, form, size):
    out = tmp_path / "out"
    words = ["export", str(data), "--format", form, "--out", str(out)]
    with files_up_to(size):
        assert dataset.main(words) == 1
    said(capsys, out)
    assert not out.exists()
    assert dataset.main(words) == 0


@pytest.mark.parametrize("form", ["npy", "well"])
@pytest.mark.parametrize("kib", [16, 600])
def test_an_export_to_a_small_disk_is_no_bus_error(data, disk, capsys, form, kib):
    out = disk(kib) / "out"
    assert dataset.main(["export", str(data), "--format", form, "--out", str(out)]) == 1
    said(capsys, out)
    assert not out.exists()


@pytest.mark.parametrize("size", [0, 1_000, 20_000])
def test_an_exported_network_is_whole_or_not_there(trained, tmp_path, capsys, size):
    out = tmp_path / "out"
    with files_up_to(size):
        assert export.main([str(trained), "--out", str(out)]) == 1
    said(capsys, out)
    assert not (out / "model.onnx").exists()
    assert not (out / "export.json").exists()


def test_a_study_whose_pictures_cannot_be_written_is_unfinished(tmp_path, capsys):
    out = tmp_path / "study"
    words = [str(ROOT / "configs/siqd/paper.yaml"), "--out", str(out)]
    with files_up_to(15_000):
        assert siqd.main([*words, *(word for one in STUDY for word in ("--set", one))]) == 1
    said(capsys, out)
    assert not (out / "metrics.json").exists()


def test_a_journal_keeps_its_whole_lines_on_a_full_disk(tmp_path):
    path = tmp_path / "dots.jsonl"
    journal = Journal(path)
    journal.add(0, list(range(20)))
    with (
        files_up_to(path.stat().st_size + 10),
        pytest.raises(StorageError, match=r"dots\.jsonl: cannot be written"),
    ):
        journal.add(1, list(range(20)))
    assert Journal(path).entries == {0: list(range(20))}


@pytest.mark.parametrize("size", [1_000, 12_000])
def test_pictures_of_a_solution_are_whole_or_not_there(tmp_path, capsys, size):
    out = tmp_path / "solution"
    words = [str(ROOT / "configs/solve/debug.yaml"), "--out", str(out)]
    assert solve.main(words) == 0  # kernels are compiled and kept then
    pictures = list(out.glob("*.png"))
    assert pictures
    with files_up_to(size):
        assert solve.main([*words, "--force"]) == 1
    said(capsys, out)
    assert not any(picture.exists() for picture in pictures)


def test_a_data_set_of_numpy_files_is_what_numpy_would_have_written(data, tmp_path):
    out = tmp_path / "out"
    assert dataset.main(["export", str(data), "--format", "npy", "--out", str(out)]) == 0
    again = tmp_path / "again.npy"
    np.save(again, np.load(out / "signals.npy"))
    assert again.read_bytes() == (out / "signals.npy").read_bytes()
