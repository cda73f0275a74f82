"""What a page shows: maps that depend on one slider and some choices, and curves behind a click."""

import base64
import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Map:
    """A picture of numbers.

    Attributes
    ----------
    name : identifies it among the maps of a scene, and with the same one of another scene
    label : of its colour bar, with the unit
    colours : name of the colour map
    values : (rows, columns), row 0 = bottom
    extent : left, right, bottom, top
    axes : labels of the horizontal and the vertical axis
    limits : lowest and highest value of the colours; None: those of the values
    """

    name: str
    label: str
    colours: str
    values: Array
    extent: tuple[float, float, float, float]
    axes: tuple[str, str] = ("x [cm]", "y [cm]")
    limits: tuple[float, float] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as the page reads it; values are float32 in base64, NaN where unknown."""
        values = np.ascontiguousarray(self.values, dtype="<f4")
        known = values[np.isfinite(values)]
        low, high = self.limits or (
            (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
        )
        return {
            **{name: getattr(self, name) for name in ("name", "label", "extent", "axes")},
            "palette": palette(self.colours),
            "shape": values.shape,
            "values": base64.b64encode(values.tobytes()).decode("ascii"),
            "limits": (low, high),
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plot:
    """Curves over one axis.

    Attributes
    ----------
    title, across, up : of the plot and its axes
    lines : label, places (n,), values (n,)
    points : labels of the lines that are drawn as points
    """

    title: str
    across: str
    up: str
    lines: Sequence[tuple[str, Array, Array]]
    points: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as the page reads it; numbers that are not finite are left out."""
        lines = []
        for label, x, y in self.lines:
            good = np.isfinite(x) & np.isfinite(y)
            lines.append({"label": label, "x": x[good].tolist(), "y": y[good].tolist()})
        return {
            **{name: getattr(self, name) for name in ("title", "across", "up", "points")},
            "lines": lines,
        }


class Scene(Protocol):
    """What one folder shows.

    Attributes
    ----------
    title, kind : name of the folder, and what it holds
    note : a sentence on it
    slider : name, and the values that it runs over; one value: there is no slider
    choices : what can be chosen, by the name of the choice
    """

    title: str
    kind: str
    note: str
    slider: tuple[str, Sequence[float]]
    choices: Mapping[str, Sequence[str]]

    def maps(self, position: int, chosen: Mapping[str, str]) -> list[Map]:
        """Return the maps at a position of the slider."""
        ...

    def plots(
        self, position: int, chosen: Mapping[str, str], click: tuple[float, float] | None
    ) -> list[Plot]:
        """Return the curves behind a place that was clicked; None: nothing was, yet."""
        ...


@functools.cache
def palette(colours: str) -> list[list[int]]:
    """Return 256 colours of a colour map: red, green, blue from 0 to 255."""
    import matplotlib

    table = matplotlib.colormaps[colours](np.arange(256))[:, :3]
    found: list[list[int]] = np.rint(255 * table).astype(int).tolist()
    return found


def described(scene: Scene) -> dict[str, Any]:
    """Return what the page has to know of a scene at first."""
    name, values = scene.slider
    return {
        "title": scene.title,
        "kind": scene.kind,
        "note": scene.note,
        "slider": {"name": name, "values": [float(value) for value in values]},
        "choices": {key: list(options) for key, options in scene.choices.items()},
    }
