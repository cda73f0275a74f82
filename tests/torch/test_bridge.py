"""Signals are a torch function of the density; the page on them runs as it stands."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
import torch

import opalux.torch
from opalux.base.errors import InputError
from opalux.solver.problem import Problem
from tests.conftest import ROOT

PROBLEM = Problem.model_validate(
    {
        "scheme": "staggered",
        "grid": {"nx": 4, "ny": 3},
        "time": {"final": 0.002},
        "edges": {"left": {"kind": "source"}, "up": {"kind": "vacuum"}},
    }
)


def maps(*shape):
    rho = np.random.default_rng(0).uniform(0.5, 2, shape)
    return torch.tensor(rho, requires_grad=True)


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4)])
def test_the_gradient_passes_torchs_own_check(shape):
    def some(rho):
        found = opalux.torch.signals(PROBLEM, rho)
        return found["right"][..., ::2, :], found["up"][..., -1, :, :]

    assert torch.autograd.gradcheck(some, (maps(*shape),), rtol=1e-5, atol=1e-7)


def test_two_densities_may_wait_for_their_gradients_at_the_same_time():
    one, other = maps(3, 4), (2 * maps(3, 4)).detach().requires_grad_()
    totals = [opalux.torch.signals(PROBLEM, rho)["right"].sum() for rho in (one, other)]
    (totals[0] + totals[1]).backward()
    alone = one.detach().clone().requires_grad_()
    opalux.torch.signals(PROBLEM, alone)["right"].sum().backward()
    assert torch.equal(one.grad, alone.grad)
    assert not torch.equal(one.grad, other.grad)


def test_single_precision_maps_have_single_precision_gradients():
    rho = maps(3, 4).detach().float().requires_grad_()
    found = opalux.torch.signals(PROBLEM, rho)["left"]
    found.sum().backward()
    assert found.dtype == rho.grad.dtype == torch.float32


@pytest.mark.parametrize(
    ("rho", "part"),
    [
        (torch.ones(4, 3), "found shape"),
        (torch.ones(0, 3, 4), "found shape"),
        (torch.ones(3, 4, dtype=torch.int64), "expected floating point"),
        (-torch.ones(3, 4), "must be finite and > 0"),
    ],
)
def test_what_is_no_density_is_refused(rho, part):
    with pytest.raises(InputError, match=part):
        opalux.torch.signals(PROBLEM, rho)


def test_the_page_runs_as_it_stands_and_its_inversion_and_network_come_closer(tmp_path):
    page = (ROOT / "docs" / "differentiable.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    told = (
        "print(float((logarithm.exp() - truth).norm() / (1 - truth).norm()), "
        "losses[-1] / losses[0], maps.grad.shape)"
    )
    (tmp_path / "page.py").write_text(f"{code}\n{told}\n")
    done = subprocess.run(
        [sys.executable, "page.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    distance, loss, shape = done.stdout.split(" ", 2)
    assert float(distance) < 0.8
    assert float(loss) < 0.7
    assert shape.strip() == "torch.Size([8, 12, 12])"


def test_the_solver_runs_without_torch():
    code = (
        "import sys, opalux; sys.modules['torch'] = None\n"
        "problem = opalux.Problem(scheme='staggered', grid={'nx': 4}, time={'final': 1e-4})\n"
        "opalux.simulate(problem)\n"
        "try: import opalux.torch\n"
        "except opalux.InputError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "pip install 'opalux[torch]'" in done.stdout, done.stderr
