"""The letters by which the published formats name the edges."""

from opalux.base.axes import EDGES

LETTERS = dict(zip("udlr", EDGES, strict=True))
