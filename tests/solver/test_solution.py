"""What users get: results that say what they are, and densities given as arrays."""

import pickle

import h5py
import matplotlib.pyplot as plt
import numpy as np
import pydantic
import pytest

from opalux.base import optional
from opalux.base.config import dump
from opalux.base.errors import InputError
from opalux.jobs.solve import main
from opalux.solver.domains.domain import SerialDomain
from opalux.solver.files.snapshots import Snapshots
from opalux.solver.files.solution import read_solution
from opalux.solver.march import March, simulate
from opalux.solver.media import ValuesDensity
from opalux.solver.problem import Problem
from tests.conftest import ROOT

RHO = np.random.default_rng(2).uniform(0.5, 5, (6, 9))
SETTINGS = {"time": {"final": 0.002}, "edges": {"left": {"kind": "source"}}}


def with_density(density, **more):
    return Problem.model_validate(SETTINGS | {"material": {"density": density}} | more)


@pytest.mark.parametrize("scheme", ["consistent", "published"])
def test_a_density_given_as_an_array_gives_the_bits_of_its_file(scheme, tmp_path):
    np.save(tmp_path / "rho.npy", RHO)
    file = {"kind": "array", "file": tmp_path / "rho.npy", "first_row": "bottom"}
    given = simulate(with_density(RHO, scheme=scheme))
    read = simulate(with_density(file, scheme=scheme))
    assert np.array_equal(given.rho, RHO)
    assert np.array_equal(given.fields, read.fields)


def test_a_problem_with_an_array_can_be_compared_copied_pickled_and_printed():
    problem = with_density(RHO)
    assert problem == with_density(RHO.copy())
    assert hash(problem.material.density) == hash(with_density(RHO.copy()).material.density)
    assert problem != with_density(RHO + 1)
    assert problem != with_density("1", grid={"nx": 9, "ny": 6})
    assert pickle.loads(pickle.dumps(problem)) == problem
    copy = problem.model_copy(update={"precision": 1e-7})
    assert np.array_equal(copy.material.density.values, RHO)
    assert "<6 x 9 cells>" in repr(problem)
    assert len(repr(problem)) < 2000
    assert (problem.cells.ny, problem.cells.nx) == RHO.shape


def test_an_array_is_copied_so_that_a_problem_never_changes():
    rho = RHO.copy()
    problem = with_density(rho)
    rho[:] = -1
    assert isinstance(problem.material.density, ValuesDensity)
    assert np.array_equal(problem.material.density.values, RHO)
    with pytest.raises(ValueError, match="read-only"):
        problem.material.density.values[0, 0] = 1


def test_a_problem_with_an_array_refuses_to_be_written_as_yaml():
    with pytest.raises(InputError, match=r"^a density .* save it with numpy\.save"):
        dump(with_density(RHO))


@pytest.mark.parametrize(
    ("density", "message"),
    [
        (np.ones(3), r"found \(3,\), expected a numpy array \(ny, nx\)"),
        (np.array([["a"]]), "expected a numpy array"),
        ({"kind": "values", "values": [[1.0]]}, "found list, expected a numpy array"),
    ],
)
def test_what_is_no_map_is_refused(density, message):
    with pytest.raises(pydantic.ValidationError, match=message):
        with_density(density)


def test_a_map_that_is_not_positive_or_does_not_fit_the_grid_is_refused():
    problem = with_density(-RHO)
    with pytest.raises(InputError, match=r"material\.density: found -"):
        March(problem, SerialDomain(problem))
    with pytest.raises(ValueError, match=r"grid\.nx: found 4, but the density has shape"):
        with_density(RHO, grid={"nx": 4})


@pytest.fixture(scope="module")
def solution():
    return simulate(with_density(RHO))


def test_a_solution_says_in_a_line_what_it_is(solution):
    assert repr(solution) == (
        f"<Solution: 9 x 6 cells, t = 0.002 sh, signals at {len(solution.times)} times>"
    )


def test_a_solution_draws_its_four_fields(solution):
    figure = solution.plot()
    titles = [axis.get_title() for axis in figure.axes[:4]]
    assert [title.split()[-1] for title in titles] == [
        "[g/cm³]",
        "[g/cm/sh²]",
        "[g/cm/sh²]",
        "[keV]",
    ]
    plt.close(figure)


def test_without_xarray_the_message_says_what_to_install(solution, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(optional, "import_module", missing)
    with pytest.raises(InputError, match=r"pip install 'opalux\[xarray\]'"):
        solution.to_xarray()


def test_a_solution_becomes_a_dataset_with_named_axes_coordinates_and_units(solution):
    pytest.importorskip("xarray")
    data = solution.to_xarray()
    assert dict(data.sizes) == {"t": len(solution.times), "y": 6, "x": 9}
    assert data["E"].dims == ("y", "x")
    assert data["left_T"].dims == ("t", "y")
    assert data["up_Fx"].dims == ("t", "x")
    assert np.array_equal(data["up_Fx"], solution.signals["up"][:, 1])
    assert (data["rho"].units, data["x"].units, data["t"].units) == ("g/cm3", "cm", "sh")
    assert data["x"].values[0] == pytest.approx(0.5 / 9)


RUN = """
grid: {nx: 6, ny: 5, x: [1, 3], y: [0, 2]}
time: {final: 0.01}
edges: {left: {kind: source}}
output: {pictures: false, snapshots: 3}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    (folder / "c.yaml").write_text(RUN)
    assert main([str(folder / "c.yaml"), "--out", str(folder / "out")]) == 0
    return folder / "out"


@pytest.mark.parametrize("name", ["solution.h5", "snapshots.h5"])
def test_every_data_set_has_its_unit_and_the_names_of_its_axes(run, name):
    without_unit = {"component", "step"}
    with h5py.File(run / name) as file:

        def look(path, item):
            if isinstance(item, h5py.Dataset):
                labels = [dim.label for dim in item.dims]
                assert labels == list(item.attrs["axes"]), path
                assert ("units" in item.attrs) == (path.split("/")[-1] not in without_unit), path
                for dim, length in zip(item.dims, item.shape, strict=True):
                    scales = [scale for scale in dim.values() if scale.name != item.name]
                    assert item.is_scale or len(scales) == 1, path
                    assert all(scale.shape == (length,) for scale in scales), path

        file.visititems(look)


def test_coordinates_in_the_file_are_the_centres_of_the_cells(run):
    with h5py.File(run / "solution.h5") as file:
        assert file["x"][()] == pytest.approx(1 + (np.arange(6) + 0.5) / 3)
        assert file["y"][()] == pytest.approx((np.arange(5) + 0.5) * 0.4)
        assert file["fields/E"].dims[0][0] == file["y"]
        assert file["signals/left/F"].dims[0][0] == file["signals/t"]


def test_a_solution_that_is_read_is_the_one_that_was_written(run):
    found = read_solution(run / "solution.h5")
    text = {"grid": {"nx": 6, "ny": 5, "x": (1, 3), "y": (0, 2)}, "time": {"final": 0.01}}
    expected = simulate(Problem.model_validate(text | {"edges": SETTINGS["edges"]}))
    assert found.grid == expected.grid
    assert found.t_final == expected.t_final
    for a, b in ((found.fields, expected.fields), (found.rho, expected.rho)):
        assert np.array_equal(a, b)
    for edge, signal in expected.signals.items():
        assert np.array_equal(found.signals[edge], signal)
    assert found.scheme == expected.scheme == "consistent"


def test_of_a_large_file_every_few_values_are_read(run):
    found, whole = read_solution(run / "solution.h5", at_most=4), read_solution(run / "solution.h5")
    assert found.grid == whole.grid
    assert np.array_equal(found.rho, whole.rho[::2, ::2])
    assert np.array_equal(found.fields, whole.fields[:, ::2, ::2])
    step = -(-len(whole.times) // 4)
    assert np.array_equal(found.times, whole.times[::step])
    assert np.array_equal(found.signals["up"], whole.signals["up"][::step, :, ::2])


def test_snapshots_are_read_one_field_at_a_time(run):
    whole = read_solution(run / "solution.h5")
    with Snapshots(run / "snapshots.h5") as shown:
        assert (len(shown.times), shown.grid) == (3, whole.grid)
        assert np.array_equal(shown.field(2, "E"), whole.fields[0])
        assert np.array_equal(shown.field(2, "F", at_most=3)[..., 1], whole.fields[2, ::2, ::2])


ON_RANKS = """
import sys
import numpy as np
from opalux.solver.domains.petsc import PetscDomain, world
from opalux.solver.march import March
from opalux.solver.problem import Problem

problem = Problem(material={"density": np.load(sys.argv[1])}, time={"final": 0.002})
march = March(problem, PetscDomain(problem, world()))
assert march.domain.block.nx * march.domain.block.ny < 54
rows, columns = march.domain.block.inner
assert (march.rho[1:-1, 1:-1] == problem.material.density.values[rows, columns]).all()
"""


@pytest.mark.mpi
def test_each_rank_takes_its_block_of_an_array(tmp_path, mpirun):
    np.save(tmp_path / "rho.npy", RHO)
    (tmp_path / "script.py").write_text(ON_RANKS)
    done = mpirun(2, tmp_path / "script.py", tmp_path / "rho.npy", PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stderr
