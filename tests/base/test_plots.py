"""One colour map for each quantity: pictures take it from `opalux.base.plots`."""

import re
from pathlib import Path

import matplotlib

from opalux.base import plots
from tests.conftest import ROOT

OURS = {key: value for key, value in vars(plots).items() if key.endswith("_MAP")}
USUAL = ("viridis", "plasma", "turbo", "jet", "hot", "RdBu", "PuOr_r", "coolwarm", "seismic", "bwr")
SOURCES = [path for top in ("jobs", "learning", "solver") for path in (ROOT / top).rglob("*.py")]


def test_no_picture_chooses_a_colour_map_of_its_own():
    known = {*OURS.values(), *USUAL}
    named = re.compile(rf"[\"']({'|'.join(known)})[\"']")
    classes = Path("learning/siqd/report/look.py")  # colours of classes, not of a quantity
    found = [
        f"{path.relative_to(ROOT)}: {match}"
        for path in SOURCES
        if path.relative_to(ROOT) != classes
        for match in named.findall(path.read_text(encoding="utf-8"))
    ]
    assert not found


def test_two_quantities_do_not_share_a_colour_map():
    assert len(set(OURS.values())) == len(OURS)
    assert set(OURS.values()) <= set(matplotlib.colormaps)
