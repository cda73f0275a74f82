"""What `opalux solve` writes in long runs: snapshots, animations, and whole files or none."""

import errno
import json
import os
import resource
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image, ImageSequence

from opalux.jobs.simulation import report as simulation_report
from opalux.jobs.solve import main
from tests.conftest import ROOT, clean_environment
from tests.jobs.test_solve import arrays, same_bits

PROBLEM = """
grid: {nx: 23, ny: 17, x: [-1, 1], y: [2, 3]}
time: {final: 0.002}
material: {density: 1+x*x}
edges: {left: {kind: source, sources: [{start: 2.2, stop: 2.6}]}, up: {kind: wall}}
output: {pictures: false, snapshots: 5}
"""
LONG = """
grid: {nx: 230, ny: 170}
time: {final: 0.0015}
material: {density: 1+x}
edges: {left: {kind: source}, up: {kind: wall}}
output: {pictures: false, snapshots: 5, checkpoint_steps: 20}
"""


def write(folder: Path, text: str) -> Path:
    """Return a new configuration file of this text."""
    path = folder / "config.yaml"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """Return the folder of a finished run with snapshots and an animation."""
    folder = tmp_path_factory.mktemp("snapshots")
    line = [str(write(folder, PROBLEM)), "--out", str(folder / "run")]
    assert main([*line, "--set", "output.animation=gif"]) == 0
    return folder / "run"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """Return the folder of a longer run that nothing has interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    assert main([str(write(folder, LONG)), "--out", str(folder / "run")]) == 0
    return folder / "run"


def test_snapshots_are_the_states_at_even_times(run):
    found, solution = arrays(run / "snapshots.h5"), arrays(run / "solution.h5")
    n_steps = len(solution["signals/t"])
    steps = found["step"].astype(int)
    assert steps[0] == 0
    assert steps[-1] == n_steps
    assert np.ptp(np.diff(steps)) <= 1
    assert found["t"][-1] == 0.002
    for n, step in enumerate(steps[:-1]):  # the signals saw the same states
        assert found["t"][n] == solution["signals/t"][step]
        for name in ("E", "F", "T"):
            field = found[f"{n:05d}/{name}"]
            assert np.array_equal(field[:, 0], solution[f"signals/left/{name}"][step])
            assert np.array_equal(field[-1], solution[f"signals/up/{name}"][step])
    for name in ("E", "F", "T"):
        assert np.array_equal(found[f"00004/{name}"], solution[f"fields/{name}"])
    assert np.array_equal(found["rho"], solution["fields/rho"])


def test_the_xdmf_file_describes_the_data_that_are_there(run):
    series = ET.parse(run / "snapshots.xdmf").getroot()[0][0]
    with h5py.File(run / "snapshots.h5") as file:
        times = [float(time.attrib["Value"]) for time in series.iter("Time")]
        assert times == file["t"][()].tolist()
        for item in series.iter("DataItem"):
            name, _, data_set = (item.text or "").partition(":")
            assert name == "snapshots.h5"
            assert " ".join(map(str, file[data_set].shape)) == item.attrib["Dimensions"]
            assert file[data_set].dtype.itemsize == int(item.attrib["Precision"])
        shapes = [topology.attrib["Dimensions"] for topology in series.iter("Topology")]
        assert shapes == ["18 24"] * 5
        assert file["x"][[0, -1]].tolist() == [-1, 1]
        assert file["y"][[0, -1]].tolist() == [2, 3]


def test_a_viewer_shows_the_snapshots_where_they_belong(run):
    pyvista = pytest.importorskip(
        "pyvista", reason="reads XDMF as ParaView does; not among our requirements (100 MB)"
    )
    reader = pyvista.get_reader(run / "snapshots.xdmf")
    found = arrays(run / "snapshots.h5")
    assert reader.time_values == found["t"].tolist()
    reader.set_active_time_value(reader.time_values[3])
    mesh = reader.read()
    while isinstance(mesh, pyvista.MultiBlock):
        mesh = mesh[0]
    assert mesh.bounds == pytest.approx((-1, 1, 2, 3, 0, 0))
    assert np.array_equal(mesh.cell_data["E"], found["00003/E"].ravel())
    assert np.array_equal(mesh.cell_data["rho"], found["rho"].ravel())
    assert np.array_equal(mesh.cell_data["F"][:, :2], found["00003/F"].reshape(-1, 2))
    centres = mesh.cell_centers().points.reshape(17, 23, 3)
    assert centres[3, 5, :2] == pytest.approx((-1 + 5.5 * 2 / 23, 2 + 3.5 / 17))


def test_the_animation_has_a_frame_for_each_snapshot_in_colours_that_stay(run):
    with Image.open(run / "animation.gif") as gif:
        frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(gif)]
    assert len(frames) == 5
    first, last = frames[0], frames[-1]
    # The panel of E: the front is in the left half; the right half still is as it was.
    panel = np.nonzero((first == first[first.shape[0] // 2, 120]).all(axis=2))
    right, left = panel[1].max() - 3, panel[1].min() + 3
    row = int(np.median(panel[0]))
    assert (first[row, right] == last[row, right]).all()
    assert (first[row, left] != last[row, left]).any()


def test_thinned_signals_are_every_kth_row(tmp_path, run):
    line = [str(write(tmp_path, PROBLEM)), "--out", str(tmp_path / "thin")]
    assert main([*line, "--set", "output.signals_every=3"]) == 0
    thin, full = arrays(tmp_path / "thin" / "solution.h5"), arrays(run / "solution.h5")
    for name, values in full.items():
        kept = values[::3] if name.startswith("signals/") else values
        assert np.array_equal(thin[name], kept), name


@pytest.mark.parametrize(
    ("setting", "part"),
    [
        ("output.snapshots=1", "expected 0 or 2 to"),
        ("output.snapshots=9999", "steps"),
        ("output={animation: gif}", "output.snapshots"),
        ("output.animation=mp4", "no ffmpeg"),
        ("output.signals_every=0", "signals_every"),
    ],
)
def test_output_that_cannot_be_is_refused(setting, part, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")
    config = write(tmp_path, PROBLEM)
    assert main([str(config), "--out", str(tmp_path / "run"), "--set", setting]) == 2
    assert part in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_thinned_signals_are_refused_with_an_export(tmp_path, capsys):
    config = write(tmp_path, PROBLEM + f"export: {{file: {tmp_path}/x.csv}}")
    line = [str(config), "--out", str(tmp_path / "run"), "--set", "output.signals_every=2"]
    assert main(line) == 2
    assert "hold every step" in capsys.readouterr().err


@pytest.mark.mpi
def test_a_killed_run_goes_on_to_the_same_snapshots_on_other_ranks(tmp_path, whole, mpirun):
    config, out = write(tmp_path, LONG), tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs.solve", str(config), "--out", str(out)], cwd=ROOT
    )
    while not (out / "checkpoint.h5").exists():
        time.sleep(0.002)
        assert process.poll() is None
    process.kill()
    process.wait()
    assert not (out / "snapshots.h5").exists()
    for left_over in (".checkpoint.h5.part", ".run.json.123.part.json"):
        (out / left_over).write_text("cut off")
    resumed = mpirun(2, "-m", "jobs.solve", config, "--out", out, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads((out / "run.json").read_text())["resumed_from_step"] > 0
    for name in ("snapshots.h5", "solution.h5"):
        assert same_bits(whole / name, out / name)
    assert (out / "snapshots.xdmf").read_text() == (whole / "snapshots.xdmf").read_text()
    hidden = {path.name for path in out.iterdir() if path.name.startswith(".")}
    assert hidden == {".opalux.json", ".opalux.lock"}


def nothing_looks_whole(out: Path) -> bool:
    """Return whether all that stands in ``out`` is the configuration and unfinished files."""
    kept = {"config.yaml", ".opalux.json", ".opalux.lock"}
    return all(path.name in kept or ".part" in path.name for path in out.iterdir())


def test_a_file_that_cannot_grow_ends_the_run_with_one_message(tmp_path):
    config, out = write(tmp_path, LONG), tmp_path / "run"
    line = [sys.executable, "-m", "jobs.solve", str(config), "--out", str(out)]
    done = subprocess.run(
        line,
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6)),
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith(f"error: {out}/solution.h5: cannot be written (File too large)")
    assert done.stderr.count("\n") == 1
    assert nothing_looks_whole(out)
    assert main([*line[3:], "--resume"]) == 0


SMALL_DISK = """
mount -t tmpfs -o size={size}k none {disk} || exit 99
{launch} {python} -m jobs.solve {config} --out {disk}/run > {log} 2>&1
code=$?
ls -A {disk}/run > {listing}
mount -o remount,size=64m {disk}
{launch} {python} -m jobs.solve {config} --out {disk}/run --resume || exit 98
cp {disk}/run/solution.h5 {kept}
exit $code
"""


@pytest.mark.mpi
@pytest.mark.parametrize("ranks", [1, 2])
def test_a_full_disk_ends_the_run_with_one_message_and_room_lets_it_go_on(ranks, tmp_path, whole):
    (tmp_path / "disk").mkdir()
    config = write(tmp_path, LONG)
    results = sum((whole / f"{name}.h5").stat().st_size for name in ("solution", "snapshots"))
    script = SMALL_DISK.format(
        size=results // 1024 + 512,  # all results fit, a checkpoint (1.2 MB) does not
        disk=tmp_path / "disk",
        launch=f"mpirun -n {ranks}" if ranks > 1 else "",
        python=sys.executable,
        config=config,
        log=tmp_path / "log",
        listing=tmp_path / "listing",
        kept=tmp_path / "kept.h5",
    )
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if not (tmp_path / "log").exists():
        pytest.skip(f"a small disk cannot be mounted here ({done.stderr.strip()})")
    log = (tmp_path / "log").read_text()
    assert done.returncode == 1, done.stderr
    assert "checkpoint.h5: cannot be written (No space left on device)" in log
    assert log.count("error:") == 1
    assert "Traceback" not in log
    names = set((tmp_path / "listing").read_text().split())
    ours = {"config.yaml", ".opalux.json", ".opalux.lock"}
    assert names == {*ours, ".solution.h5.part", ".snapshots.h5.part"}
    assert same_bits(whole / "solution.h5", tmp_path / "kept.h5")


def test_a_report_that_could_not_be_written_is_made_up_for_without_a_step(
    tmp_path, monkeypatch, capsys
):
    out = tmp_path / "run"
    line = [str(write(tmp_path, PROBLEM)), "--out", str(out)]

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(simulation_report, "write_json", full)
        assert main(line) == 1
    assert "No space left" in capsys.readouterr().err
    written = (out / "solution.h5").stat().st_mtime_ns
    assert main([*line, "--resume"]) == 0
    assert (out / "solution.h5").stat().st_mtime_ns == written
    report = json.loads((out / "run.json").read_text())
    assert report["resumed_from_step"] == report["steps"]


@pytest.mark.mpi
@pytest.mark.parametrize("ranks", [1, 2])
def test_a_run_holds_at_most_12_numbers_a_cell(ranks, tmp_path, mpirun):
    """The growth of all processes' peak memory from a small to a large grid, per cell added."""
    peaks, cells = [], []
    for n in (200, 1200):
        config = write(
            tmp_path,
            f"grid: {{nx: {n}}}\ntime: {{final: {0.5 / n / 299 * 6}}}\n"
            "material: {density: 1+x*y, sigma_a: rho*T, sigma_c: rho*T^2}\n"
            "initial: {E: 8+x, T: 5+y}\nedges: {left: {kind: source}}\n"
            "output: {pictures: false, snapshots: 3, checkpoint_steps: 2}\n",
        )
        done = mpirun(ranks, "-m", "jobs.solve", config, "--out", tmp_path / f"run{n}")
        assert done.returncode == 0, done.stderr
        assert "bytes a cell" in done.stderr.splitlines()[-1]
        memory = json.loads((tmp_path / f"run{n}" / "run.json").read_text())["memory"]
        peaks.append(memory["peak_resident_bytes"])
        cells.append(n * n)
    held = memory["bytes_per_cell"] / 8
    grown = (peaks[1] - peaks[0]) / (cells[1] - cells[0]) / 8
    assert 5 <= held <= 12  # E, Fx, Fy, T, ρ and rows of scratch
    assert grown <= 12, f"{grown:.1f} float64 a cell, of which {held:.1f} in arrays"
    print(f"{ranks} ranks: {grown:.2f} float64 a cell, of which {held:.2f} in arrays")


def test_a_density_is_solved_again_as_it_was_saved(tmp_path, capsys):
    rng = np.random.default_rng(3)
    np.save(tmp_path / "first.npy", rng.uniform(1, 2, (5, 7)))
    text = (
        "grid: {{x: [0, 1]}}\ntime: {{final: 0.001}}\nmaterial: {{density: "
        "{{kind: array, file: {}}}}}\n"
        "edges: {{up: {{kind: source}}}}\noutput: {{pictures: false}}\n"
    )
    results: list[list[np.ndarray]] = []
    for name in ("first.npy", "rho.npy", "RHO.NPY", "run-0/solution.h5"):
        run = tmp_path / f"run-{len(results)}"
        config = write(tmp_path, text.format(name))
        assert main([str(config), "--out", str(run)]) == 0
        told = capsys.readouterr().err
        assert ("is taken for the bottom edge" in told) == name.lower().endswith(".npy")
        with h5py.File(run / "solution.h5") as file:
            results.append([file["fields/rho"][()], file["fields/E"][()], file["signals/up/E"][()]])
        np.save(tmp_path / "rho.npy", results[0][0])
        np.save(tmp_path / "RHO.tmp.npy", results[0][0])
        (tmp_path / "RHO.tmp.npy").rename(tmp_path / "RHO.NPY")
    np.testing.assert_array_equal(results[0][0], np.load(tmp_path / "first.npy"))
    for other in results[1:]:
        for one, again in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(one, again)
    config = write(tmp_path, text.format("run-0/solution.h5, first_row: top"))
    assert main([str(config), "--out", str(tmp_path / "again")]) == 2
    assert "whose row 0 is the bottom" in capsys.readouterr().err


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (4,), (), (1, 2, 3)])
def test_a_density_file_without_a_map_is_told_in_one_message(shape, tmp_path, capsys):
    np.save(tmp_path / "rho.npy", np.ones(shape))
    config = write(tmp_path, "material: {density: {kind: array, file: rho.npy}}")
    assert main([str(config), "--out", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.count("error:") == 1


def test_an_hdf5_file_without_a_density_is_told_in_one_message(tmp_path, capsys):
    h5py.File(tmp_path / "rho.h5", "w").close()
    config = write(tmp_path, "material: {density: {kind: array, file: rho.h5}}")
    assert main([str(config), "--out", str(tmp_path / "run")]) == 2
    assert "found neither of fields/rho" in capsys.readouterr().err
