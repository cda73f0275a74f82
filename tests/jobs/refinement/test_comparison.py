"""``opalux evaluate`` judges a network beside physics, on the same maps and signals."""

import contextlib
import json

import numpy as np

from opalux.jobs import evaluate
from opalux.jobs.refinement import comparison
from opalux.jobs.refinement.search import search_both

QUICK = ["--set", "invert=2", "--set", "invert_steps=12", "--set", "misfit_maps=0"]


def test_network_refined_and_physics_alone_are_judged_on_the_same_maps(
    run, tmp_path, capsys, monkeypatch
):
    out, searched = tmp_path / "out", list[int]()

    def at_most(searches):
        def search(plan, *given):
            if len(searched) == searches:
                raise KeyboardInterrupt
            searched.append(1)
            return search_both(plan, *given)

        monkeypatch.setattr(comparison, "search_both", search)

    words = [str(run), "--out", str(out), *QUICK, "--set", "noise=0.02"]
    at_most(1)
    with contextlib.suppress(KeyboardInterrupt):
        assert evaluate.main(words) != 0
    assert not (out / "metrics.json").exists()
    at_most(2)  # the first map is not searched again
    assert evaluate.main([*words, "--resume"]) == 0
    assert len(searched) == 2
    assert not list(out.glob("comparison-*"))
    found = json.loads((out / "metrics.json").read_text())["invert"]["held-out maps"]
    assert found["n_maps"] == 2
    assert "own grid" in found["note"]
    ways = found["ways"]
    assert list(ways) == ["network", "refined", "physics alone"]
    refined, network = (np.array(ways[name]["chi2_each"]) for name in ("refined", "network"))
    assert (refined <= network).all()
    assert (refined <= np.array(ways["physics alone"]["chi2_each"])).all()
    assert ways["network"]["rel_l2_to_network"] == 1.0
    assert 0 < ways["network"]["seconds"] < ways["refined"]["seconds"]
    assert len(ways["refined"]["rms_error_by_depth"]) == 6
    assert "physics alone (2 maps): r2_pooled" in capsys.readouterr().out
    assert "Beside physics" in (out / "report.html").read_text()
    assert (out / "physics-0.png").stat().st_size > 1000


def test_signals_without_noise_have_no_chi2_and_are_refused_before_any_work(run, tmp_path, capsys):
    assert evaluate.main([str(run), "--out", str(tmp_path / "out"), *QUICK]) == 2
    assert "invert: found no set with noise" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
