"""``opalux solve`` as a user meets it: results, refusals, interruptions."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from opalux.jobs.solve import main
from tests.conftest import ROOT, clean_environment

GOLDEN = ROOT / "tests" / "golden"
DEBUG = ROOT / "configs" / "solve" / "debug.yaml"

UNEVEN = """
grid: {nx: 61, ny: 37}
time: {final: 0.001}
material: {density: 1+3*x*y, sigma_a: rho*T^0.5, sigma_c: rho*T+1}
initial: {E: 8+3*sin(6*x), Fx: y}
"""
CASES = {
    "source": UNEVEN + "edges: {left: {kind: source, sources: [{start: 0.1, stop: 0.4}]}}",
    "periodic": UNEVEN
    + "edges: {left: {kind: periodic}, right: {kind: periodic}, up: {kind: wall}}",
    "detectors": UNEVEN
    + "scheme: staggered\nedges: {up: {kind: periodic}, down: {kind: periodic}}\n"
    + "signals: {at: edge}\ndetectors: [{x: 0.5, y: 0.3, radius: 0.2}, {x: 0.2, y: 0.001},"
    + " {edge: left, position: 0.3, width: 0.4}]",
    "published": UNEVEN + "scheme: published\nedges: {up: {kind: source, T: free}}",
}


def arrays(path: Path) -> dict[str, np.ndarray]:
    """Return every data set of an HDF5 file."""
    found = {}
    with h5py.File(path, "r") as file:
        file.visititems(
            lambda name, node: (
                found.update({name: node[()]}) if isinstance(node, h5py.Dataset) else None
            )
        )
    return found


def same_bits(one: Path, other: Path) -> bool:
    """Return whether two solutions hold the same arrays, bit for bit."""
    a, b = arrays(one), arrays(other)
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def test_results_follow_the_contract(tmp_path):
    out = tmp_path / "run"
    assert main([str(DEBUG), "--out", str(out)]) == 0
    found = arrays(out / "solution.h5")
    n = len(found["signals/t"])
    assert found["fields/E"].shape == found["fields/T"].shape == (30, 30)
    assert found["fields/F"].shape == (30, 30, 2)
    assert found["signals/left/E"].shape == (n, 30)
    assert found["signals/up/F"].shape == (n, 30, 2)
    assert all(array.dtype == np.float64 for array in found.values())
    with h5py.File(out / "solution.h5") as file:
        assert file["fields"].attrs["t"] == 0.002
        assert {"config", "scheme", "format_version", "opalux_version", "git_revision"} <= set(
            file.attrs
        )
    run = json.loads((out / "run.json").read_text())
    assert run["ranks"] == 1
    assert run["cell_steps_per_second"] > 0
    assert {"fields.png", "signals.png"} <= {path.name for path in out.iterdir()}
    assert not [path.name for path in out.iterdir() if ".part" in path.name]


def test_row_n_of_the_signals_is_the_state_before_step_n(tmp_path):
    out = tmp_path / "run"
    assert main([str(DEBUG), "--out", str(out), "--set", "output.pictures=false"]) == 0
    found = arrays(out / "solution.h5")
    assert found["signals/t"][0] == 0
    assert found["signals/left/E"][0] == pytest.approx(0.01372 * 625, rel=1e-15)
    assert found["signals/left/E"][3, 15] > 0.01372 * 625


@pytest.mark.mpi
@pytest.mark.parametrize("case", CASES)
def test_one_two_and_four_ranks_give_the_same_bits(case, tmp_path, mpirun):
    config = tmp_path / "uneven.yaml"
    config.write_text(CASES[case] + "\noutput: {pictures: false}")
    assert main([str(config), "--out", str(tmp_path / "serial")]) == 0
    for n in (1, 2, 4):
        out = tmp_path / f"ranks{n}"
        done = mpirun(n, "-m", "jobs.solve", config, "--out", out)
        assert done.returncode == 0, done.stderr
        assert same_bits(tmp_path / "serial" / "solution.h5", out / "solution.h5"), n


@pytest.mark.mpi
def test_a_rank_that_fails_ends_the_run_with_its_message(tmp_path, mpirun):
    script = tmp_path / "fails.py"
    script.write_text(
        "import sys\n"
        "import opalux.solver.march as march\n"
        "from opalux.jobs.solve import main\n"
        "from opalux.solver.domains.petsc import world\n"
        "run = march.March.run\n"
        "def broken(self, *pauses):\n"
        "    for n, chunk in enumerate(run(self, *pauses)):\n"
        "        if world().Get_rank() == 1:\n"
        "            raise RuntimeError('cosmic ray')\n"
        "        yield chunk\n"
        "march.March.run = broken\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    out = tmp_path / "run"
    done = mpirun(2, script, DEBUG, "--out", out, PYTHONPATH=str(ROOT), timeout=60)
    assert done.returncode not in (0, 2)
    assert "cosmic ray" in done.stderr
    assert not (out / "solution.h5").exists()


AROUND = "edges={left: {kind: periodic}, right: {kind: periodic}}"


@pytest.mark.mpi
@pytest.mark.parametrize(
    ("settings", "part"),
    [
        (["material.density=x-0.9"], "density"),
        (["material.density=y-0.1", AROUND], "density"),  # ghosts are exchanged before the start
        (["material.heat_capacity=6-T", "initial.E=y<0.5?8:1000"], "heat_capacity"),
        (["source=y<0.5?0:-1e5"], "is left"),
    ],
)
def test_what_one_rank_finds_wrong_is_told_once_with_exit_code_2(settings, part, tmp_path, mpirun):
    out = tmp_path / "run"
    words = [word for setting in settings for word in ("--set", setting)]
    done = mpirun(2, "-m", "jobs.solve", DEBUG, "--out", out, *words, timeout=60)
    assert done.returncode == 2
    assert done.stderr.count("error:") == 1
    assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert not out.exists()


@pytest.mark.mpi
def test_a_world_of_one_where_slurm_says_more_is_refused(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "jobs.solve", str(DEBUG), "--out", str(tmp_path / "run")],
        cwd=ROOT,
        env=clean_environment() | {"SLURM_STEP_NUM_TASKS": "4"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "4 processes" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_fault_after_a_checkpoint_leaves_nothing_that_looks_whole(tmp_path, capsys):
    config, out = tmp_path / "hot.yaml", tmp_path / "run"
    config.write_text(
        "grid: {nx: 200}\ntime: {final: 0.02}\noutput: {pictures: false, checkpoint_steps: 1}\n"
        "material: {sigma_a: 0.02, sigma_c: 0.01, heat_capacity: 6-T}\ninitial: {E: 100}"
    )
    line = [str(config), "--out", str(out)]
    for words in ([], ["--resume"]):
        assert main([*line, *words]) == 2
        message = capsys.readouterr().err
        assert message.count("error:") == message.count("warning:") == 1, message
        assert "heat_capacity" in message
        assert {path.name for path in out.iterdir() if path.suffix == ".h5"} == {"checkpoint.h5"}


def test_an_existing_folder_is_refused_unless_told_otherwise(tmp_path, capsys):
    line = [str(DEBUG), "--out", str(tmp_path / "run"), "--set", "output.pictures=false"]
    assert main(line) == 0
    assert main(line) == 2
    assert "--resume" in capsys.readouterr().err
    before = (tmp_path / "run" / "solution.h5").stat().st_mtime_ns
    assert main([*line, "--resume"]) == 0
    assert (tmp_path / "run" / "solution.h5").stat().st_mtime_ns == before
    assert main([*line, "--force"]) == 0
    assert (tmp_path / "run" / "solution.h5").stat().st_mtime_ns > before


def test_force_does_not_delete_a_folder_that_is_no_run(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    assert main([str(DEBUG), "--out", str(tmp_path), "--force"]) == 2
    assert (tmp_path / "thesis.tex").exists()


def test_resume_with_another_configuration_is_refused(tmp_path, capsys):
    line = [str(DEBUG), "--out", str(tmp_path / "run"), "--set", "output.pictures=false"]
    assert main(line) == 0
    assert main([*line, "--resume", "--set", "time.final=0.001"]) == 2
    assert "another configuration" in capsys.readouterr().err


def test_dry_run_writes_nothing(tmp_path, capsys):
    assert main([str(DEBUG), "--out", str(tmp_path / "run"), "--dry-run"]) == 0
    assert "30 x 30 cells" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def bad_npy(tmp_path: Path) -> None:
    """Make density files that cannot be used."""
    np.save(tmp_path / "ones.npy", np.ones((4, 5)))
    for name, value in (("negative", -1.0), ("nan", np.nan), ("zero", 0.0)):
        field = np.ones((4, 5))
        field[2, 3] = value
        np.save(tmp_path / f"{name}.npy", field)
    np.save(tmp_path / "cube.npy", np.ones((2, 2, 2)))
    np.save(tmp_path / "objects.npy", np.array([[{}]]), allow_pickle=True)
    np.save(tmp_path / "complex.npy", np.ones((4, 5), complex))
    (tmp_path / "text.npy").write_text("not an array")
    (tmp_path / "empty.npy").write_text("")


BAD = {
    "grid: {nx: 8, nyy: 3}": "did you mean 'ny'",
    "grid: {nx: 8}\nshceme: published": "did you mean 'scheme'",
    "grid: {nx: eight}": "grid.nx",
    "grid: {nx: 8.5}": "grid.nx",
    "grid: {nx: -8}": "grid.nx",
    "grid: {nx: 8, x: [1, 0]}": "from < to",
    "time: {cfl: 0.5}": "grid.nx: missing",
    "grid: {nx: 8}\ntime: {cfl: 0.51}": "at most 0.5",
    "grid: {nx: 8}\ntime: {cfl: 0}": "time.cfl",
    "grid: {nx: 8}\ntime: {final: .nan}": "time.final",
    "grid: {nx: 8}\ntime: {final: .inf}": "time.final",
    "grid: {nx: 8}\nmaterial: {density: x-0.5}": "finite and > 0",
    "grid: {nx: 8}\nmaterial: {density: 1/0}": "finite and > 0",
    "grid: {nx: 8}\nmaterial: {sigma_a: rho*Q}": "unknown name 'Q'",
    "grid: {nx: 8}\nmaterial: {sigma_a: \"__import__('os')\"}": "unknown function '__import__'",
    "grid: {nx: 8}\nmaterial: {heat_capacity: 0}": "heat_capacity",
    "grid: {nx: 8}\ninitial: {T: -5}": "initial.T",
    "grid: {nx: 8}\ninitial: {E: 1/x-1/x}": "initial.E",
    "grid: {nx: 8}\nedges: {left: {kind: sauce}}": "edges.left",
    "grid: {nx: 8}\nedges: {left: {kind: periodic}}": "pairs",
    "grid: {nx: 8}\nedges: {left: {kind: source, sources: [{start: 0.5, stop: 2}]}}": "part of",
    "grid: {nx: 8}\nedges: {left: {kind: source, sources: [{table: none.txt}]}}": "none.txt",
    "grid: {nx: 8}\nedges: {left: {kind: prescribed, E: 1+x}}": "only t and y",
    "material: {density: {kind: array, file: none.npy}}": "no such file",
    "material: {density: {kind: array, file: negative.npy}}": "-1.0 in cell",
    "material: {density: {kind: array, file: nan.npy}}": "nan in cell",
    "material: {density: {kind: array, file: zero.npy}}": "0.0 in cell",
    "material: {density: {kind: array, file: cube.npy}}": "expected (ny, nx)",
    "material: {density: {kind: array, file: objects.npy}}": "not a readable",
    "material: {density: {kind: array, file: complex.npy}}": "complex",
    "material: {density: {kind: array, file: text.npy}}": "not a readable",
    "material: {density: {kind: array, file: empty.npy}}": "not a readable",
    "grid: {nx: 8}\nmaterial: {density: {kind: array, file: ones.npy}}": "found 8",
    "grid: {nx: 8}\nmaterial: {density: {kind: niche, x: 3, y: 0, low: 1, high: 2}}": "centre",
    "scheme: published\ngrid: {nx: 8}\nedges: {left: {kind: wall}}": "published",
    "grid: {nx: 8}\ngrid: {nx: 9}": "stands twice",
    "grid: [nx, 8]": "grid",
    "- 1": "mapping",
    "grid: {nx: 8": "not valid YAML",
    "grid: {nx: 8}\nexport: {file: /proc/none/x.csv}": "cannot write",
    "grid: {nx: 8}\nexport: {file: x.sds, mode: binary}\ntime: {final: 90}": "sds02",
}


@pytest.mark.parametrize("text", BAD)
def test_bad_input_is_told_in_one_message_and_leaves_nothing(text, tmp_path, capsys):
    bad_npy(tmp_path)
    config = tmp_path / "bad.yaml"
    config.write_text(text)
    assert main([str(config), "--out", str(tmp_path / "run")]) == 2
    message = capsys.readouterr().err
    assert message.count("error:") == 1
    assert BAD[text] in message
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["none.yaml"], "no such configuration"),
        (["."], "cannot be read"),
        ([str(DEBUG), "--set", "time.final"], "a.b=value"),
        ([str(DEBUG), "--set", "time.final.x=1"], "is a value"),
        ([str(DEBUG), "--out", "/proc/none/run"], "cannot write"),
        ([str(DEBUG), "--out", str(DEBUG)], "found a file"),
        ([str(DEBUG), "--out", "x" * 256], "name too long"),
        ([str(DEBUG), "--out", "x/" * 3000], "name too long"),
        (["x" * 256], "name too long"),
        ([f"{'x' * 256}.yaml"], "name too long"),
        ([f"{DEBUG}/debug.yaml"], "cannot be read"),
        ([str(DEBUG), "--resume", "--force"], "exclude each other"),
    ],
)
def test_bad_arguments_are_told_in_one_message(arguments, part, capsys):
    assert main(arguments) == 2
    message = capsys.readouterr().err
    assert message.count("error:") == 1
    assert part in message


def test_a_current_folder_that_was_deleted_is_told_in_one_message(tmp_path, monkeypatch, capsys):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert main(["debug", "--dry-run"]) in (0, 2)  # it may not be needed
    assert main(["debug"]) == 2
    message = capsys.readouterr().err
    assert "Traceback" not in message
    assert "the current folder" in message


def test_published_cfg_runs_with_all_its_keys(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for letter in "udlr":
        shutil.copy(GOLDEN / f"sds16_{letter}.cfg", tmp_path)
    shutil.copy(GOLDEN / "rho16.npy", tmp_path)
    for letter in "udlr":
        line = [f"sds16_{letter}.cfg", "--out", f"run_{letter}", "--set", "scheme=published"]
        assert main([*line, "--set", "output.pictures=false"]) == 0
    assert (tmp_path / "rho16.sds").read_bytes() == (GOLDEN / "rho16.sds").read_bytes()


@pytest.mark.mpi
@pytest.mark.parametrize(
    ("scheme", "ranks"), [("consistent", 1), ("consistent", 2), ("staggered", 2)]
)
def test_a_run_stopped_by_a_signal_goes_on_bit_for_bit(scheme, ranks, tmp_path, mpirun):
    config = tmp_path / "long.yaml"
    config.write_text(
        f"scheme: {scheme}\ngrid: {{nx: 300, ny: 200}}\ntime: {{final: 0.01}}\n"
        "output: {pictures: false, signals_every: 5}\n"
        "material: {density: 1+x}\nedges: {left: {kind: source}, up: {kind: wall}}"
    )
    line = ["-m", "jobs.solve", str(config), "--out"]
    launch = ["mpirun", "-n", str(ranks), sys.executable] if ranks > 1 else [sys.executable]
    assert main([str(config), "--out", str(tmp_path / "whole")]) == 0
    process = subprocess.Popen(
        [*launch, *line, str(tmp_path / "run")], cwd=ROOT, env=clean_environment()
    )
    unfinished = tmp_path / "run" / ".solution.h5.part"
    deadline = time.monotonic() + 60
    while not unfinished.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGUSR1)  # mpirun hands it on to the ranks
    code = process.wait(timeout=60)
    assert code == 75
    assert (tmp_path / "run" / "checkpoint.h5").exists()
    assert not (tmp_path / "run" / "solution.h5").exists()
    resumed = mpirun(3 - ranks, *line, tmp_path / "run", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    assert 0 < run["resumed_from_step"] < run["steps"]
    assert same_bits(tmp_path / "whole" / "solution.h5", tmp_path / "run" / "solution.h5")


def test_a_killed_run_goes_on_from_its_last_checkpoint(tmp_path):
    config = tmp_path / "long.yaml"
    config.write_text(
        "scheme: published\ngrid: {nx: 200}\ntime: {final: 0.001}\n"
        "output: {pictures: false, checkpoint_steps: 40}\n"
        "edges: {left: {kind: source, T: 5+t}, right: {kind: source, T: free}}"
    )
    assert main([str(config), "--out", str(tmp_path / "whole")]) == 0
    run = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs.solve", str(config), "--out", str(run)], cwd=ROOT
    )
    while not (run / "checkpoint.h5").exists():
        time.sleep(0.005)
        assert process.poll() is None
    process.kill()
    process.wait()
    assert not (run / "solution.h5").exists()
    assert main([str(config), "--out", str(run), "--resume"]) == 0
    assert json.loads((run / "run.json").read_text())["resumed_from_step"] >= 40
    assert same_bits(tmp_path / "whole" / "solution.h5", run / "solution.h5")


def test_an_allocation_without_a_step_is_one_process(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "jobs.solve", str(DEBUG), "--dry-run"],
        cwd=ROOT,
        env=clean_environment() | {"SLURM_JOB_ID": "1", "SLURM_NTASKS": "4"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
