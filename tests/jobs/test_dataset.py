"""``opalux dataset`` and ``opalux sample status`` as a user meets them."""

import os
import random
import socket
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from opalux.base.axes import EDGES
from opalux.base.yaml_text import parse_yaml, to_yaml
from opalux.jobs.dataset import main
from opalux.jobs.sample import main as sample
from opalux.jobs.sampling.marker import Marker
from opalux.jobs.sampling.status import read_status
from opalux.learning.data.card import SPLITS, part_name, read_card
from opalux.learning.data.data_set import DataSet
from opalux.learning.data.finish import finish
from opalux.learning.data.part import Part, write_part
from opalux.solver.legacy.sds import read_sds
from tests.conftest import ROOT

GOLDEN = ROOT / "tests" / "golden"
CONFIG = """
name: little
seed: 2
splits: {train: 4, validation: 1, test: 1}
shard_size: 2
problem: {grid: {nx: 8, ny: 8}, time: {final: 0.002}}
n_times: 5
families: [{kind: islands}, {kind: discs}]
backend: {kind: in-process}
"""


@pytest.fixture
def folder(tmp_path):
    config = tmp_path / "little.yaml"
    config.write_text(CONFIG)
    assert sample([str(config), "--out", str(tmp_path / "set")]) == 0
    return tmp_path / "set"


def rewrite(folder: Path, number: int, **changes: Any) -> None:
    """Write a part with other contents and fitting checksums."""
    with h5py.File(folder / part_name(number)) as part:
        content = {name: part[name][:] for name in Part.__dataclass_fields__ if name in part}
        attributes = {key: str(part.attrs[key]) for key in ("config", "opalux_version")}
    for name in ("drawn", "reason", "family"):
        content[name] = [bytes(text).decode() for text in content[name]]
    write_part(
        folder / part_name(number), Part(**(content | changes)), read_card(folder), attributes
    )


def other_density(factor: float) -> bytes:
    """Return the published file with all densities multiplied by ``factor``."""
    data = bytearray((GOLDEN / "rho16.sds").read_bytes())
    length = (len(data) - 14) // 4
    for record in range(4):
        start = 14 + record * length + 2
        density = np.frombuffer(data, "<f4", 256, start) * np.float32(factor)
        data[start : start + 1024] = density.tobytes()
    return bytes(data)


class TestCheck:
    def test_passes_what_a_campaign_makes(self, folder, capsys):
        assert main(["check", str(folder), "--resimulate", "6"]) == 0
        assert "6 made again to the bit" in capsys.readouterr().out

    def test_notices_a_flipped_bit(self, folder, capsys):
        path = folder / part_name(1)
        with h5py.File(path) as part:
            place = part["density"].id.get_chunk_info(1).byte_offset
        image = bytearray(path.read_bytes())
        image[place + 9] ^= 16
        path.write_bytes(image)
        assert main(["check", str(folder)]) == 1
        assert "sample 3 does not fit its checksum" in capsys.readouterr().err

    def test_notices_other_signals_under_fitting_checksums(self, folder, capsys):
        with h5py.File(folder / part_name(0)) as part:
            signals = part["signals"][:]
        signals[1, 2, 3, 0, 1, 1] *= 1 + 1e-6
        rewrite(folder, 0, signals=signals)
        finish(folder)
        assert main(["check", str(folder), "--resimulate", "6"]) == 1
        assert "sample 1: signals made again differ by" in capsys.readouterr().err

    def test_notices_numbers_that_cannot_be(self, folder, capsys):
        with h5py.File(folder / part_name(0)) as part:
            density, signals = part["density"][:], part["signals"][:]
        density[0, 3, 3] = -1
        signals[1, 0, 0, 2, 0, 0] = 0
        rewrite(folder, 0, density=density, signals=signals)
        finish(folder)
        assert main(["check", str(folder), "--resimulate", "0"]) == 1
        error = capsys.readouterr().err
        assert "sample 0: density is not finite and positive" in error
        assert "sample 1: T falls to 0" in error

    def test_notices_statistics_of_other_samples(self, folder, capsys):
        with h5py.File(folder / part_name(0)) as part:
            rewrite(folder, 0, density=part["density"][:] * 2)
        assert main(["check", str(folder), "--resimulate", "0"]) == 1
        assert "stats.json: does not fit" in capsys.readouterr().err

    def test_goes_on_behind_a_part_that_is_cut_off(self, folder, capsys):
        path = folder / part_name(1)
        path.write_bytes(path.read_bytes()[:700])
        assert main(["check", str(folder)]) == 1
        assert "part-00001.h5: unreadable" in capsys.readouterr().err

    def test_notices_a_lost_part(self, folder, capsys):
        (folder / part_name(2)).unlink()
        assert main(["check", str(folder)]) == 2
        assert "1 of 3 parts are missing" in capsys.readouterr().err

    def test_names_the_samples_whose_density_is_in_two_splits(self, folder, capsys):
        data = DataSet(folder)
        repeated = np.stack([data.density(4), data.density(0)])
        rewrite(folder, 2, density=repeated)
        finish(folder)
        assert main(["check", str(folder), "--resimulate", "0"]) == 1
        found = capsys.readouterr().err
        assert "samples 0 (train), 5 (test): have the same density" in found
        assert "1 problems" in found

    def test_finds_a_campaign_of_one_uniform_map(self, tmp_path, capsys):
        config = tmp_path / "uniform.yaml"
        one = "[{kind: islands, ground: {range: 2}}]"
        config.write_text(CONFIG.replace("[{kind: islands}, {kind: discs}]", one))
        assert sample([str(config), "--out", str(tmp_path / "set")]) == 0
        assert main(["check", str(tmp_path / "set")]) == 1
        assert "samples 0 (train), 1 (train), 2 (train), 3 (train), 4 (validation), 5 (test)" in (
            capsys.readouterr().err
        )

    def test_says_what_it_did_not_check(self, folder, capsys):
        assert main(["check", str(folder), "--resimulate", "0"]) == 0
        out = capsys.readouterr().out
        assert "not checked: whether samples come out again (--resimulate 0)" in out
        assert "to the bit" not in out

    @pytest.mark.parametrize(
        ("key", "message"),
        [
            ("campaign", "found no campaign, though the set was simulated"),
            ("emission", "was made with another campaign than dataset.yaml says (emission"),
        ],
    )
    def test_notices_a_card_that_was_cut_off(self, folder, capsys, key, message):
        path = folder / "dataset.yaml"
        path.write_text(path.read_text().partition(f"{key}:")[0])
        assert main(["check", str(folder), "--resimulate", "0"]) == 1
        assert message in capsys.readouterr().err

    def test_never_calls_a_cut_card_sound(self, folder, capsys):
        path = folder / "dataset.yaml"
        text = path.read_text().rstrip("\n")
        for length in range(0, len(text), 11):
            path.write_text(text[:length])
            assert main(["check", str(folder), "--resimulate", "1"]) in (1, 2), text[:length][-60:]
            assert "Traceback" not in capsys.readouterr().err

    def test_of_a_changed_card_is_a_message_and_no_traceback(self, folder, capsys):
        path = folder / "dataset.yaml"
        raw = path.read_bytes()
        draw = random.Random(3)
        for _ in range(60):
            changed = bytearray(raw)
            changed[draw.randrange(len(raw))] ^= 1 << draw.randrange(8)
            path.write_bytes(changed)
            for run, line in ((main, ["check", "--resimulate", "0"]), (sample, ["status"])):
                assert run([*line, str(folder)]) in (0, 1, 2)
                assert "Traceback" not in capsys.readouterr().err


class TestImport:
    def test_keeps_every_number_of_a_published_file(self, tmp_path):
        out = tmp_path / "set"
        assert main(["import", str(GOLDEN / "rho16.sds"), "--out", str(out)]) == 0
        assert main(["check", str(out)]) == 0
        data = DataSet(out)
        assert (len(data), data.card.sources) == (1, ("up", "down", "left", "right"))
        for record in read_sds(GOLDEN / "rho16.sds"):
            np.testing.assert_array_equal(data.density(0), record.density)
            for e, edge in enumerate(EDGES):
                expected = np.moveaxis(record.signals[edge], 1, 0)
                np.testing.assert_array_equal(data.signals(0)[record.edge, e], expected)

    def test_makes_the_data_set_that_sampling_the_same_map_makes(self, tmp_path):
        (tmp_path / "maps").mkdir()
        np.save(tmp_path / "maps" / "rho16.npy", np.load(GOLDEN / "rho16.npy"))
        config = tmp_path / "again.yaml"
        config.write_text(
            "splits: {train: 1}\nproblem: {scheme: published, grid: {nx: 16}}\nn_times: 20\n"
            "families: [{kind: files, folder: maps, first_row: top}]\nbackend: {kind: in-process}"
        )
        assert sample([str(config), "--out", str(tmp_path / "sampled")]) == 0
        line = ["import", str(GOLDEN / "rho16.sds"), "--n-times", "20"]
        assert main([*line, "--out", str(tmp_path / "imported")]) == 0
        one, other = DataSet(tmp_path / "sampled"), DataSet(tmp_path / "imported")
        np.testing.assert_allclose(one.times, other.times, rtol=1e-12)
        np.testing.assert_allclose(one.signals(0), other.signals(0), rtol=2e-5, atol=2e-5)

    def test_of_many_files_deals_them_to_splits_in_order(self, tmp_path):
        files = []
        for k in range(5):
            files.append(tmp_path / f"{k}.sds")
            files[-1].write_bytes(other_density(1.0 + k))
        line = ["import", *map(str, files), "--splits", "2,1,2", "--shard-size", "2"]
        assert main([*line, "--out", str(tmp_path / "set")]) == 0
        data = DataSet(tmp_path / "set")
        assert [data.split(name).tolist() for name in SPLITS] == [[0, 1], [2], [3, 4]]
        assert data.drawn(4) == {"file": "4.sds"}

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["nowhere.sds"], "no such file"),
            ([str(GOLDEN / "README.txt")], "expected an sds02 file"),
            ([str(GOLDEN / "rho16.sds"), "--splits", "2,1,1"], "hold 1 densities"),
            ([str(GOLDEN / "rho16.sds"), "--n-times", "1"], "--n-times"),
            ([str(GOLDEN / "rho16.sds"), "--dt", "-1"], "--dt"),
            ([str(GOLDEN / "rho16.sds"), "--splits", f"{10**12},0,0"], "--splits: train: found"),
            ([str(GOLDEN / "rho16.sds"), "--shard-size", f"{10**12}"], "--shard-size must be at"),
        ],
    )
    def test_of_what_is_none_leaves_nothing(self, tmp_path, capsys, words, message):
        out = tmp_path / "set"
        assert main(["import", *words, "--out", str(out)]) == 2
        assert message in capsys.readouterr().err
        assert not out.exists()

    def test_refuses_a_density_that_comes_twice(self, tmp_path, capsys):
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "same.sds").write_bytes((GOLDEN / "rho16.sds").read_bytes())
        (tmp_path / "other.sds").write_bytes(other_density(2.0))
        files = [str(tmp_path / name) for name in ("a/same.sds", "other.sds", "b/same.sds")]
        assert main(["import", *files, "--out", str(tmp_path / "set")]) == 2
        error = capsys.readouterr().err
        assert "same.sds: found a density (number 3 of all) that same.sds holds already" in error
        assert not (tmp_path / "set").exists()

    def test_refuses_records_of_one_density_that_do_not_follow_each_other(self, tmp_path, capsys):
        one, two = (GOLDEN / "rho16.sds").read_bytes(), other_density(2.0)
        cut = (len(one) - 14) // 4 + 14
        mixed = (
            one[:5] + (6).to_bytes(2, "little") + one[7:cut] + two[14:] + one[cut : 2 * cut - 14]
        )
        (tmp_path / "mixed.sds").write_bytes(mixed)
        line = ["import", str(tmp_path / "mixed.sds"), "--out", str(tmp_path / "set")]
        assert main(line) == 2
        assert capsys.readouterr().err.count("error:") == 1

    def test_of_a_half_set_of_sources_is_refused(self, tmp_path, capsys):
        whole = other_density(2.0)
        record = (len(whole) - 14) // 4
        half = whole[:5] + (2).to_bytes(2, "little") + whole[7 : 14 + 2 * record]
        (tmp_path / "half.sds").write_bytes(half)
        line = ["import", str(GOLDEN / "rho16.sds"), str(tmp_path / "half.sds")]
        assert main([*line, "--out", str(tmp_path / "set")]) == 2
        assert "half.sds: found sources" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("format_", "file"), [("npy", "signals.npy"), ("well", "data/train/little.hdf5")]
)
def test_exports_are_written_into_a_new_folder_only(folder, tmp_path, format_, file):
    line = ["export", str(folder), "--format", format_, "--out"]
    assert main([*line, str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / file).is_file()
    assert main([*line, str(tmp_path / "out")]) == 2


def test_each_family_gets_a_page_of_pictures(folder):
    assert main(["pictures", str(folder)]) == 0
    pages = sorted((folder / "pictures").iterdir())
    assert [page.name for page in pages] == ["discs.png", "islands.png"]
    assert all(page.read_bytes().startswith(b"\x89PNG") for page in pages)


class TestStatus:
    def test_of_a_finished_campaign_has_nothing_left(self, folder, capsys):
        assert sample(["status", str(folder)]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[1].split() == ["done", "6", "3/3", "parts"]
        assert [line.split()[1] for line in lines[2:6]] == ["0", "0", "0", "6"]
        assert lines[7].split() == ["time", "left", "none"]

    def test_tells_done_running_missing_and_damaged_apart(self, folder):
        (folder / part_name(0)).write_bytes(b"broken")
        (folder / part_name(1)).unlink()
        at_work = Marker(
            session="s", host=socket.gethostname(), pid=os.getpid(),
            started=time.time(), updated=time.time(), sample=3, done=1,
        )  # fmt: skip
        (folder / ".running").mkdir()
        at_work.write(Marker.path(folder, 1))
        found = read_status(folder)
        assert (found.done, found.running, found.missing) == (2, 1, 3)
        assert (found.parts_done, found.parts_damaged) == (1, 1)
        assert found.workers == [f"{socket.gethostname()}:{os.getpid()}"]

    def test_does_not_count_dead_workers(self, folder):
        (folder / part_name(1)).unlink()
        gone = Marker(
            session="s", host=socket.gethostname(), pid=2**22 + 1,
            started=0, updated=0, sample=3, done=1,
        )  # fmt: skip
        (folder / ".running").mkdir()
        gone.write(Marker.path(folder, 1))
        found = read_status(folder)
        assert (found.running, found.missing, found.workers) == (0, 2, [])

    def test_measures_the_rate_between_parts(self, folder):
        for part in range(3):
            os.utime(folder / part_name(part), (1000.0 + 4 * part,) * 2)
        assert read_status(folder).rate == pytest.approx(0.5)

    def test_names_quarantine_json_only_when_it_is_there(self, folder, capsys):
        rewrite(folder, 0, status=np.array([0, 1], np.int8), reason=["", "it\nburst"])
        assert sample(["status", str(folder)]) == 0
        assert "most often: it burst\n" in capsys.readouterr().out
        (folder / "quarantine.json").write_text("[]")
        assert sample(["status", str(folder)]) == 0
        assert "most often: it burst; see quarantine.json\n" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            ("splits: {train: 1000000000000}", "splits.train: found 1000000000000, expected less"),
            ("shard_size: 0", "shard_size: found 0, expected greater"),
            ("shape: [-8, 8]", "shape.0: found -8, expected greater"),
            ("n_times: many", "n_times: found 'many', expected a valid integer"),
            ("sources: []", "sources: found [], expected"),
            ("splits: {train: 9000000}\nshard_size: 1", "9000000 parts, expected at most 100000"),
            ("campaign: {problem: 3}", "campaign.problem.grid: expected x and y"),
            ("campaign: {problem: {grid: {x: [1, 0]}}}", "found sides of"),
            ("a: &a [1,1]\n" + "".join(
                f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in pairwise("abcdefghij")
            ), "stand for more than"),
            ("deep: " + "[" * 5000 + "]" * 5000, "nested"),
        ],
        ids=[
            "samples", "shard", "shape", "type", "sources", "parts", "problem", "sides", "bomb",
            "deep",
        ],
    )  # fmt: skip
    def test_and_check_of_an_absurd_card_are_one_message(self, folder, capsys, words, message):
        path = folder / "dataset.yaml"
        keys = [line.partition(":")[0] for line in words.splitlines()]
        content = parse_yaml(path.read_text(), "card")
        kept = {key: value for key, value in content.items() if key not in keys}
        path.write_text(to_yaml(kept) + words + "\n")
        for main_, line in ((sample, ["status"]), (main, ["check"])):
            assert main_([*line, str(folder)]) == 2
            error = capsys.readouterr().err
            assert message in error
            assert error.count("error:") == 1

    def test_and_check_of_a_card_that_is_no_mapping_are_one_message(self, folder, capsys):
        (folder / "dataset.yaml").write_text("- 1\n")
        assert main(["check", str(folder)]) == 2
        assert "expected a mapping" in capsys.readouterr().err

    def test_of_no_campaign_is_refused(self, tmp_path, capsys):
        assert sample(["status", str(tmp_path)]) == 2
        assert "no dataset.yaml" in capsys.readouterr().err
