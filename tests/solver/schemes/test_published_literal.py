"""The published scheme agrees with a literal, cell-by-cell transcription of the algorithm."""

import math
from pathlib import Path

import numpy as np
import pytest

from opalux.base.config import check
from opalux.jobs.simulation.settings import SolveSettings
from opalux.solver.legacy.cfg import read_cfg
from opalux.solver.march import simulate
from tests.solver.schemes.literal import Literal

CFG = """
c 299 a 0.01372 C_v 0.14361 CFL 0.5 precision 1e-6 t_0 0.5 t_f {t_f}
rho {rho} sigma_a {sigma_a} sigma_c {sigma_c}
E_0 0.01372*(5^4)+t_0*x*y F_0_x 0.1*y F_0_y 0-0.2*x T_0 5+x*y
E_u {E_u} F_u_x {F_u_x} F_u_y {F_u_y} T_u {T_u}
E_d {E_d} F_d_x {F_d_x} F_d_y {F_d_y} T_d {T_d}
E_l {E_l} F_l_x {F_l_x} F_l_y {F_l_y} T_l {T_l}
E_r {E_r} F_r_x {F_r_x} F_r_y {F_r_y} T_r {T_r}
"""
NEUMANN = {
    f"{field}_{letter}{axis}": "neumann"
    for letter in "udlr"
    for field, axis in (("E", ""), ("F", "_x"), ("F", "_y"), ("T", ""))
}
FREE = (None, None, None)


def solve(folder: Path, **values: str) -> tuple[SolveSettings, object]:
    """Run a .cfg with the published scheme."""
    grid = values.pop("grid", "")
    text = CFG.format(**({"t_f": "0.001"} | NEUMANN | values)) + grid
    data = read_cfg(text, "test", folder) | {"scheme": "published"}
    config = check(SolveSettings, data, source="test", folder=folder)
    return config, simulate(config)


def literal(**changes):
    """Run the literal transcription with the same initial state."""
    return Literal(
        start=(
            lambda x, y: 0.01372 * 625 + 0.5 * x * y,
            lambda x, y: 0.1 * y,
            lambda x, y: -0.2 * x,
            lambda x, y: 5 + x * y,
        ),
        **changes,
    ).run()


def assert_same(solution, reference) -> None:
    inner = np.s_[1:-1, 1:-1]
    assert len(solution.times) == len(reference.times)
    pairs = zip(
        solution.fields, (reference.E, reference.Fx, reference.Fy, reference.T), strict=True
    )
    for found, expected in pairs:
        assert np.abs(found - expected[inner]).max() <= 1e-13 * np.abs(expected[inner]).max()
    right = np.array(reference.right_E)
    assert np.abs(solution.signals["right"][:, 0] - right).max() <= 1e-13 * np.abs(right).max()


@pytest.mark.parametrize("y_max", [0.77, 1.3, 0.5])
def test_non_square_cells_and_a_partial_source_on_the_right(y_max, tmp_path):
    N = 9
    M = int(N * y_max / 1.5)
    config, solution = solve(
        tmp_path,
        grid=f"x_min 0.5 x_max 2 y_min 0 y_max {y_max} N {N}",
        rho="1+0.5*sin(3*x)+y",
        sigma_a="rho*T^0.5",
        sigma_c="3+rho*T",
        E_r="ponctuel(0.2,0.4)",
        F_r_x="0",
        F_r_y="0",
        T_r="5",
    )
    assert (config.cells.nx, config.cells.ny) == (N, M)
    dx, dy = 1.5 / N, y_max / M
    x = 0.5 + (np.arange(N + 2) - 0.5) * dx
    y = (np.arange(M + 2) - 0.5) * dy
    reference = literal(
        N=N, M=M, x=(0.5, 2.0), y=(0.0, y_max),
        rho=1 + 0.5 * np.sin(3 * x)[None, :] + y[:, None],
        sigma_a=lambda rho, T: rho * T**0.5, sigma_c=lambda rho, T: 3 + rho * T,
        edges={"u": FREE, "d": FREE, "l": FREE,
               "r": ((0.2, 0.4), lambda t, s: (0.0, 0.0), lambda t, s: 5.0)},
    )  # fmt: skip
    assert_same(solution, reference)


def test_formula_edges_with_other_opacities(tmp_path):
    N = M = 8
    _, solution = solve(
        tmp_path,
        grid="x_min 0 x_max 1 y_min 0 y_max 1 N 8",
        rho="2",
        sigma_a="rho/T",
        sigma_c="rho*T+exp(0-T)",
        E_u="9+x*sin(900*t)", F_u_x="0.1", F_u_y="x*t", T_u="5+x",
        E_l="8+y", T_l="neumann",
        E_d="neumann", F_d_x="t", F_d_y="x", T_d="4.9",
    )  # fmt: skip
    reference = literal(
        N=N, M=M, x=(0.0, 1.0), y=(0.0, 1.0), rho=np.full((M + 2, N + 2), 2.0),
        sigma_a=lambda rho, T: rho / T, sigma_c=lambda rho, T: rho * T + math.exp(-T),
        edges={
            "u": (lambda t, s: 9 + s * math.sin(900 * t), lambda t, s: (0.1, s * t),
                  lambda t, s: 5 + s),
            "d": (None, lambda t, s: (t, s), lambda t, s: 4.9),
            "l": (lambda t, s: 8 + s, None, None),
            "r": FREE,
        },
    )  # fmt: skip
    assert_same(solution, reference)


def test_a_source_on_a_free_temperature_sees_it_one_step_late(tmp_path):
    _, solution = solve(
        tmp_path, grid="x_min 0 x_max 1 y_min 0 y_max 1 N 6", rho="1+y", sigma_a="rho*T",
        sigma_c="rho*T", E_d="ponctuel(0,0.5)",
    )  # fmt: skip
    y = (np.arange(8) - 0.5) / 6
    reference = literal(
        N=6, M=6, x=(0.0, 1.0), y=(0.0, 1.0), rho=np.repeat(1 + y[:, None], 8, axis=1),
        sigma_a=lambda rho, T: rho * T, sigma_c=lambda rho, T: rho * T,
        edges={"u": FREE, "d": ((0.0, 0.5), None, None), "l": FREE, "r": FREE},
    )  # fmt: skip
    assert_same(solution, reference)


@pytest.mark.parametrize("shape", [(7, 9), (9, 7), (5, 6)])
def test_a_non_square_npy_keeps_the_rounded_height_and_empty_ghosts(shape, tmp_path):
    rho = np.random.default_rng(2).uniform(1, 5, shape)
    np.save(tmp_path / "rho.npy", rho)
    config, solution = solve(
        tmp_path, rho="numpy:rho.npy", sigma_a="rho*T", sigma_c="rho*T",
        E_r="ponctuel(0,0.5)", F_r_x="0", F_r_y="0", T_r="5",
    )  # fmt: skip
    M, N = shape
    assert config.cells.y[1] == float(f"{M / N:f}")
    reference = literal(
        N=N, M=M, x=(0.0, 1.0), y=(0.0, float(f"{M / N:f}")), rho=np.pad(rho[::-1], 1),
        sigma_a=lambda rho, T: rho * T, sigma_c=lambda rho, T: rho * T,
        edges={"u": FREE, "d": FREE, "l": FREE,
               "r": ((0.0, 0.5), lambda t, s: (0.0, 0.0), lambda t, s: 5.0)},
    )  # fmt: skip
    assert_same(solution, reference)
