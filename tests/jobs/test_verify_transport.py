"""``opalux verify transport``: how far P1 is from transport on a user's problem."""

import json

import numpy as np
import pytest

from opalux.jobs.verification.distance import distances
from opalux.jobs.verify import main
from opalux.solver.grid import Grid
from opalux.solver.solution import Solution

CONFIG = """\
grid: {nx: 12, ny: 1, y: [0, 1]}
time: {final: 0.02, cfl: 0.4}
order: 2
material: {density: 1, sigma_a: 0.1*SIGMA, sigma_c: SIGMA}
initial: {E: 0.01, T: 0.5}
edges:
  left: {kind: source, T: 3, sources: [{amplitude: 0}]}
  right: {kind: wall}
  up: {kind: wall}
  down: {kind: wall}
"""


def write(folder, sigma=1.0, extra=""):
    path = folder / "own.yaml"
    path.write_text(CONFIG.replace("SIGMA", str(sigma)) + extra)
    return path


def run(config, out, *words):
    return main(["transport", str(config), "--out", str(out), "--quadrature", "4", *words])


def test_p1_is_close_to_transport_in_a_thick_medium_alone_and_closest_with_a_third(tmp_path):
    found = {}
    for sigma in (0.5, 20):
        assert run(write(tmp_path, sigma), tmp_path / "out", "--force") == 0
        found[sigma] = json.loads((tmp_path / "out/transport.json").read_text())["distances"]
    thin, thick = (
        {name: made["fields"]["E"] for name, made in found[sigma].items()} for sigma in found
    )
    assert list(thin) == ["P1, k = 1", "P1, k = 1/3", "transport, S2"]
    assert thick["P1, k = 1/3"] < 0.03 < thick["P1, k = 1"]
    assert thin["P1, k = 1/3"] > 2 * thick["P1, k = 1/3"]
    assert found[20]["P1, k = 1"]["right"]["F"] is None  # a wall


def test_the_page_shows_all_models_and_what_the_log_says(tmp_path, capsys):
    config = write(tmp_path, extra="constants: {eddington: 0.5}\n")
    assert run(config, tmp_path / "out", "--set", "time.cfl=1.2") == 0  # too much for k = 1
    page = (tmp_path / "out/report.html").read_text()
    lines = capsys.readouterr().out.splitlines()
    for name in ("P1, k = 0.5", "P1, k = 1", "P1, k = 1/3", "transport, S2"):
        row = next(line for line in lines if line.startswith(name))
        assert name in page
        assert row.removeprefix(name).split()[0] in page
    assert page.count("data:image/png") == 2


def test_results_are_kept_unless_they_are_to_be_replaced(tmp_path, capsys):
    config, out = write(tmp_path), tmp_path / "out"
    assert run(config, out) == 0
    before = (out / "transport.json").read_bytes()
    assert run(config, out) == 2
    assert "exists already" in capsys.readouterr().err
    assert run(config, out, "--resume") == 0
    assert "complete already" in capsys.readouterr().out
    assert run(config, out, "--resume", "--quadrature", "2") == 2
    assert "--quadrature 4, found 2" in capsys.readouterr().err
    assert (out / "transport.json").read_bytes() == before
    assert run(config, out, "--force", "--quadrature", "2") == 0
    assert json.loads((out / "transport.json").read_text())["quadrature"] == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--set", "scheme=published"], "scheme: found 'published'"),
        (["--set", "edges.right={kind: prescribed, E: 1}"], "edges.right: found kind 'prescribed'"),
        (["--quadrature", "5"], "found N = 5, expected even"),
        (["--quadrature", "0"], "found N = 0, expected even"),
        (["--set", "material.sigma_c=0"], "found sigma_c = 0 < sigma_a"),
        (["--set", "time.final=-1"], "time.final"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_nothing_written(tmp_path, capsys, words, message):
    changes = ["--set", "constants.eddington=1"]
    if "scheme=published" in words:
        changes += [f"--set=edges.{edge}.kind=free" for edge in ("right", "up", "down")]
        changes += ["--set", "order=1"]
    assert run(write(tmp_path), tmp_path / "out", *changes, *words) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_doubt_about_the_problem_is_told_once_and_in_words(tmp_path, capsys):
    (tmp_path / "pulse.txt").write_text("0 1\n0.001 2\n")
    table = f"edges.left.sources=[{{table: {tmp_path}/pulse.txt}}]"
    assert run(write(tmp_path), tmp_path / "out", "--set", table) == 0
    said = capsys.readouterr().err
    assert said.count("its last value, 2, is kept") == 1
    assert "\nwarning: source table" in said
    assert ".py" not in said


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(tmp_path, capsys):
    assert run(write(tmp_path), tmp_path / "out", "--dry-run") == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith("# transport, S4: 12 x 1 cells, ")
    assert said.endswith("P1, k = 1, P1, k = 1/3")
    assert not (tmp_path / "out").exists()


def signal_solution(n_steps: int, factor: float) -> Solution:
    """Return a solution whose signals grow with time, on two cells."""
    times = np.arange(n_steps) / n_steps
    signal = factor * np.multiply.outer(times + 1, np.ones((4, 1))) * [1.0, 2.0]
    signal[:, 2] = 0  # nothing passes through up and down
    edges = {"up": signal, "down": signal, "left": signal[..., :1], "right": signal[..., :1]}
    return Solution(
        times, edges, np.full((4, 1, 2), factor), 1.0, np.ones((1, 2)), Grid(nx=2, ny=1)
    )


def test_distances_are_relative_and_do_not_depend_on_the_time_steps():
    found = distances(signal_solution(7, 1.1), signal_solution(50, 1.0))
    assert found["fields"] == pytest.approx({"E": 0.1, "T": 0.1})
    assert found["left"] == pytest.approx({"E": 0.1, "F": 0.1})
    assert found["up"] == {"E": pytest.approx(0.1), "F": None}


def test_the_page_says_first_which_model_is_nearer_and_how_to_take_it(tmp_path):
    assert run(write(tmp_path, 20), tmp_path / "out") == 0
    page = (tmp_path / "out/report.html").read_text()
    found = json.loads((tmp_path / "out/transport.json").read_text())["distances"]
    nearest = max(one["E"] for edge, one in found["P1, k = 1/3"].items() if edge != "fields")
    assert page.index("What you got") < page.index("What next") < page.index("Distances")
    assert f"P1, k = 1/3 is nearer, at {nearest:.1%}" in page
    assert "--set constants.eddington=0.3333333333" in page
