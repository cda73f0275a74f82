"""``opalux reconstruct`` takes a user's own signals in every form that they come in."""

import itertools
import json
import math

import h5py
import numpy as np
import pytest
import torch
import yaml

import opalux
from opalux.base.axes import EDGES
from opalux.jobs import reconstruct, sample, solve, train
from opalux.jobs.inversion.signal_files import read_measurements
from opalux.jobs.inversion.trained import load_trained
from opalux.jobs.inversion.two_grids import simulate_both
from opalux.jobs.sampling.sample import simulate_sources
from opalux.learning.data.measurement import Measurement, assemble
from opalux.learning.training.calibration import fit_calibration
from opalux.solver.legacy.dataframe import COLUMNS, dataframe_text
from opalux.solver.legacy.sds import sds_bytes
from opalux.solver.march import simulate
from opalux.solver.problem import Problem
from tests.conftest import ROOT

TRAINING = """
data: {{folder: {data}}}
model: {{kind: edge_vnet, width: 4, features: 4, levels: 2}}
augmentation: {{drop_sources: 1}}
epochs: 2
batch: 8
"""

# The consistent scheme takes equal steps up to the final time.
STEP = {cells: 0.01 / math.ceil(0.01 * 299 * cells / 0.5) for cells in (16, 32)}

PROBLEM = """
grid: {{nx: {cells}, ny: {cells}}}
material: {{density: "1.5+x+0.5*y"}}
edges: {{{edge}: {{kind: source, sources: [{{start: 0, stop: 1}}]}}}}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A network trained for a moment on the debug data set."""
    folder = tmp_path_factory.mktemp("run")
    config = ROOT / "configs" / "sample" / "debug.yaml"
    words = [str(config), "--out", str(folder / "data"), "--set", "backend={kind: in-process}"]
    assert sample.main(words) == 0
    (folder / "train.yaml").write_text(TRAINING.format(data=folder / "data"))
    assert train.main([str(folder / "train.yaml"), "--out", str(folder / "run")]) == 0
    return folder / "run"


@pytest.fixture(scope="module")
def signals(tmp_path_factory):
    """One density solved with each source, on the network's grid and on one twice finer."""
    folder = tmp_path_factory.mktemp("signals")
    for cells, edge in itertools.product((16, 32), EDGES):
        text = PROBLEM.format(cells=cells, edge=edge)
        solution = simulate(Problem.model_validate(yaml.safe_load(text)))
        sds, csv = folder / f"{cells}-sds" / f"{edge}.sds", folder / f"{cells}-csv" / f"{edge}.csv"
        sds.parent.mkdir(exist_ok=True)
        csv.parent.mkdir(exist_ok=True)
        number = EDGES.index(edge)
        sds.write_bytes(sds_bytes(solution, number, None, simulations=1, header=True))
        described = dict.fromkeys(COLUMNS[: COLUMNS.index("rho")], "") | {
            "t_0": 0.0,
            f"E_{edge[0]}_expr": "ponctuel(0,1)",
        }
        csv.write_text(dataframe_text(solution, described, header=True))
    return folder


@pytest.fixture(scope="module")
def solutions(tmp_path_factory):
    """The solution.h5 of each source, made as a user makes them."""
    folder = tmp_path_factory.mktemp("solutions")
    for edge in EDGES:
        config = folder / f"{edge}.yaml"
        config.write_text(PROBLEM.format(cells=16, edge=edge))
        assert solve.main([str(config), "--out", str(folder / edge)]) == 0
    return [folder / edge / "solution.h5" for edge in EDGES]


def reconstructed(run, out, *words):
    """Run the job and return the density and the numbers."""
    assert reconstruct.main([str(run), *map(str, words), "--out", str(out)]) == 0
    with h5py.File(out / "reconstruction.h5") as file:
        assert (file["uncertainty"][()] > 0).all()
        assert ("spread" in file) == (
            json.loads((out / "reconstruction.json").read_text())["spread_mean"] is not None
        )
        density = file["density"][()]
    return density, json.loads((out / "reconstruction.json").read_text())


def test_solutions_sds_and_csv_of_the_same_density_give_the_same_map(
    run, solutions, signals, tmp_path
):
    expected, numbers = reconstructed(run, tmp_path / "a", *solutions)
    assert expected.shape == (16, 16)
    assert 0 < numbers["data_misfit"] < 0.2
    assert numbers["sources"] == list(EDGES)
    for name in ("reconstruction.png", "fit.png"):
        assert (tmp_path / "a" / name).stat().st_size > 10_000
    dt = ["--set", f"dt={STEP[16]}"]
    from_sds, _ = reconstructed(run, tmp_path / "b", signals / "16-sds", *dt)
    np.testing.assert_allclose(from_sds, expected, atol=1e-3)
    # The published CSV keeps six digits, and no times.
    from_csv, _ = reconstructed(run, tmp_path / "c", signals / "16-csv", *dt)
    np.testing.assert_allclose(from_csv, expected, atol=1e-2)


def test_files_carry_what_a_data_set_does_and_calibration_takes_the_finer_grid_out(run, signals):
    """The same quantities, edges, order and times as in the data set that the network knows."""
    trained = load_trained(run / "best.ckpt")
    campaign = trained.campaign
    assert campaign is not None
    mean = trained.model.signal_mean.numpy()[..., 0, 0]
    std = trained.model.signal_std.numpy()[..., 0, 0]

    def measured(cells: int) -> list[Measurement]:
        return read_measurements([signals / f"{cells}-sds"], STEP[cells])

    def assembled(cells: int) -> np.ndarray:
        return assemble(measured(cells), trained.model.layout, trained.times, mean, std)

    x = (np.arange(16) + 0.5) / 16
    density = (1.5 + x[None, :] + 0.5 * x[:, None]).astype(np.float32)
    expected = simulate_sources(campaign, density, np.tile([0.0, 1.0], (4, 1)))
    np.testing.assert_allclose(assembled(16), expected, atol=1e-4)

    finer = assembled(32)

    def left_by(given: np.ndarray) -> float:
        lines = fit_calibration(*simulate_both(campaign, 2, given, trained.times, maps=6))
        return float((np.abs(lines(finer) - expected) / std[..., None, None]).mean())

    before = float((np.abs(finer - expected) / std[..., None, None]).mean())
    times = measured(32)[0].times
    after = left_by(times)
    few = np.linspace(times[0], times[-1], len(trained.times))
    print(f"mean difference {before:.4f} before, {after:.4f} after, {left_by(few):.4f} for few")
    assert after < 0.6 * before
    assert after < 0.9 * left_by(few), "interpolation in time is a part of the difference"


def test_one_source_may_lack_when_training_left_sources_out(run, signals, tmp_path, capsys):
    three = [signals / "16-sds" / f"{edge}.sds" for edge in EDGES[1:]]
    _, numbers = reconstructed(run, tmp_path / "a", *three)
    assert numbers["sources"] == list(EDGES[1:])
    words = [str(run), *map(str, three[:2]), "--out", str(tmp_path / "b")]
    assert reconstruct.main(words) == 2
    assert "drop_sources=2" in capsys.readouterr().err


def test_python_gets_the_map_that_the_command_writes(run, solutions, tmp_path):
    expected, numbers = reconstructed(run, tmp_path / "a", *solutions)
    network = opalux.load_trained(run)
    found = opalux.reconstruct(network, solutions)
    np.testing.assert_array_equal(found.density, expected)
    assert found.data_misfit == numbers["data_misfit"]
    assert found.spread is not None
    assert found.spread.mean() == pytest.approx(numbers["spread_mean"])
    assert (found.spread > 0).all()
    assert found.members == numbers["reconstructions"] == 8
    assert not found.calibrated
    assert repr(found).startswith("Reconstruction(16×16 cells, ")
    assert found.plot().axes[0].get_xlabel() == "x [cm]"
    with pytest.raises(opalux.InputError, match="nowhere: no such file"):
        opalux.reconstruct(network, "nowhere")


def test_signals_out_of_a_data_set_are_taken_as_they_are(run):
    network = opalux.load_trained(run / "best.ckpt")
    data = opalux.DataSet(network.settings.data.folder)
    signals = data.signals(3)
    found = opalux.reconstruct([network, network], signals, symmetries=False, simulate=False)
    expected = network.model(torch.from_numpy(signals)[None])[0].numpy()
    np.testing.assert_allclose(found.density, expected, rtol=1e-6)
    assert found.uncertainty is not None
    assert not found.uncertainty.any(), "twice the same network"
    with pytest.raises(opalux.InputError, match="found an array"):
        opalux.reconstruct(network, signals[..., :-1])


def test_the_file_of_a_reconstruction_names_axes_and_units(run, solutions, tmp_path):
    reconstructed(run, tmp_path / "a", *solutions)
    with h5py.File(tmp_path / "a" / "reconstruction.h5") as file:
        for name in ("density", "uncertainty"):
            assert file[name].attrs["units"] == "g/cm^3"
            assert [axis.label for axis in file[name].dims] == ["y", "x"]
            np.testing.assert_allclose(file[name].dims[1][0], (np.arange(16) + 0.5) / 16)
        assert file["x"].attrs["units"] == "cm"


def test_a_reconstruction_is_an_xarray_with_coordinates(run):
    pytest.importorskip("xarray")
    network = opalux.load_trained(run)
    signals = opalux.DataSet(network.settings.data.folder).signals(0)
    found = opalux.reconstruct(network, signals, simulate=False)
    shown = found.to_xarray()
    assert shown.density.dims == ("y", "x")
    assert shown.density.attrs["units"] == "g/cm^3"
    assert shown.x.attrs["units"] == "cm"
    np.testing.assert_array_equal(shown.density, found.density)


@pytest.mark.parametrize(
    "what", ["missing", "empty folder", "text", "no solution", "no run", "data set"]
)
def test_what_holds_no_signals_is_refused_and_nothing_is_written(
    run, signals, tmp_path, capsys, what
):
    given = tmp_path / "given.h5"
    if what == "empty folder":
        given = tmp_path / "empty"
        given.mkdir()
    elif what == "text":
        given = tmp_path / "signals.txt"
        given.write_text("1 2 3")
    elif what == "no solution":
        h5py.File(given, "w").close()
    elif what == "no run":
        given, run = signals / "16-sds", tmp_path / "nowhere"
    elif what == "data set":
        given = opalux.load_trained(run).settings.data.folder
    assert reconstruct.main([str(run), str(given), "--out", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error:")
    assert "Traceback" not in printed
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ("material.heat_capacity=14.361", "material.heat_capacity: 14.361 there, 0.14361"),
        ("constants.c=150", "constants.c: 150.0 there, 299.0"),
        ("scheme=published", "scheme: published there, consistent"),
        ("edges.up.sources.0.start=0.4", "edges.up.sources.0.start: 0.4 there, 0"),
        ("edges.up.sources.0.amplitude=7", "edges.up.sources.0.amplitude: 7.0 there, 5"),
        ("edges.left={kind: wall}", "edges.left.kind: wall there, free"),
        ("initial.T=4", "initial.T: 4 there, 5"),
    ],
)
def test_signals_of_other_physics_are_refused_by_the_key(
    change, key, run, solutions, tmp_path, capsys
):
    config = tmp_path / "up.yaml"
    config.write_text(PROBLEM.format(cells=16, edge="up"))
    words = ["--set", change, "--set", "output.pictures=false"]
    assert solve.main([str(config), "--out", str(tmp_path / "up"), *words]) == 0
    files = [str(tmp_path / "up" / "solution.h5"), *map(str, solutions[1:])]
    assert reconstruct.main([str(run), *files, "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert "other physics" in told
    assert key in told
    assert not (tmp_path / "out").exists()


def test_signals_of_other_physics_are_taken_when_that_is_asked_for(run, solutions, tmp_path):
    config = tmp_path / "up.yaml"
    config.write_text(PROBLEM.format(cells=16, edge="up"))
    words = ["--set", "edges.up.sources.0.amplitude=5.1", "--set", "output.pictures=false"]
    assert solve.main([str(config), "--out", str(tmp_path / "up"), *words]) == 0
    files = [tmp_path / "up" / "solution.h5", *solutions[1:]]
    reconstructed(run, tmp_path / "out", *files, "--set", "physics=any")


CFG = {"x_min": 0, "x_max": 1, "y_min": 0, "y_max": 1, "N": 16, "c": 299, "a": 0.01372,
       "C_v": 0.14361, "CFL": 0.5, "precision": 1e-6, "t_0": 0, "t_f": 0.01, "rho": "1.5+x+0.5*y",
       "sigma_a": "rho*T", "sigma_c": "rho*T", "E_0": "0.01372*(5^4)", "F_0_x": 0, "F_0_y": 0,
       "T_0": 5}  # fmt: skip


def exported(folder, kind="csv", scheme="consistent", ends="0,1", **changes):
    """Solve .cfg files with each source and return the file that they export to."""
    folder.mkdir()
    mode = {"csv": "dataframe", "sds": "binary"}[kind]
    for letter in "udlr":
        values = CFG | changes
        for other in "udlr":
            fields = ("E", ""), ("F", "_x"), ("F", "_y"), ("T", "")
            values |= {f"{field}_{other}{axis}": "neumann" for field, axis in fields}
        values |= {f"E_{letter}": f"ponctuel({ends})", f"F_{letter}_x": 0, f"F_{letter}_y": 0}
        values |= {f"T_{letter}": 5, "export_mode": mode, "write_mode": "append", "simu_count": 4}
        values |= {"export_file": folder / f"all.{kind}"}
        path = folder / f"{letter}.cfg"
        path.write_text(" ".join(f"{key} {value}" for key, value in values.items()))
        words = ["--set", f"scheme={scheme}", "--set", "output.pictures=false"]
        assert solve.main([str(path), "--out", str(folder / letter), *words]) == 0
    return folder / f"all.{kind}"


@pytest.mark.parametrize("kind", ["csv", "sds"])
def test_exports_give_the_map_of_the_solutions_without_a_word_on_steps(
    kind, run, solutions, tmp_path, capsys
):
    expected, numbers = reconstructed(run, tmp_path / "a", *solutions)
    capsys.readouterr()
    found, of_export = reconstructed(run, tmp_path / "b", exported(tmp_path / "x", kind))
    np.testing.assert_allclose(found, expected, atol=1e-2)
    assert of_export["notes"] == []
    assert of_export["data_misfit"] == pytest.approx(numbers["data_misfit"], rel=0.05)
    assert of_export["misfit_normal"] == numbers["misfit_normal"]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"ends": "0.4,0.6"}, "sources.0.start: 0.4 there"),
        ({"C_v": 0.3}, "material.heat_capacity: 0.3 there, 0.14361"),
        ({"T_0": 4}, "initial.T: 4 there, 5"),
    ],
)
@pytest.mark.parametrize("beside", [True, False])
def test_a_csv_of_other_physics_is_refused_by_the_key(changes, key, beside, run, tmp_path, capsys):
    path = exported(tmp_path / "x", **changes)
    if not beside:
        path.with_name("all.csv.json").unlink()
    assert reconstruct.main([str(run), str(path), "--out", str(tmp_path / "out")]) == 2
    assert key in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_files_do_not_say_is_told(run, tmp_path, capsys):
    csv, sds = exported(tmp_path / "x"), exported(tmp_path / "y", "sds")
    for path, assumed in (
        (csv, ["step 5.22575e-05", "scheme consistent", "amplitude 5.0"]),
        (sds, ["step 5.22575e-05", "scheme consistent", "heat_capacity 0.14361", "T 5"]),
    ):
        path.with_name(f"{path.name}.json").unlink()
        _, numbers = reconstructed(run, tmp_path / f"of-{path.name}", path)
        told = capsys.readouterr().err
        for words in assumed:
            assert words.replace("5.22575e-05", f"{0.5 / 16 / 299:.6g}") in told
        assert len(numbers["notes"]) <= 1 + 4


def test_a_density_that_does_not_explain_its_signals_is_suspicious(
    run, solutions, tmp_path, capsys
):
    other = exported(tmp_path / "x", ends="0.4,0.6")
    _, numbers = reconstructed(run, tmp_path / "bad", other, "--set", "physics=any")
    assert numbers["data_misfit"] > numbers["misfit_normal"] > 0
    assert numbers["misfit_suspicious"] is True
    told = capsys.readouterr().err
    assert "warning: " in told
    assert "does not explain the signals" in told
    assert any("sources.0.start: 0.4 there" in note for note in numbers["notes"])
    _, numbers = reconstructed(run, tmp_path / "no", *solutions, "--set", "misfit_maps=0")
    assert numbers["misfit_normal"] is numbers["misfit_suspicious"] is None


def test_maps_of_its_own_kind_are_not_suspicious(run):
    network = opalux.load_trained(run)
    data = opalux.DataSet(network.settings.data.folder)
    for position in data.split("test"):
        found = opalux.reconstruct(network, data.signals(int(position)), misfit_maps=1000)
        assert found.data_misfit is not None
        assert found.misfit_normal is not None
        assert found.data_misfit <= found.misfit_normal * 1.001, found


def test_signals_of_a_density_out_of_a_file_are_of_the_same_physics(run, solutions, tmp_path):
    expected, _ = reconstructed(run, tmp_path / "a", *solutions)
    files = []
    for edge, solved in zip(EDGES, solutions, strict=True):
        config = tmp_path / f"{edge}.yaml"
        config.write_text(
            f"material: {{density: {{kind: array, file: {solved}}}}}\n"
            f"edges: {{{edge}: {{kind: source, sources: [{{start: 0, stop: 1}}]}}}}\n"
            f"export: {{file: all.sds, mode: binary, write: append, simulations: 4}}"
        )
        assert solve.main([str(config), "--out", str(tmp_path / edge)]) == 0
        files.append(tmp_path / edge / "solution.h5")
    for number, given in enumerate((files, [tmp_path / "all.sds"])):
        found, numbers = reconstructed(run, tmp_path / f"out-{number}", *given)
        np.testing.assert_allclose(found, expected, atol=1e-3)
        assert numbers["notes"] == []
