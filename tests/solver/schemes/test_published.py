"""The published scheme gives the original program's numbers."""

from pathlib import Path

import numpy as np
import pytest

from opalux.base.config import check
from opalux.jobs.simulation.settings import SolveSettings
from opalux.solver.legacy.cfg import read_cfg
from opalux.solver.legacy.sds import read_sds, sds_bytes
from opalux.solver.march import simulate
from opalux.solver.solution import edge_quantities

GOLDEN = Path(__file__).parents[2] / "golden"


def golden_problem(text: str) -> SolveSettings:
    text = text.replace("rho.npy", "rho64.npy")
    data = read_cfg(text, "golden", GOLDEN) | {"scheme": "published"}
    return check(SolveSettings, data, source="golden", folder=GOLDEN)


@pytest.mark.parametrize("case", ["a30", "b_l", "b_u", "c_eq", "c_relax"])
def test_published_agrees_with_the_original_program(case):
    golden = np.load(GOLDEN / f"{case}.npz")
    solution = simulate(golden_problem(str(golden["config"])))
    pairs = {"t": (solution.times, golden["t_rows"]), "rho": (solution.rho, golden["rho"])}
    for k, name in enumerate(("E", "Fx", "Fy", "T")):
        pairs[name] = solution.fields[k], golden[f"{name}_final"]
    for letter, edge in zip("udlr", ("up", "down", "left", "right"), strict=True):
        quantities = edge_quantities(solution.signals[edge])
        for name, found in zip("EFT", quantities, strict=True):
            pairs[f"{name}_{letter}"] = found, golden[f"{name}_{letter}"]
    for name, (found, expected) in pairs.items():
        assert found.shape == expected.shape, name
        assert np.abs(found - expected).max() <= 1e-12 * np.abs(expected).max(), name
    assert solution.t_final == pytest.approx(float(golden["t_final"]), rel=1e-14)


def test_equilibrium_stays_constant_to_the_bit():
    golden = np.load(GOLDEN / "c_eq.npz")
    solution = simulate(golden_problem(str(golden["config"])))
    assert np.unique(solution.fields[0]).size == 1
    assert not solution.fields[1:3].any()


def test_sds_export_equals_the_original_file_byte_for_byte():
    expected = (GOLDEN / "rho16.sds").read_bytes()
    found = b""
    for letter in "udlr":
        config = golden_problem((GOLDEN / f"sds16_{letter}.cfg").read_text())
        solution = simulate(config)
        edge = "udlr".index(letter)
        found += sds_bytes(solution, edge, 0.0, 4, header=not found)
    assert found == expected


def test_sds_reading_gives_densities_and_signals_back():
    records = read_sds(GOLDEN / "rho16.sds")
    assert [record.edge for record in records] == [0, 1, 2, 3]
    rho = np.load(GOLDEN / "rho16.npy")
    for record in records:
        assert np.array_equal(record.density, rho[::-1].astype(np.float32))
        assert {signal.shape[1:] for signal in record.signals.values()} == {(3, 16)}


def test_published_relaxes_with_a_heat_capacity_too_small_by_a():
    """Conserves E + a ρ C_v T, so ends at T = 5.4379 instead of 5.42436."""
    config = golden_problem(str(np.load(GOLDEN / "c_eq.npz")["config"]))
    config = config.model_copy(
        update={"initial": config.initial.model_copy(update={"E": "12"}),
                "time": config.time.model_copy(update={"final": 0.2})}
    )  # fmt: skip
    T = simulate(config).fields[3]
    assert pytest.approx(5.4379, abs=2e-4) == T
