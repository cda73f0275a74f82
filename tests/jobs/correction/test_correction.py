"""A correction sees what the solver says of a network's maps, and its run is a network itself."""

import json

import h5py
import numpy as np
import pytest
import torch

from opalux.jobs import evaluate, export, train
from opalux.jobs.inversion.mean_answer import MeanAnswer, told
from opalux.jobs.inversion.reconstruction import reconstruct
from opalux.jobs.inversion.trained import load_trained
from opalux.jobs.sampling.sample import simulate_sources
from opalux.learning.data.data_set import DataSet
from opalux.learning.networks.symmetry import SQUARE, transform_map, transform_signals
from opalux.learning.training.examples import part_path
from tests.jobs.small_training import MODEL, N, sampled, trained

SUBSETS = {"subsets": True, "noise": [0.0, 0.05]}


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    folder = tmp_path_factory.mktemp("correction")
    return trained(folder, {}, augmentation=SUBSETS)


def correct(network, out, *words, data=None):
    """Train a correction of a network, on its own data or on others, and return the exit code."""
    config = network.parent / "correct.json"
    keys = {
        "data": {"folder": str(data or network.parent / "data")},
        "model": MODEL | {"kind": "correction", "of": str(network)},
        "augmentation": SUBSETS,
        "optimiser": {"lr": 3e-3},
        "epochs": 2,
        "batch": 8,
    }
    config.write_text(json.dumps(keys))
    return train.main([str(config), "--out", str(out), *words])


@pytest.fixture(scope="module")
def corrected(network):
    assert correct(network, network.parent / "corrected") == 0
    return network.parent / "corrected"


def test_its_input_is_the_misfit_and_its_slope(network):
    found, rng = load_trained(network), np.random.default_rng(0)
    assert found.campaign is not None
    campaign = found.campaign
    data = DataSet(network.parent / "data")
    std = found.channels[1][..., None, None]
    given = data.signals(20) + 0.01 * std * rng.standard_normal(data.signals(20).shape)
    given[:, 2] = np.nan
    density = (1 + 0.2 * rng.random((N, N))).astype(np.float32)
    residual, maps = told(found, given.astype(np.float32), density, 0.01)

    again = simulate_sources(campaign, density, data.sources(20))
    expected = (given - again) / std
    np.testing.assert_allclose(residual[:, :, :3], expected, atol=2e-4)
    assert (residual[:, :, 3] == 0.01).all()

    def misfit(z):
        rho = (density * np.exp(z)).astype(np.float64)
        far = (given - simulate_sources(campaign, rho, data.sources(20))) / std / 0.01
        return 0.5 * np.nansum(far**2)

    along = rng.standard_normal((N, N))
    step = 1e-3
    numerical = (misfit(step * along) - misfit(-step * along)) / (2 * step)
    assert float((maps[1].numpy() * along).sum()) == pytest.approx(numerical, rel=2e-2)


def test_turned_signals_have_turned_evidence(network):
    found = load_trained(network)
    found.model.signal_std.fill_(0.1)  # those of few maps differ from edge to edge
    signals = torch.from_numpy(DataSet(network.parent / "data").signals(20))
    density = 1 + 0.3 * torch.rand(N, N, generator=torch.Generator().manual_seed(0))
    residual, maps = told(found, signals.numpy(), density.numpy(), 0.01)
    for symmetry in SQUARE:
        turned = transform_signals(signals, symmetry, (N, N)).contiguous().numpy()
        of_map = transform_map(density, symmetry).contiguous().numpy()
        other, others = told(found, turned, of_map, 0.01)
        scale = maps[1].abs().max()
        torch.testing.assert_close(
            others[1] / scale, transform_map(maps, symmetry)[1] / scale, atol=1e-3, rtol=0
        )
        expected = transform_signals(residual, symmetry, (N, N))
        torch.testing.assert_close(other, expected, atol=1e-3, rtol=0, equal_nan=True)


def test_an_untrained_correction_changes_nothing_and_a_trained_one_does(network, corrected):
    data = DataSet(network.parent / "data")
    signals = data.signals(20)
    first, second = load_trained(network), load_trained(corrected)
    plain, better = (
        reconstruct(one, signals, simulate=False, noise=0.01).density for one in (first, second)
    )
    assert len(second.corrections) == 1
    assert 0 < np.abs(plain - better).max() < 1
    for weights in second.corrections[0].network.parameters():
        weights.zero_()
    same = reconstruct(second, signals, simulate=False, noise=0.01).density
    np.testing.assert_allclose(same, plain, atol=1e-5)


def test_the_run_is_judged_exported_and_corrected_again(network, corrected, tmp_path, capsys):
    words = ["--set", "subset={some: {edges: [up, left], noise: 0.02}}", "--set", "misfit_maps=2"]
    words += ["--set", "spread_maps=6", "--set", "noise=0.01"]
    assert evaluate.main([str(corrected), *words, "--out", str(tmp_path / "judged")]) == 0
    numbers = json.loads((tmp_path / "judged" / "metrics.json").read_text())
    for judged in (numbers, numbers["subsets"]["some"]):
        assert np.isfinite(judged["r2_pooled"])
        within = judged["spread"]["within_1"]
        assert len(within) == N // 2
        # The maps that the spread was calibrated on are among those that are judged here.
        assert 0.4 < np.mean(within) < 0.95
        assert (np.array(judged["spread"]["within_2"]) >= within).all()
    assert (tmp_path / "judged" / "coverage.png").stat().st_size > 1000
    assert (
        export.main([str(corrected), "--set", "form=checkpoint", "--out", str(tmp_path / "e")]) == 0
    )
    assert export.main([str(corrected), "--out", str(tmp_path / "onnx")]) == 2
    assert "form=checkpoint" in capsys.readouterr().err
    path = tmp_path / "e" / "network.ckpt"
    words = ["--set", f"folder={network.parent / 'data'}", "--set", "misfit_maps=0"]
    assert evaluate.main([str(path), *words]) == 2
    assert "--out: found none" in capsys.readouterr().err
    assert evaluate.main([str(path), *words, "--out", str(tmp_path / "small")]) == 0
    small = load_trained(path)
    signals = torch.from_numpy(DataSet(network.parent / "data").signals(21))[None]
    one, other = (
        MeanAnswer([each], symmetries=True, noise=0.01)(signals)[0]
        for each in (small, load_trained(corrected))
    )
    torch.testing.assert_close(one, other, atol=2e-2, rtol=0)
    assert correct(corrected, tmp_path / "again", "--set", "epochs=1") == 0
    twice = load_trained(tmp_path / "again")
    assert len(twice.corrections) == 2
    assert "corrected 2 times" in repr(twice)


def test_a_killed_making_goes_on_with_valid_parts_alone(network, corrected, tmp_path):
    assert correct(network, tmp_path / "run", "--set", "epochs=1") == 0
    path = part_path(tmp_path / "run" / "examples", 0)
    with h5py.File(path) as file:
        place = file["maps"].id.get_chunk_info(0).byte_offset
    before = bytearray(path.read_bytes())
    before[place + 5] ^= 1
    path.write_bytes(before)
    for name in ("last.ckpt", "best.ckpt"):
        (tmp_path / "run" / name).unlink()
    assert correct(network, tmp_path / "run", "--set", "epochs=1", "--resume") == 0
    assert path.read_bytes() != before
    whole = part_path(corrected / "examples", 0)
    with h5py.File(path) as again, h5py.File(whole) as first:
        np.testing.assert_array_equal(again["maps"][:], first["maps"][:])


def test_it_learns_from_maps_that_the_network_has_not_seen(network, tmp_path, capsys):
    unseen = sampled(tmp_path / "unseen", {"seed": 5, "name": "unseen"})
    assert correct(network, tmp_path / "run", data=unseen) == 0
    found = load_trained(tmp_path / "run")
    assert [one.card.seed for one in found.data_sets] == [0, 5]
    assert found.training_data().folder == network.parent / "data"
    # Samples follow from seed and number, so that these test maps were trained on.
    known = sampled(tmp_path / "known", {"seed": 5, "splits": {"train": 1, "test": 6}})
    words = ["--set", f"folder={known}", "misfit_maps=0", "--out", str(tmp_path / "judged")]
    assert evaluate.main([str(tmp_path / "run"), *words]) == 2
    assert f"sample 1 of {unseen}, which" in capsys.readouterr().err
    words[1] = f"folder={unseen}"
    assert evaluate.main([str(tmp_path / "run"), *words]) == 0
    said = "Corrected by the solver, trained on unseen: 16 maps, seed 5"
    assert said in (tmp_path / "judged" / "model_card.md").read_text()
    assert "trained on other maps ('unseen')" in found.trained_on


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"seed": 5, "families": [{"kind": "bumps"}]}, "comes from another campaign"),
        ({"seed": 5, "n_times": 9}, "comes from another campaign"),
        ({"splits": {"train": 8, "validation": 16}}, "is no longer the data set"),
    ],
)
def test_maps_of_another_kind_or_of_its_own_draw_are_refused(
    network, keys, message, tmp_path, capsys
):
    data = sampled(tmp_path / "other", keys)
    assert correct(network, tmp_path / "run", data=data) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_another_seed_deals_out_the_same_files(tmp_path, capsys):
    maps = 1 + np.random.default_rng(0).random((24, N, N))
    np.save(tmp_path / "maps.npy", maps)
    families = [{"kind": "files", "folder": str(tmp_path / "maps.npy")}]
    network = trained(tmp_path / "first", {"families": families}, augmentation=SUBSETS)
    again = sampled(tmp_path / "other", {"seed": 5, "families": families})
    assert correct(network, tmp_path / "run", data=again) == 2
    assert "on maps of files" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["augmentation.subsets=false"], "augmentation.subsets: found False"),
        (["data.n_times=4"], "data.n_times: found 4"),
        (["model.of=nowhere.ckpt"], "nowhere.ckpt: no such checkpoint"),
        (["model.patch=5"], "model correction: a side of 12 cells"),
    ],
)
def test_what_has_no_examples_is_refused(network, words, message, tmp_path, capsys):
    assert correct(network, tmp_path / "run", "--set", *words) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
