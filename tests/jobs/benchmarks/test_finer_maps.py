"""A network of coarse maps is judged on fine ones, from means of the same signals."""

import numpy as np
import pytest
import torch

from opalux.base.errors import InputError
from opalux.jobs.benchmarks.finer_maps import averaged, interpolated, main
from tests.jobs.small_training import CAMPAIGN, N, trained

SUBSETS = {"subsets": True, "noise": [0.0, 0.05]}


def test_plane_maps_are_interpolated_exactly_inside():
    y, x = np.mgrid[:6, :8].astype(float)
    fine = 1 + 0.2 * x + 0.1 * y
    coarse = fine.reshape(3, 2, 4, 2).mean((1, 3))
    np.testing.assert_allclose(interpolated(coarse[None], 2)[0, 1:-1, 1:-1], fine[1:-1, 1:-1])


def test_means_are_of_what_is_known():
    signals = torch.tensor([1.0, 3.0, torch.nan, 5.0, torch.nan, torch.nan])
    torch.testing.assert_close(
        averaged(signals, 2), torch.tensor([2.0, 5.0, torch.nan]), equal_nan=True
    )


def test_two_networks_are_compared_on_the_finer_maps(tmp_path, capsys):
    problem = CAMPAIGN["problem"]
    assert isinstance(problem, dict)
    fine = trained(tmp_path / "fine", {}, augmentation=SUBSETS)
    small = {**problem, "grid": {"nx": N // 2, "ny": N // 2}}
    coarse = trained(tmp_path / "coarse", {"problem": small}, augmentation=SUBSETS)
    capsys.readouterr()
    main([str(fine), str(coarse), str(tmp_path / "fine" / "data")])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert lines[2].startswith("1 % noise: fine ")
    with pytest.raises(InputError, match="a whole number of times finer"):
        main([str(coarse), str(fine), str(tmp_path / "fine" / "data")])
