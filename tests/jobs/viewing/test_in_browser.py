"""The pages in a real browser, on a phone and on a desk; left out where there is no Chromium."""

import base64
import threading

import numpy as np
import pytest

from opalux.base.page import Page
from opalux.base.plots import png
from opalux.jobs.solve import main as solve
from opalux.jobs.viewing.folder import scene_of
from opalux.jobs.viewing.paint import Easel
from opalux.jobs.viewing.serve import Show, server
from tests.browser import CHROMIUM, browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

WIDTHS = (390, 1440)
READY = "document.body.dataset.ready === 'yes'"


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for name, high in (("a", 10), ("b", 5)):
        line = ["debug", "--quiet", "--set", "output.snapshots=3", "--set", "output.pictures=false"]
        high_density = ["--set", f"material.density.high={high}"]
        assert solve([*line, *high_density, "--out", str(folder / name)]) == 0
    easel = Easel()
    easel.cells, easel.finer, easel.found, easel.steps = 8, 32, 8, 20
    show = Show([scene_of(folder / "a"), scene_of(folder / "b")], easel)
    with server(show, 0) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_address[1]}/"
        listening.shutdown()


@pytest.mark.parametrize("width", WIDTHS)
def test_two_runs_and_their_difference_are_shown(width, tab, address):
    tab.open(address, width, dark=width == 390)
    tab.wait_for(READY)
    titles = tab.evaluate("[...document.querySelectorAll('h1')].map((each) => each.textContent)")
    assert titles == ["a (simulation)", "b (simulation)", "b − a"]
    assert tab.evaluate("document.querySelectorAll('canvas').length") == 2 * (4 + 3) + 4
    assert tab.evaluate("[...document.querySelectorAll('.error')].every((e) => !e.textContent)")
    assert tab.too_wide() == []


def test_the_slider_moves_through_time(tab, address):
    tab.open(address, 1440)
    tab.wait_for(READY)
    bright = """(() => { const canvas = document.querySelectorAll('canvas')[1];
      return [...canvas.getContext('2d').getImageData(60, 60, 200, 200).data].join() })()"""
    before = tab.evaluate(bright)
    tab.evaluate("""(() => { const slider = document.querySelector('input[type=range]');
      slider.value = 2; slider.dispatchEvent(new Event('input')); })()""")
    tab.wait_for("document.querySelector('output').textContent === '0.002'")
    tab.wait_for(f"{bright} !== {before!r}")


def test_a_click_shows_the_signal_at_that_edge(tab, address):
    tab.open(address, 1440)
    tab.wait_for(READY)
    box = tab.evaluate("""(() => { const box = document.querySelector('canvas.clickable')
      .getBoundingClientRect(); return [box.left, box.top, box.width, box.height] })()""")
    tab.click(box[0] + 0.2 * box[2], box[1] + 0.5 * box[3])
    tab.wait_for("document.querySelector('figcaption').textContent.includes('left edge')")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_density_is_painted_and_lit(width, tab, address):
    tab.open(f"{address}paint", width)
    tab.wait_for(READY)
    assert tab.too_wide() == []
    colour = "[...document.getElementById('easel').getContext('2d').getImageData(4, 4, 1, 1).data]"
    before = tab.evaluate(colour)
    box = tab.evaluate("""(() => { const box = document.getElementById('easel')
      .getBoundingClientRect(); return [box.left, box.top, box.width, box.height] })()""")
    tab.click(box[0] + box[2] * 0.55, box[1] + box[3] * 0.55)
    assert tab.evaluate(colour) != before
    tab.evaluate("document.getElementById('light').click()")
    tab.wait_for("document.querySelectorAll('#lit canvas').length === 5")
    assert tab.too_wide() == []


def test_a_painted_density_is_found_again_from_its_signals(tab, address):
    """The whole way: paint, measure from four sides, search, look at the map."""
    tab.open(f"{address}paint", 1440)
    tab.wait_for(READY)
    place = """(() => { const box = document.getElementById('easel')
      .getBoundingClientRect(); return [box.left, box.top, box.width, box.height] })()"""
    left, top, width, height = tab.evaluate(place)
    tab.evaluate("document.getElementById('brush').value = 2")
    tab.click(left + 0.25 * width, top + 0.75 * height)  # below, on the left: 2 x 2 cells
    tab.evaluate("document.getElementById('invert').click()")
    tab.wait_for("document.querySelectorAll('#found canvas').length >= 1", patience=400)
    assert "χ²" in tab.evaluate("document.getElementById('said').textContent")
    told = tab.evaluate("fetch('api/inversion').then((answer) => answer.json())", wait=True)
    values, shape = (told["maps"][0][key] for key in ("values", "shape"))
    found = np.frombuffer(base64.b64decode(values), "<f4").reshape(shape)
    painted = np.zeros(found.shape, bool)
    painted[1:3, 1:3] = True
    assert found[painted].mean() > 2.5 > 1.5 > found[~painted].max()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dark", [False, True])
def test_a_report_fits_and_follows_the_colours_of_the_system(width, dark, tab, tmp_path):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 3))
    figure.subplots().plot(np.arange(3))
    page = Page("A report with a_very_long_name_that_has_no_place_to_break_" + "x" * 60, "Lead.")
    page.answers(["a map"], ["it is good"], ["look at it"])
    page.table([f"column {n}" for n in range(20)], [[n / 7 for n in range(20)]])
    page.figure(png(figure), "wide")
    page.code("opalux solve " + "--set a.b=c " * 30)
    path = tmp_path / "report.html"
    path.write_text(page.html(), encoding="utf-8")
    tab.open(path.as_uri(), width, dark=dark)
    assert tab.too_wide() == []
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    background = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(21, 24, 28)" if dark else "rgb(255, 255, 255)")
