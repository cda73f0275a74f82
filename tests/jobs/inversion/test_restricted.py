"""A network trained on parts of signals takes any of them, from files and in its judgement.

The domain is no square, so that edges have different numbers of cells.
"""

import json

import numpy as np
import pytest
import yaml

from opalux.jobs import evaluate, reconstruct, solve
from opalux.jobs.inversion.given import noise_of, read_for
from opalux.jobs.inversion.trained import load_trained
from opalux.learning.data.measurement import Measurement
from opalux.solver.files.measurements import write_table
from opalux.solver.inversion.rows import Rows, joined
from tests.jobs.small_training import CAMPAIGN, trained

WIDE = CAMPAIGN["problem"] | {"grid": {"nx": 12, "ny": 8, "x": [0, 1.2], "y": [0, 0.8]}}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return trained(folder, {"problem": WIDE}, augmentation={"subsets": True, "noise": [0, 0.05]})


def table(run, edges=("up", "right"), quantities=("E",), until=0.003):
    """Return some detectors of a sample of the training data as rows."""
    network = load_trained(run)
    data, layout = network.training_data(), network.layout
    signals, times = data.signals(20), data.times[data.times <= until]
    parts = []
    for s, source in enumerate(layout.sources):
        for edge in edges:
            places = (np.arange(layout.cells_on(edge)) + 0.5)[1::3] / 10
            for quantity in quantities:
                e, q = layout.edges.index(edge), layout.quantities.index(quantity)
                recorded = signals[s, e, q, : len(times), 1 : layout.cells_on(edge) : 3]
                values = recorded.ravel().astype(np.float64)
                n = len(values)
                parts.append(
                    Rows(
                        np.full(n, source), np.full(n, edge), np.full(n, quantity),
                        np.tile(places, len(times)), np.zeros(n), np.repeat(times, len(places)),
                        values, np.full(n, 0.02 * values.std()),
                    )
                )  # fmt: skip
    return joined(parts)


def test_a_table_of_few_detectors_is_reconstructed_and_what_lacks_is_told(run, tmp_path, capsys):
    write_table(tmp_path / "few.csv", table(run))
    words = [str(run), str(tmp_path / "few.csv")]
    assert reconstruct.main([*words, "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().err
    assert "not measured: up F, up T, down E" in told
    numbers = json.loads((tmp_path / "out" / "reconstruction.json").read_text())
    assert np.isfinite(numbers["density_max"])
    assert numbers["misfit_normal"] > 0


def test_the_noise_of_a_table_is_that_of_its_column(run, tmp_path):
    write_table(tmp_path / "t.csv", table(run))
    measurements = read_for(load_trained(run), [tmp_path / "t.csv"], None)
    level, notes = noise_of(measurements)
    assert level == pytest.approx(0.02, rel=1e-6)
    assert notes == ()
    bare = Measurement("x", "up", np.zeros(2), {})
    assert "noise: not stated" in noise_of([bare])[1][0]


def test_the_table_of_subsets_is_judged_on_the_same_maps(run, tmp_path, capsys):
    words = [str(run), "--out", str(tmp_path / "out"), "--set", "misfit_maps=0"]
    assert evaluate.main([*words, "--set", "subset=table"]) == 0
    subsets = json.loads((tmp_path / "out" / "metrics.json").read_text())["subsets"]
    assert {"all", "5 % noise", "E alone, 1 %", "half the detectors, 1 %"} <= set(subsets)
    found = [one["rel_l2"] for one in subsets.values()]
    assert np.isfinite(found).all()
    assert len(set(found)) == len(found), "each subset gives other maps"
    assert "of one edge, 1 %" in capsys.readouterr().out
    assert "From parts of the signals" in (tmp_path / "out" / "report.html").read_text()
    mine = ["--force", "--set", "subset={mine: {edges: [top]}}"]
    assert evaluate.main([*words, *mine]) == 2
    assert "subset.edges: found top" in capsys.readouterr().err


def test_a_network_of_one_quantity_takes_our_own_solutions(tmp_path, capsys):
    campaign = {"problem": WIDE, "quantities": ["E"]}
    run = trained(tmp_path / "E", campaign, augmentation={"drop_edges": 1})
    files = []
    for edge in ("up", "down", "left", "right"):
        problem = WIDE | {
            "material": {"density": "1.5 + x"},
            "edges": {edge: {"kind": "source", "sources": [{"start": 0}]}},
        }
        (tmp_path / "solve.yaml").write_text(yaml.safe_dump(problem))
        assert solve.main([str(tmp_path / "solve.yaml"), "--out", str(tmp_path / edge)]) == 0
        files.append(str(tmp_path / edge / "solution.h5"))
    assert reconstruct.main([str(run), *files, "--out", str(tmp_path / "out")]) == 0
    without_left = table(run, edges=("up", "down", "right"), until=1.0)
    for edge, count in (("up", 4), ("right", 3)):
        assert len(np.unique(without_left.position[without_left.edge == edge])) == count
    write_table(tmp_path / "t.csv", without_left)
    words = [str(run), str(tmp_path / "t.csv"), "--out", str(tmp_path / "three")]
    assert reconstruct.main(words) == 0
    capsys.readouterr()
    assert evaluate.main([str(run), "--out", str(tmp_path / "e"), "--set", "subset=table"]) == 0
    shown = capsys.readouterr().out
    assert "of 1 % noise" in shown
    assert "of two edges" not in shown, "it was trained to lack one edge at most"
    mine = ["--force", "--set", "subset={mine: {every: 2}}"]
    assert evaluate.main([str(run), "--out", str(tmp_path / "e"), *mine]) == 2
    assert "augmentation.subsets=true" in capsys.readouterr().err


def test_a_part_of_the_signals_is_refined_too(run, tmp_path):
    write_table(tmp_path / "few.csv", table(run))
    quick = ("steps=4", "modes=0", "misfit_maps=4", "refinement=1")
    words = [word for one in (*quick, "accept_chi2=1e9") for word in ("--set", one)]
    out = tmp_path / "out"
    code = reconstruct.main(
        [str(run), str(tmp_path / "few.csv"), "--refine", *words, "--out", str(out)]
    )
    numbers = json.loads((out / "reconstruction.json").read_text())
    assert code in (0, 3)
    assert numbers["chi2"] <= numbers["chi2_network"]
