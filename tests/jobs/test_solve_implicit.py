"""``opalux solve`` with implicit steps: any number of processes, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from opalux.jobs.solve import main
from opalux.solver.files.solution import read_solution

CONFIG = """\
scheme: staggered
grid: {nx: 12, ny: 10}
time: {final: 0.02, method: implicit, tolerance: 1.0e-3, records: 20}
material: {density: "1 + 5*x*y", sigma_a: rho*T^-1, sigma_c: 1 + rho*T^-1}
initial: {E: 1, T: 3}
edges: {left: {kind: prescribed, E: 9, T: 5}, right: {kind: vacuum}, up: {kind: free}}
detectors: [{x: 0.5, y: 0.4, width: 0.2}]
output: {pictures: false, snapshots: 3}
"""


@pytest.mark.mpi
def test_ranks_agree_to_the_tolerance_of_the_solver(tmp_path: Path, mpirun) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.replace("final: 0.02", "final: 0.002"))
    assert main([str(config), "--out", str(tmp_path / "1")]) == 0
    for ranks in (2, 4):
        done = mpirun(ranks, "-m", "jobs.solve", config, "--out", tmp_path / str(ranks))
        assert done.returncode == 0, done.stderr
    one = read_solution(tmp_path / "1" / "solution.h5")
    for ranks in (2, 4):
        many = read_solution(tmp_path / str(ranks) / "solution.h5")
        run = json.loads((tmp_path / str(ranks) / "run.json").read_text())
        assert run["implicit"]["linear_solver"].startswith("petsc")
        pairs = [(one.fields, many.fields)]
        pairs += [(one.signals[name], many.signals[name]) for name in one.signals]
        for expected, found in pairs:
            np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_snapshots_lie_at_records(tmp_path: Path) -> None:
    import h5py

    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)
    assert main([str(config), "--out", str(tmp_path / "run")]) == 0
    with h5py.File(tmp_path / "run" / "snapshots.h5") as file:
        np.testing.assert_allclose(file["t"], [0, 0.01, 0.02])
        last = file["00002/E"][()]
    solution = read_solution(tmp_path / "run" / "solution.h5")
    assert np.array_equal(last, solution.fields[0])
    np.testing.assert_allclose(solution.times, np.arange(20) * 1e-3)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["time.method=implicitly"], "time.method"),
        (["time.method=explicit"], "which does not use it"),
        (["time.tolerance=0"], "time.tolerance"),
        (["time.tolerance=yes"], "tolerance"),
        (["time.step=-1"], "time.step"),
        (["time.records=0"], "records"),
        (["time.records=[0.1,0.01]"], "do not increase"),
        (["time.records=[0,1]"], "up to final"),
        (["time.accuracy=3"], "time.accuracy"),
        (["scheme=consistent"], "expected 'scheme: staggered'"),
        (["dtype=float32"], "in float64"),
        (["time.adaptive=false", "time.step=1e-12"], "raise it"),
        (["time.solver=scipy", "time.petsc=-ksp_type cg"], "with 'solver: scipy'"),
        (["time.final=1e-300", "time.records=1"], "time.final"),
        (["time.final=1e300", "time.records=1"], "'method: steady'"),
        (["time.method=steady"], "records"),
        (["time.toleranc=1"], "did you mean 'tolerance'"),
    ],
)
def test_wrong_times_are_one_message(words: list[str], said: str, tmp_path: Path, capsys) -> None:
    config, out = tmp_path / "config.yaml", tmp_path / "run"
    config.write_text(CONFIG)
    sets = [word for override in words for word in ("--set", override)]
    assert main([str(config), "--out", str(out), *sets]) == 2
    message = capsys.readouterr().err
    assert message.count("error:") == 1, message
    assert said in message
    assert not out.exists()


@pytest.mark.mpi
def test_options_that_petsc_does_not_know_are_one_message(tmp_path: Path, capsys) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)
    line = [str(config), "--out", str(tmp_path / "run"), "--set"]
    for options in (
        "-pc_type nothing",
        "-ksp_typ cg",
        "ksp_type cg",
        "-tolerance 1",
        "-ksp_atol 1",
    ):
        assert main([*line, f"time.petsc={options}"]) == 2
        message = capsys.readouterr().err
        assert message.count("error:") == 1, message
        assert "petsc" in message
        assert not (tmp_path / "run").exists()


@pytest.mark.mpi
@pytest.mark.parametrize(
    "words", [["--petsc", "-ksp_type", "gmres"], ["--petsc", "-ksp_type gmres"]]
)
def test_options_on_the_command_line_win_over_the_configuration(
    words: list[str], tmp_path: Path
) -> None:
    config, out = tmp_path / "config.yaml", tmp_path / "run"
    config.write_text(CONFIG)
    asked = ["--set", "time.petsc=-ksp_type cg -pc_type sor", *words, "--out", str(out)]
    assert main([str(config), *asked]) == 0
    run = json.loads((out / "run.json").read_text())
    assert run["implicit"]["linear_solver"] == "petsc gmres + sor"
    assert main([str(config), *asked, "--resume"]) == 0  # the same configuration


@pytest.mark.parametrize("words", [["--petsc"], ["--petsc", "--dry-run"]])
def test_a_flag_without_options_is_refused(words: list[str], tmp_path: Path, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["debug", *words])
    assert ended.value.code == 2
    assert "--petsc" in capsys.readouterr().err
