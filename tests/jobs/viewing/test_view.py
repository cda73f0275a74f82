"""What `opalux view` serves: every kind of folder, to this machine and its own pages alone."""

import base64
import contextlib
import http.client
import json
import threading

import h5py
import numpy as np
import pytest

from opalux.base.errors import InputError
from opalux.jobs.solve import main as solve
from opalux.jobs.view import main
from opalux.jobs.viewing.folder import scene_of
from opalux.jobs.viewing.paint import Easel
from opalux.jobs.viewing.scene import Map
from opalux.jobs.viewing.serve import HOST, Show, server
from opalux.learning.data.data_set import DataSet
from opalux.solver.files.solution import read_solution
from tests.learning.made_data import make_data


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("view") / "run"
    line = ["debug", "--quiet", "--set", "output.snapshots=3", "--set", "output.pictures=false"]
    assert solve([*line, "--out", str(folder)]) == 0
    return folder


@contextlib.contextmanager
def serving(*scenes, easel=None):
    """Serve; give a function that asks and returns the status and what is answered."""
    with server(Show(scenes, easel or Easel()), 0) as listening:
        port = listening.server_address[1]
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()

        def ask(path, body=None, **headers):
            connection = http.client.HTTPConnection(HOST, port, timeout=60)
            given = {"Host": f"{HOST}:{port}"} | headers
            text = body if isinstance(body, str) or body is None else json.dumps(body)
            connection.request("GET" if body is None else "POST", path, text, given)
            answer = connection.getresponse()
            found = answer.read()
            connection.close()
            kind = answer.headers["Content-Type"]
            return answer.status, json.loads(
                found
            ) if kind == "application/json" else found.decode()

        try:
            yield ask
        finally:
            listening.shutdown()


def numbers(told):
    values = np.frombuffer(base64.b64decode(told["values"]), "<f4")
    return values.reshape(told["shape"])


def test_a_simulation_shows_its_snapshots_and_signals(run):
    scene, solution = scene_of(run), read_solution(run / "solution.h5")
    assert len(scene.slider[1]) == 3
    with serving(scene) as ask:
        (told,) = ask("/api/scenes")[1]
        assert (told["kind"], told["title"]) == ("simulation", "run")
        maps = {each["name"]: each for each in ask("/api/maps?scene=0&position=2")[1]}
        assert np.array_equal(numbers(maps["E"]), solution.fields[0].astype("<f4"))
        status, (energy, *_) = ask("/api/plots?scene=0&position=0&x=0.99&y=0.5")
    assert status == 200
    assert energy["title"].startswith("E [g/cm/sh²], right edge")
    assert energy["lines"][0]["y"] == solution.signals["right"][:, 0, 15].tolist()


def test_a_data_set_shows_its_samples(tmp_path):
    make_data(tmp_path / "data", train=4)
    data, scene = DataSet(tmp_path / "data"), scene_of(tmp_path / "data")
    assert len(scene.slider[1]) == len(data)
    density, up, *_ = scene.maps(3, {"source": data.card.sources[1], "quantity": "T"})
    assert np.array_equal(density.values, data.density(3))
    signal = data.signals(3)[1, 0, list(data.card.quantities).index("T")]
    assert np.allclose(up.values, (signal - signal[:1]).T)
    (plot,) = scene.plots(3, {}, None)
    assert len(plot.lines) == 4


def test_an_inversion_shows_what_was_measured_beside_what_is_predicted(tmp_path):
    with h5py.File(tmp_path / "inversion.h5", "w") as file:
        file["x"] = file["y"] = [0.25, 0.75]
        file["density"] = file["spread"] = [[1.0, 2.0], [3.0, 4.0]]
        rows = {
            "source": [b"left"] * 4,
            "edge": [b"up", b"up", b"right", b"right"],
            "quantity": [b"E"] * 4,
            "position": [0.2, 0.2, 0.7, 0.7],
            "time": [2.0, 1.0, 1.0, 2.0],
            "value": [5.0, 6.0, 7.0, 8.0],
            "sigma": [1.0] * 4,
        }
        for name, values in rows.items():
            file[f"rows/{name}"] = values
        file["predicted"] = [5.5, 6.0, 7.0, 8.0]
        file.attrs["chi2"] = 1.0
    scene = scene_of(tmp_path)
    assert [each.name for each in scene.maps(0, {})] == ["density", "spread"]
    fit, residual = scene.plots(0, {}, (0.3, 0.9))
    assert "up edge at 0.2 cm" in fit.title
    assert fit.lines[0][2].tolist() == [6.0, 5.0]  # in the order of time
    assert residual.lines[0][2].tolist() == [0.0, -0.5]


def test_values_that_are_not_known_are_no_limits():
    shown = Map(
        name="a", label="a", colours="magma", values=np.array([[np.nan, 2.0]]), extent=(0,) * 4
    )
    assert shown.to_json()["limits"] == (2.0, 2.0)


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Host": "evil.example:80"}],
)
def test_other_hosts_and_other_pages_are_refused(headers):
    with serving() as ask:
        assert ask("/api/scenes", **headers)[0] == 403
        assert ask("/", **headers)[0] == 403
        assert ask("/api/scenes")[0] == 200


@pytest.mark.parametrize(
    "path",
    ["/none", "/../solve.py", "/api/maps", "/api/maps?scene=0&position=9", "/api/maps?scene=5",
     "/api/maps?scene=0&position=-1", "/api/plots?scene=0&position=0&x=a&y=b"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(path, run):
    with serving(scene_of(run)) as ask:
        assert ask(path)[0] == 404


def test_the_pages_and_all_that_they_load_are_served():
    with serving() as ask:
        for page in ("/", "/paint"):
            status, text = ask(page)
            assert status == 200
            for name in ("page.css", "view.js" if page == "/" else "paint.js"):
                assert name in text
                assert ask(f"/{name}")[0] == 200
        assert "import" in ask("/view.js")[1]
        assert ask("/drawing.js")[0] == 200


def test_a_painted_density_is_lit():
    easel = Easel()
    easel.cells = 8
    with serving(easel=easel) as ask:
        assert ask("/api/easel")[1]["network"] is False
        status, found = ask("/api/light", {"density": np.ones((8, 8)).tolist(), "edge": "left"})
    assert status == 200
    assert {each["name"] for each in found["maps"]} == {"E", "left", "right", "up", "down"}


@pytest.mark.parametrize(
    ("path", "body", "part"),
    [
        ("/api/light", {"density": [[1, 2], [3, 4]], "edge": "left"}, "expected (32, 32)"),
        ("/api/light", {"density": "map", "edge": "left"}, "no density"),
        ("/api/light", [], "no density"),
        ("/api/light", {"density": [[99] * 32] * 32, "edge": "left"}, "from 0.1 to 10.0"),
        ("/api/light", {"density": [[1] * 32] * 32, "edge": "top"}, "expected one of up"),
        ("/api/network", {"density": [[1] * 32] * 32}, "no network"),
        ("/api/invert", {"density": [[float("nan")] * 32] * 32}, "from 0.1 to 10.0"),
    ],
)
def test_a_painting_that_cannot_be_is_told(path, body, part):
    with serving() as ask:
        status, found = ask(path, body)
    assert status == 422
    assert part in found["error"]


def test_a_request_that_is_no_json_is_refused():
    with serving() as ask:
        assert ask("/api/light", "density")[0] == 400


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ([], "found no folder"),
        (["none"], "no such folder"),
        (["."], "found nothing to show"),
        ([".", ".", "."], "found 3 folders"),
        (["--paint", "--port", "99999"], "cannot be used"),
    ],
)
def test_bad_input_is_told(line, part, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*line, "--no-browser"]) == 2
    assert part in capsys.readouterr().err


def test_a_taken_port_is_told():
    with (
        server(Show([], Easel()), 0) as listening,
        pytest.raises(InputError, match="give another one"),
    ):
        server(Show([], Easel()), listening.server_address[1])


@pytest.mark.parametrize("name", ["solution.h5", "inversion.h5", "reconstruction.h5"])
@pytest.mark.parametrize("damage", ["no HDF5", "cut off", "empty", "another shape"])
def test_damaged_results_are_one_message(name, damage, tmp_path, run, capsys):
    file = tmp_path / name
    if damage == "no HDF5":
        file.write_text("junk")
    elif damage == "cut off":
        file.write_bytes((run / "solution.h5").read_bytes()[:3000])
    else:
        with h5py.File(file, "w") as made:
            if damage == "another shape":
                for key in ("fields", "density", "x", "y", "rows"):
                    made[key] = 1.0
    assert main([str(tmp_path), "--no-browser"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert told.count("\n") == 1
