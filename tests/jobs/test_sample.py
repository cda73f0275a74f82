"""``opalux sample`` as a user meets it: data sets, going on, quarantine, refusals."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml

from opalux.base.config import load
from opalux.jobs.sample import main
from opalux.jobs.sampling.campaign import Campaign
from opalux.jobs.sampling.sample import make_sample
from opalux.jobs.sampling.settings import SampleSettings
from opalux.learning.data.card import part_name
from opalux.learning.data.data_set import DataSet
from tests.conftest import ROOT

CONFIGS = ROOT / "configs" / "sample"
GOLDEN = ROOT / "tests" / "golden"
DEBUG = CONFIGS / "debug.yaml"
HERE = ["--set", "backend={kind: in-process}"]

SMALL = """
name: small
seed: 3
splits: {train: 5, validation: 1, test: 1}
shard_size: 2
problem: {grid: {nx: 8, ny: 8}, time: {final: 0.002}}
n_times: 6
families: [{kind: islands}, {kind: niche, background: 1.0, height: [2, 5]}]
backend: {kind: in-process}
"""


def contents(folder: Path) -> dict[str, str]:
    """Return the digests of the files that a campaign alone decides about."""
    names = [*folder.glob("part-*.h5"), folder / "stats.json", folder / "dataset.yaml"]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in names}


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


@pytest.fixture(scope="module")
def debug(tmp_path_factory):
    """The debug data set, made in this process."""
    out = tmp_path_factory.mktemp("debug") / "set"
    assert main([str(DEBUG), *HERE, "--out", str(out)]) == 0
    return out


def campaign_of(text: str) -> Campaign:
    config = SampleSettings.model_validate(yaml.safe_load(text))
    return config.campaign


def test_data_sets_follow_the_contract(debug):
    card = yaml.safe_load((debug / "dataset.yaml").read_text())
    with h5py.File(debug / part_name(0)) as part:
        n, cells = 4, 16
        assert part["density"].shape == (n, cells, cells)
        assert part["signals"].shape == (n, 4, 4, 3, 16, cells)
        assert part["density"].dtype == part["signals"].dtype == np.float32
        assert part["times"].shape == (16,)
        for name in ("sample_id", "family", "seed", "status"):
            assert part[name].shape == (n,)
        assert part["density"].attrs["units"] == "g/cm^3"
        assert {"config", "opalux_version", "git_revision"} <= set(part.attrs)
    assert card["sources"] == card["edges"] == ["up", "down", "left", "right"]
    assert card["quantities"] == ["E", "F", "T"]
    assert card["splits"] == {"train": 16, "validation": 4, "test": 4}
    assert {"equation", "units", "seed", "families", "campaign"} <= set(card)
    assert json.loads((debug / "stats.json").read_text())["split"] == "train"
    assert json.loads((debug / "run.json").read_text())["samples_made"] == 24


def test_worker_processes_give_the_bits_of_the_serial_loop(debug, tmp_path):
    assert main([str(DEBUG), "--out", str(tmp_path / "set")]) == 0
    assert contents(tmp_path / "set") == contents(debug)


def test_array_tasks_in_any_order_give_the_same_data_set(small, tmp_path):
    assert main([str(small), "--out", str(tmp_path / "whole")]) == 0
    parts = tmp_path / "parts"
    for task in (2, 0, 1):
        assert not (parts / "stats.json").exists()
        assert main([str(small), "--out", str(parts), "--task", f"{task}/3"]) == 0
    assert contents(parts) == contents(tmp_path / "whole")


def test_array_tasks_may_open_the_folder_at_the_same_moment(small, tmp_path):
    out = tmp_path / "set"
    out.mkdir()
    (out / ".config.yaml.host.17.part.yaml").touch()  # another task is about to write config.yaml
    assert main([str(small), "--out", str(out), "--task", "0/1"]) == 0


def test_every_sample_can_be_made_alone_from_the_card(debug):
    data = DataSet(debug)
    campaign = Campaign.model_validate(data.card.campaign)
    for number in (23, 0, 7):
        sample = make_sample(campaign, number)
        assert sample.density.tobytes() == data.density(number).tobytes()
        assert sample.signals.tobytes() == data.signals(number).tobytes()
        assert sample.family == data.family(number)


def test_the_same_line_again_writes_no_sample_twice(small, tmp_path):
    out = tmp_path / "set"
    assert main([str(small), "--out", str(out)]) == 0
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("part-*.h5")}
    assert main([str(small), "--out", str(out)]) == 0
    assert {path.name: path.stat().st_mtime_ns for path in out.glob("part-*.h5")} == before
    assert json.loads((out / "run.json").read_text())["samples_made"] == 0


def test_damaged_truncated_and_missing_parts_are_made_again(small, tmp_path, capsys):
    out = tmp_path / "set"
    assert main([str(small), "--out", str(out)]) == 0
    expected = contents(out)
    os.truncate(out / part_name(0), 1000)
    image = bytearray((out / part_name(1)).read_bytes())
    with h5py.File(out / part_name(1)) as part:
        place = part["signals"].id.get_chunk_info(0).byte_offset
    image[place + 100] ^= 1
    (out / part_name(1)).write_bytes(image)
    (out / part_name(2)).unlink()
    (out / "stats.json").unlink()
    assert main([str(small), "--out", str(out)]) == 0
    assert contents(out) == expected
    assert "does not fit its checksum; made again" in capsys.readouterr().err
    assert json.loads((out / "run.json").read_text())["samples_made"] == 6


def test_what_killed_writers_left_is_removed(small, tmp_path):
    out = tmp_path / "set"
    assert main([str(small), "--out", str(out)]) == 0
    (out / ".part-00000.h5.elsewhere.17.tmp").touch()
    (out / ".part-00000.h5.elsewhere.org.17.part.h5").touch()
    dead = f"{platform.node()}.{2**22 + 1}"
    (out / f".all.h5.{dead}.part.h5").touch()
    (out / f".dataset.yaml.{dead}.part.yaml").touch()
    (out / ".running").mkdir()
    assert main([str(small), "--out", str(out)]) == 0
    assert {path.name for path in out.glob(".*")} == {".opalux.json", ".opalux.lock"}


def test_what_living_writers_write_and_files_of_others_stay(small, tmp_path):
    out = tmp_path / "set"
    assert main([str(small), "--out", str(out)]) == 0
    alive = out / f".all.h5.{platform.node()}.{os.getppid()}.part.h5"
    mine = out / f".notes.md.{platform.node()}.{2**22 + 1}.part.md"
    for path in (alive, mine):
        path.touch()
    assert main([str(small), "--out", str(out)]) == 0
    assert alive.exists()
    assert mine.exists()


class TestFailingSamples:
    @pytest.fixture
    def config(self, tmp_path):
        """A campaign over user maps of which two are no densities."""
        maps = tmp_path / "maps"
        maps.mkdir()
        for k in range(7):
            np.save(maps / f"{k}.npy", np.full((8, 8), 1.0 + k))
        for k in (5, 6):  # the seed deals them to the samples 2 and 6
            np.save(maps / f"{k}.npy", np.full((8, 8), -1.0))
        path = tmp_path / "files.yaml"
        families = "families: [{kind: files, folder: maps}]"
        old = "families: [{kind: islands}, {kind: niche, background: 1.0, height: [2, 5]}]"
        path.write_text(SMALL.replace(old, families))
        return path

    def test_are_quarantined_with_their_reason(self, config, tmp_path, capsys):
        out = tmp_path / "set"
        assert main([str(config), "--out", str(out)]) == 1
        assert "tolerated_failures" in capsys.readouterr().err
        quarantine = json.loads((out / "quarantine.json").read_text())
        assert [entry["sample"] for entry in quarantine] == [2, 6]
        assert "5.npy" in quarantine[0]["reason"]
        data = DataSet(out)
        assert data.status.tolist() == [0, 0, 1, 0, 0, 0, 1]
        assert data.split("train").tolist() == [0, 1, 3, 4]
        assert data.split("test").tolist() == []
        assert np.isnan(data.signals(2)).all()

    def test_say_how_their_rows_are_read(self, config, tmp_path, capsys):
        told = "files, maps: row 0 is taken for the bottom edge"
        line = [str(config), "--out", str(tmp_path / "set"), "--dry-run", "--set"]
        assert main([*line, "tolerated_failures=0.5"]) == 0
        assert told in capsys.readouterr().err
        assert main([*line, "families.0.first_row=bottom"]) == 0
        assert told not in capsys.readouterr().err

    def test_are_made_again_on_demand(self, config, tmp_path):
        out = tmp_path / "set"
        main([str(config), "--out", str(out)])
        good = DataSet(out).signals(3)
        for k in (5, 6):
            np.save(tmp_path / "maps" / f"{k}.npy", np.full((8, 8), 2.5 + k))
        assert main([str(config), "--out", str(out)]) == 1
        assert main([str(config), "--out", str(out), "--retry-failed"]) == 0
        data = DataSet(out)
        assert not data.status.any()
        assert (data.density(2) == 7.5).all()
        np.testing.assert_array_equal(data.signals(3), good)
        assert not (out / "quarantine.json").exists()

    def test_all_of_them_end_with_the_most_common_reason(self, config, tmp_path, capsys):
        for path in (tmp_path / "maps").iterdir():
            np.save(path, np.full((8, 9), 1.0))
        np.save(tmp_path / "maps" / "0.npy", np.full((8, 8), -1.0))
        out = tmp_path / "set"
        assert main([str(config), "--out", str(out)]) == 2
        error = capsys.readouterr().err
        assert "all 7 samples failed, most often because: InputError" in error
        assert "found float64 (8, 9), expected real numbers of shape (8, 8)" in error
        assert len(json.loads((out / "quarantine.json").read_text())) == 7
        assert main(["status", str(out)]) == 0
        assert "all samples failed" in capsys.readouterr().out

    def test_below_the_tolerated_share_are_no_failure(self, config, tmp_path):
        tolerant = ["--set", "tolerated_failures=0.5"]
        assert main([str(config), "--out", str(tmp_path / "set"), *tolerant]) == 0


def test_published_maps_give_the_published_signals(tmp_path):
    # rho64.npy through the whole chain against the original program's output.
    (tmp_path / "maps").mkdir()
    shutil.copy(GOLDEN / "rho64.npy", tmp_path / "maps")
    campaign = Campaign.model_validate(
        {
            "splits": {"train": 1},
            "problem": {"scheme": "published", "grid": {"nx": 64, "ny": 64}},
            "families": [{"kind": "files", "folder": str(tmp_path / "maps"), "first_row": "top"}],
            "n_times": None,
        }
    )
    sample = make_sample(campaign, 0)
    for case, source in (("b_u", 0), ("b_l", 2)):
        golden = np.load(GOLDEN / f"{case}.npz")
        np.testing.assert_allclose(sample.density, golden["rho"], rtol=1e-6)
        for e, edge in enumerate("udlr"):
            for q, quantity in enumerate("EFT"):
                expected = golden[f"{quantity}_{edge}"]
                error = np.abs(sample.signals[source, e, q] - expected).max()
                assert error < 2e-6 * np.abs(expected).max()


def test_sources_at_random_places_radiate_from_where_they_say():
    campaign = campaign_of(
        SMALL + "sources: [{edge: left, start: [0.1, 0.6], width: [0.2, 0.3]}, {edge: up}]"
    )
    assert campaign.source_names == ("left", "up")
    for number in (0, 1):
        sample = make_sample(campaign, number)
        start, stop = sample.sources[0]
        assert 0.1 <= start <= 0.6
        assert 0.2 <= stop - start <= 0.3
        y = (np.arange(8) + 0.5) / 8
        # E along the left edge (index 2), soon after the start
        radiating = np.abs(sample.signals[0, 2, 0, 1] - sample.signals[0, 2, 0, 0])
        shines = (y >= start) & (y <= stop)
        assert radiating[shines].min() > 2 * radiating[~shines].max()
        assert sample.sources[1].tolist() == [0, 1]
    assert not np.array_equal(make_sample(campaign, 0).sources, make_sample(campaign, 1).sources)


def test_refinement_keeps_the_densities_and_sharpens_the_signals():
    coarse, fine = campaign_of(SMALL), campaign_of(SMALL + "refinement: 2")
    a, b = make_sample(coarse, 1), make_sample(fine, 1)
    np.testing.assert_array_equal(a.density, b.density)
    assert a.signals.shape == b.signals.shape
    relative = np.linalg.norm(a.signals - b.signals) / np.linalg.norm(a.signals)
    assert 1e-4 < relative < 0.1


def test_quantities_are_recorded_in_the_order_asked_for():
    both = make_sample(campaign_of(SMALL), 0).signals
    some = make_sample(campaign_of(SMALL + "quantities: [T, E]"), 0).signals
    np.testing.assert_array_equal(some, both[:, :, [2, 0]])


@pytest.mark.mpi
def test_samples_simulated_under_mpirun_have_the_same_bits(small, tmp_path, monkeypatch):
    for name, value in {
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "OMPI_MCA_mpi_yield_when_idle": "1",
    }.items():
        monkeypatch.setenv(name, value)
    one = ["--set", "sources=[{edge: left}]", "--set", "splits={train: 1}"]
    one += ["--set", "shard_size=1"]
    launched = ["--set", "launcher=[mpirun, -n, '2']"]
    assert main([str(small), *one, "--out", str(tmp_path / "here")]) == 0
    assert main([str(small), *one, *launched, "--out", str(tmp_path / "mpi")]) == 0
    assert contents(tmp_path / "mpi") == contents(tmp_path / "here")


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_configuration_is_valid(path, capsys):
    assert main([str(path), "--dry-run"]) == 0
    assert "densities of" in capsys.readouterr().out


def test_the_published_configuration_has_the_published_size():
    config, _ = load(SampleSettings, CONFIGS / "published.yaml")
    assert (config.splits.train, config.splits.validation, config.splits.test) == (1950, 750, 183)
    assert config.shape == (64, 64)
    published, _ = load(
        SampleSettings, CONFIGS / "published.yaml", ["problem.scheme=published", "n_times=null"]
    )
    assert len(published.times) == 383


def test_the_niche_configurations_have_the_published_inputs():
    path = CONFIGS / "niche_regression.yaml"
    regression, _ = load(SampleSettings, path, ["n_times=null"])
    assert (len(regression.times), regression.shape) == (168, (28, 28))
    kept, _ = load(SampleSettings, path)
    assert len(kept.times) == 84, "half of the published steps are kept"
    starts = [place.start[0] for place in regression.sources]
    assert starts == [0.1, 0.3, 0.5, 0.7]
    classification, _ = load(SampleSettings, CONFIGS / "niche_classification.yaml")
    assert (len(classification.times), classification.shape) == (40, (90, 90))


def test_dry_runs_write_nothing(small, tmp_path):
    assert main([str(small), "--dry-run", "--out", str(tmp_path / "set")]) == 0
    assert not (tmp_path / "set").exists()


class TestBadInput:
    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ("familys=[]", "did you mean 'families'"),
            ("families=[]", "families"),
            ("families=[{kind: isles}]", "isles"),
            ("families=[{kind: discs, radios: 1}]", "did you mean 'radius'"),
            ("families=[{kind: discs}, {kind: discs}]", "more than once"),
            ("families=[{kind: files, folder: nowhere}]", r"found no .npy file"),
            ("splits={train: 0}", "splits.train"),
            ("seed=-1", "seed"),
            ("shard_size=0", "shard_size"),
            ("n_times=1", "n_times"),
            ("quantities=[E, E]", "each one once"),
            ("sources=[{edge: top}]", "edge"),
            ("sources=[{edge: up, start: 0.9, width: 0.2}]", "expected a part of"),
            ("sources=[{edge: up, start: [0.5, 0.1]}]", "low <= high"),
            (
                "problem.edges={up: {kind: periodic}, down: {kind: periodic}}",
                "found one on 'up', which is periodic",
            ),
            ("problem.material={density: '2'}", "leave it out"),
            ("problem.time.cfl=3", "cfl"),
            ("emission.T=exp(z)", "z"),
            ("backend={kind: cloud}", "cloud"),
            ("backend={kind: slurm}", "workers"),
            ("retries=-1", "retries"),
        ],
    )
    def test_is_refused_with_one_message_and_nothing_left(
        self, small, tmp_path, capsys, change, words
    ):
        out = tmp_path / "set"
        assert main([str(small), "--set", change, "--out", str(out)]) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert "Traceback" not in error
        assert words in error
        assert not out.exists()

    def test_of_another_campaign_leaves_the_folder_alone(self, small, tmp_path, capsys):
        out = tmp_path / "set"
        assert main([str(small), "--out", str(out)]) == 0
        before = contents(out)
        assert main([str(small), "--set", "seed=4", "--out", str(out)]) == 2
        assert "another configuration" in capsys.readouterr().err
        assert contents(out) == before

    def test_does_not_include_another_back_end(self, small, tmp_path):
        out = tmp_path / "set"
        assert main([str(small), "--out", str(out)]) == 0
        assert main([str(small), "--set", "retries=7", "--out", str(out)]) == 0

    def test_like_a_folder_of_something_else_is_refused(self, small, tmp_path, capsys):
        (tmp_path / "thesis.tex").write_text("years of work")
        assert main([str(small), "--out", str(tmp_path)]) == 2
        assert main([str(small), "--force", "--out", str(tmp_path)]) == 2
        assert (tmp_path / "thesis.tex").exists()
        assert "no run of Opalux" in capsys.readouterr().err

    def test_like_a_disk_that_is_too_small_is_refused(self, small, tmp_path, capsys, monkeypatch):
        monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 10))
        assert main([str(small), "--out", str(tmp_path / "set")]) == 2
        assert "GB free" in capsys.readouterr().err
        assert not (tmp_path / "set").exists()

    @pytest.mark.parametrize("task", ["3/3", "-1/2", "1", "a/b"])
    def test_like_a_task_out_of_range_is_refused(self, small, tmp_path, task):
        with pytest.raises(SystemExit) as ended:
            main([str(small), "--out", str(tmp_path / "set"), f"--task={task}"])
        assert ended.value.code == 2

    def test_like_a_launcher_from_dask_workers_is_refused(self, small, tmp_path, capsys):
        launched = ["--set", "launcher=[mpirun]", "--set", "backend={kind: local}"]
        assert main([str(small), *launched, "--out", str(tmp_path / "set")]) == 2
        assert "in-process" in capsys.readouterr().err


def test_samplers_of_one_campaign_share_the_parts(small, tmp_path):
    """Six at once make each sample once, and none of them fails."""
    out = tmp_path / "set"
    line = [sys.executable, "-m", "opalux", "sample", str(small), "--out", str(out)]
    line += ["--set", "backend={kind: in-process}"]
    started = [
        subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    told = [process.communicate(timeout=300) for process in started]
    assert [process.returncode for process in started] == [0] * 6, told
    made = sum(
        int(text.split(" of them made now")[0].split()[-1])
        for text, _ in told
        if "made now" in text
    )
    assert made <= 7
    assert main(["status", str(out)]) == 0
    assert contents(out).keys()
    assert not (out / ".running").exists()
