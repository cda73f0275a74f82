"""An inversion or a reconstruction: the map, how sure it is, and the signals that it explains."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np

from opalux.base.plots import DENSITY_MAP, LABELS, SHARE_MAP, SPREAD_MAP
from opalux.jobs.viewing.scene import Array, Map, Plot

_MAPS = {
    "density": (LABELS["rho"], DENSITY_MAP),
    "network": (f"network, {LABELS['rho']}", DENSITY_MAP),
    "spread": ("spread [g/cm³]", SPREAD_MAP),
    "uncertainty": ("uncertainty [g/cm³]", SPREAD_MAP),
    "informed": ("informed by the data", SHARE_MAP),
}
"""Label and colours of each map of inversion.h5 and reconstruction.h5."""


class InversionScene:
    """See `opalux.jobs.viewing.scene.Scene`; reads inversion.h5, reconstruction.h5 or both."""

    slider: tuple[str, Sequence[float]] = ("", [0.0])

    def __init__(self, folder: Path) -> None:
        self.title = folder.name
        self._maps: dict[str, Array] = {}
        self._rows: dict[str, Array] = {}
        self.choices: Mapping[str, Sequence[str]] = {}
        self.kind, self.note = "reconstruction", ""
        for name in ("reconstruction.h5", "inversion.h5"):
            if (folder / name).is_file():
                with h5py.File(folder / name) as file:
                    self._maps |= {key: file[key][:] for key in _MAPS if key in file}
                    self._axes = [file[key][:] for key in "xy"]
                    if "rows" in file:
                        self._read_rows(file)

    def _read_rows(self, file: h5py.File) -> None:
        self.kind = "inversion"
        self._rows = {name: values[:] for name, values in file["rows"].items()}
        for name in ("source", "edge", "quantity"):
            self._rows[name] = self._rows[name].astype(str)
        self._rows["predicted"] = file["predicted"][:]
        self.choices = {
            name: sorted(set(self._rows[name].tolist())) for name in ("source", "quantity")
        }
        self.note = (
            f"χ² = {file.attrs['chi2']:.3g}. Click near an edge for the signal that was measured "
            "there, and the one that the map gives."
        )

    def maps(self, position: int, chosen: Mapping[str, str]) -> list[Map]:
        """Return the maps that the files hold."""
        ends = []
        for centres in self._axes:
            half = (centres[1] - centres[0]) / 2 if len(centres) > 1 else 0.5
            ends += [float(centres[0] - half), float(centres[-1] + half)]
        extent = (ends[0], ends[1], ends[2], ends[3])
        return [
            Map(
                name=name,
                label=_MAPS[name][0],
                colours=_MAPS[name][1],
                values=values,
                extent=extent,
                limits=(0.0, 1.0) if name == "informed" else None,
            )
            for name, values in self._maps.items()
        ]

    def plots(
        self, position: int, chosen: Mapping[str, str], click: tuple[float, float] | None
    ) -> list[Plot]:
        """Return what was measured at the detector nearest to the click, and what is predicted."""
        if not self._rows:
            return []
        these = np.ones(len(self._rows["value"]), bool)
        for name, options in self.choices.items():
            these &= self._rows[name] == chosen.get(name, options[0])
        rows = {name: values[these] for name, values in self._rows.items()}
        if not len(rows["value"]):
            return []
        xs, ys = self._axes
        places = {
            "left": (np.full(len(rows["value"]), xs[0]), rows["position"]),
            "right": (np.full(len(rows["value"]), xs[-1]), rows["position"]),
            "down": (rows["position"], np.full(len(rows["value"]), ys[0])),
            "up": (rows["position"], np.full(len(rows["value"]), ys[-1])),
        }
        x, y = click or (float(xs[-1]), float(ys[len(ys) // 2]))
        away = np.full(len(rows["value"]), np.inf)
        for edge, (px, py) in places.items():
            there = rows["edge"] == edge
            away[there] = np.hypot(px - x, py - y)[there]
        nearest = int(away.argmin())
        same = (rows["edge"] == rows["edge"][nearest]) & (
            rows["position"] == rows["position"][nearest]
        )
        order = np.flatnonzero(same)[np.argsort(rows["time"][same])]
        t, quantity = rows["time"][order], str(rows["quantity"][nearest])
        label = LABELS.get(quantity, "flux outwards [g/cm/sh²]")
        where = (
            f"source {rows['source'][nearest]}, {rows['edge'][nearest]} edge at "
            f"{rows['position'][nearest]:.3g} cm"
        )
        residual = (rows["value"] - rows["predicted"])[order] / rows["sigma"][order]
        return [
            Plot(
                title=f"{label}, {where}",
                across=LABELS["t"],
                up=label,
                lines=[("measured", t, rows["value"][order]),
                       ("predicted", t, rows["predicted"][order])],
                points=("measured",),
            ),
            Plot(
                title=f"residual, {where}",
                across=LABELS["t"],
                up="standard deviations",
                lines=[("residual", t, residual)],
                points=("residual",),
            ),
        ]  # fmt: skip
