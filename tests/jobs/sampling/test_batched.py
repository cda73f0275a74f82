"""A campaign that torch simulates in batches has the samples of the kernels, to rounding."""

import numpy as np
import pytest
import torch

import opalux
from opalux.base.errors import InputError
from opalux.jobs.cluster.pool import InProcess
from opalux.jobs.sampling.batched import Torch
from opalux.jobs.sampling.campaign import Campaign
from opalux.jobs.sampling.check import check_data_set
from opalux.jobs.sampling.settings import SampleSettings
from opalux.torch import BatchedSolver


def small(**changes):
    settings = {
        "name": "mine",
        "splits": {"train": 4, "test": 1},
        "shard_size": 3,
        "problem": {
            "scheme": "staggered",
            "grid": {"nx": 8, "ny": 6, "y": [0, 0.75]},
            "time": {"final": 0.002},
            "signals": {"at": "edge"},
        },
        "n_times": 5,
        "families": [{"kind": "islands"}],
        "sources": [{"edge": "left"}, {"edge": "up", "start": [0.1, 0.4], "width": [0.2, 0.5]}],
        "refinement": 2,
    }
    return settings | changes


def torch_backend(**more):
    return Torch.model_validate({"kind": "torch", "device": "cpu"} | more)


@pytest.mark.parametrize(("dtype", "rounding"), [("float64", 3e-7), ("float32", 2e-5)])
def test_a_campaign_has_the_samples_of_the_kernels_to_float32_rounding(tmp_path, dtype, rounding):
    campaign = Campaign(**small())
    backend = torch_backend(dtype=dtype, batch=2)
    result = opalux.run_campaign(campaign, tmp_path / "set", backend=backend)
    assert (result.samples, result.made, result.failed) == (5, 5, 0)
    data = opalux.DataSet(result.folder)
    for number in range(5):
        expected = opalux.make_sample(campaign, number)
        assert np.array_equal(data.density(number), expected.density)
        for found, signals in zip(
            np.moveaxis(data.signals(number), 2, 0),
            np.moveaxis(expected.signals, 2, 0),
            strict=True,
        ):
            assert np.abs(found - signals).max() <= rounding * np.abs(signals).max()
    assert opalux.run_campaign(campaign, result.folder, backend=backend).made == 0
    report = check_data_set(result.folder, resimulate=5)
    assert not report.problems
    assert f"to rounding, by the kernels, not torch, cpu, {dtype}" in str(report)


def test_a_set_that_one_back_end_began_is_not_continued_by_another(tmp_path):
    campaign = Campaign(**small())
    opalux.run_campaign(campaign, tmp_path / "set", backend=InProcess(), task=(0, 2))
    with pytest.raises(InputError, match="made by the compiled kernels, expected torch, cpu"):
        opalux.run_campaign(campaign, tmp_path / "set", backend=torch_backend())
    opalux.run_campaign(campaign, tmp_path / "set", backend=torch_backend(), force=True)
    with pytest.raises(InputError, match="made by torch, cpu, float64, expected the compiled"):
        opalux.run_campaign(campaign, tmp_path / "set", backend=InProcess())


def test_a_sample_that_fails_leaves_the_others_of_its_batch(tmp_path):
    source = "x < 0.5 ? 0 : 1e300*exp(1e6*t)"
    maps = np.ones((5, 6, 8))
    maps[3] = -1
    for number, one in enumerate(maps):
        np.save(tmp_path / f"{number}.npy", one * (1 + number))
    files = [{"kind": "files", "folder": str(tmp_path)}]
    campaign = Campaign(**small(families=files))
    result = opalux.run_campaign(campaign, tmp_path / "set", backend=torch_backend(batch=5))
    assert result.failed == 1
    broken = small()["problem"] | {"source": source}
    with pytest.raises(InputError, match=r"all 5 samples failed.*SolverFailure: .*not finite"):
        opalux.run_campaign(
            Campaign(**small(problem=broken)), tmp_path / "other", backend=torch_backend()
        )


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        (
            {"problem": {"grid": {"nx": 8}}},
            "found torch with scheme consistent, expected staggered",
        ),
        ({"launcher": ["mpirun"]}, "launcher: found with back end 'torch'"),
        ({"backend": {"kind": "torch", "device": "cuda:99"}}, "found cuda:99, but torch finds"),
    ],
)
def test_what_torch_cannot_do_is_refused_before_any_work(changes, part):
    settings = SampleSettings(**small(backend={"kind": "torch", "device": "cpu"}) | changes)
    with pytest.raises(InputError, match=part):
        settings.backend_for(None)


def test_a_batch_that_is_too_large_ends_the_job_with_a_message(tmp_path, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.\nmore")

    monkeypatch.setattr(BatchedSolver, "march", full)
    with pytest.raises(
        InputError, match=r"batches of 32 \(CUDA out of memory.*lower backend.batch"
    ):
        opalux.run_campaign(Campaign(**small()), tmp_path / "set", backend=torch_backend())


def test_auto_is_the_gpu_where_there_is_one():
    device = Torch(kind="torch").batches(Campaign(**small())).device
    assert device == ("cuda" if torch.cuda.is_available() else "cpu")
