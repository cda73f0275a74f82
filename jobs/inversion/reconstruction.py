"""The density behind edge signals, by trained networks: one way for users, judging and the demo."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from opalux.base.errors import InputError
from opalux.base.optional import import_xarray
from opalux.jobs.inversion.given import (
    assembled,
    calibration_of,
    noise_of,
    read_for,
    seen_by_detectors,
)
from opalux.jobs.inversion.mean_answer import answering
from opalux.jobs.inversion.misfit import Fit, ends_of, fit_of, held_out
from opalux.jobs.inversion.physics import Physics, compare_physics
from opalux.jobs.inversion.trained import Trained
from opalux.learning.data.measurement import Measurement
from opalux.learning.networks.symmetry import symmetries_of

Array = NDArray[np.float32]

EXPLAINED = 2.0
"""χ² up to which a map explains its signals."""


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Reconstruction:
    """A density found from edge signals.

    Attributes
    ----------
    density : (ny, nx) [g/cm³], row 0 = bottom
    uncertainty : (ny, nx) standard deviation of the reconstructions [g/cm³]; it shows which regions
        are uncertain but underestimates the error. None when there was one reconstruction only
    spread : (ny, nx) the uncertainty calibrated on maps that were held out from training, two
        thirds of whose cells lie within it [g/cm³]; for maps of that kind. None: not known
    data_misfit : ‖F(ρ̂)−d‖/‖d‖ by simulating the density again; None when this was not done
    misfit_normal : that nine of ten maps held out from training stay below; None: not known
    chi2, chi2_normal : mean squared residual of those signals in standard deviations of the noise,
        and what nine of ten maps held out from training stay below; None: the noise is not known
    sources : whose signals were given
    members : reconstructions that the density is the mean of
    calibrated : whether the signals came from another grid and were calibrated
    x, y : (nx,), (ny,) centres of the cells [cm]
    notes : what was assumed of the signals because files do not say it, and what differs from the
        training data, in words
    fit : the signals beside those of the density simulated again; None when this was not done
    """

    density: Array
    uncertainty: Array | None
    spread: Array | None
    data_misfit: float | None
    misfit_normal: float | None
    sources: tuple[str, ...]
    members: int
    calibrated: bool
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    notes: tuple[str, ...] = ()
    chi2: float | None = None
    chi2_normal: float | None = None
    fit: Fit | None = None

    @property
    def misfit_suspicious(self) -> bool | None:
        """Whether the density explains its signals worse than is normal; None: not known."""
        if self.chi2 is not None and self.chi2_normal is not None:
            return self.chi2 > self.chi2_normal
        if self.data_misfit is None or self.misfit_normal is None:
            return None
        return self.data_misfit > self.misfit_normal

    @property
    def warning(self) -> str:
        """A line on signals that are not explained as usual; empty when they are."""
        if not self.misfit_suspicious:
            return ""
        worse = f"data misfit {self.data_misfit:.2%}, but at most {self.misfit_normal:.2%}"
        if self.chi2 is not None:
            worse = f"χ² {self.chi2:.3g}, but at most {self.chi2_normal:.3g}"
        return (
            f"{worse} for maps like those of the training: the density does not explain the "
            "signals, and the network does not know such maps; search on by physics with --refine"
        )

    @property
    def explained(self) -> list[str]:
        """Lines on how well the density explains its signals, and what can be done."""
        if self.data_misfit is None:
            return []
        usual = "" if self.misfit_normal is None else f"; up to {self.misfit_normal:.2%} is normal"
        lines = [f"simulated again it gives the signals up to {self.data_misfit:.2%}{usual}"]
        if self.chi2 is not None:
            usual = "" if self.chi2_normal is None else f"; up to {self.chi2_normal:.3g} is normal"
            lines.append(f"χ² = {self.chi2:.3g}, where 1 is explained to the noise{usual}")
            if self.chi2 > EXPLAINED and not self.misfit_suspicious:
                lines.append("the network knows such maps; --refine explains the signals better")
        return lines

    def __repr__(self) -> str:
        ny, nx = self.density.shape
        misfit = "" if self.data_misfit is None else f", data misfit {self.data_misfit:.2%}"
        low, high = self.density.min(), self.density.max()
        return f"Reconstruction({ny}×{nx} cells, {low:.3g} to {high:.3g} g/cm³{misfit})"

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Limits of the domain in x and y [cm]."""
        (left, right), (low, high) = (_limits(centres) for centres in (self.x, self.y))
        return left, right, low, high

    def plot(self) -> Any:
        """Return a matplotlib figure of the density and, where it is known, its uncertainty."""
        from opalux.jobs.inversion.pictures import reconstruction

        shown = self.uncertainty if self.spread is None else self.spread
        return reconstruction(self.density, shown, self.extent, self.warning)

    def to_xarray(self) -> Any:
        """Return an xarray.Dataset with coordinates [cm] and units.

        Raises
        ------
        InputError
            When xarray is not installed.
        """
        xarray = import_xarray()
        maps = {
            "density": self.density,
            "uncertainty": self.uncertainty,
            "spread": self.spread,
        }
        axes = {"y": self.y, "x": self.x}
        return xarray.Dataset(
            {
                name: (("y", "x"), values, {"units": "g/cm^3"})
                for name, values in maps.items()
                if values is not None
            },
            {name: (name, centres, {"units": "cm"}) for name, centres in axes.items()},
            {} if self.data_misfit is None else {"data_misfit": self.data_misfit},
        )


def reconstruct(
    trained: Trained | Sequence[Trained],
    signals: Array | Sequence[Measurement] | Sequence[str | Path] | str | Path,
    *,
    symmetries: bool = True,
    simulate: bool = True,
    calibration_maps: int | None = None,
    dt: float | None = None,
    misfit_maps: int = 32,
    physics: Physics = "same",
    noise: float | None = None,
) -> Reconstruction:
    """Return the density behind edge signals.

    Parameters
    ----------
    trained : a network, or several whose reconstructions are averaged; see `load_trained`
    signals : a folder, or files and folders (long tables, solution.h5, .sds, .csv), or
        measurements, one for each source; or an array (sources, edges, quantities, n_times,
        n_cells) on the network's own grid and times, such as a data set holds
    symmetries : average over the symmetries of the domain, too, where the data allow it
    simulate : simulate the density and compare it with the signals
    calibration_maps : signals of a finer grid are calibrated with so many densities that are
        simulated on both grids; None: with 20, but not signals on the edge itself
    misfit_maps : so many maps that were held out from training are simulated, to know which data
        misfit is normal; 0: it is not known
    dt : step [sh] of .sds and .csv files; None: as the file beside them says, or as published,
        CFL·Δx/c
    physics : "same": signals whose files name other physics than the training data are refused;
        "any": that is a note
    noise : of the signals, as a share of each channel's standard deviation, for networks that are
        told it; None: as tables say, else none

    Raises
    ------
    InputError
        When the network gives no map, or the signals are not of the kind that it was trained on.
    """
    networks = [trained] if isinstance(trained, Trained) else list(trained)
    first = networks[0]
    require_map(first)
    notes: tuple[str, ...] = ()
    ends = ends_of(first.campaign)
    if isinstance(signals, str | Path):
        signals = [signals]
    if isinstance(signals, np.ndarray):
        if signals.shape != first.layout.signals_shape:
            raise InputError(
                f"signals: found an array {signals.shape}, expected {first.layout.signals_shape} "
                "(sources, edges, quantities, times, cells)"
            )
        given, names = signals.astype(np.float32), first.layout.sources
        calibration = seen = None
    else:
        measurements = (
            signals
            if _are_measurements(signals)
            else read_for(first, [Path(str(path)) for path in signals], dt)
        )
        notes = compare_physics(first, measurements, physics)
        given = assembled(networks, measurements)
        names = tuple(m.source for m in measurements)
        seen = seen_by_detectors(first, measurements)
        if noise is None:
            noise, note = noise_of(measurements)
            notes = (*notes, *(note if first.model.told else ()))
        ends = ends_of(first.campaign, measurements)
        calibration = calibration_of(first, measurements, calibration_maps)
    if calibration is not None:
        given = calibration(given)
    level = noise or 0.0
    symmetric = symmetries and first.layout.is_symmetric
    members = len(networks) * (len(symmetries_of(first.layout)) if symmetric else 1)
    answer = answering(
        networks, symmetries=symmetric, noise=level, known=np.isfinite(given), seen=seen
    )
    density, uncertainty = answer(given)
    fit = fit_of(first, given, density, ends, level, seen) if simulate else None
    usual = None
    if fit is not None:
        usual = held_out(first, answer, np.isfinite(given), misfit_maps, level, seen)
    return Reconstruction(
        density=density,
        uncertainty=uncertainty,
        spread=None if usual is None else usual.spread(uncertainty),
        data_misfit=None if fit is None else fit.misfit,
        misfit_normal=None if usual is None else usual.misfit,
        chi2=None if fit is None else fit.chi2,
        chi2_normal=None if usual is None else usual.chi2,
        sources=names,
        members=members,
        calibrated=calibration is not None,
        x=first.card.x,
        y=first.card.y,
        notes=notes,
        fit=fit,
    )


def require_map(trained: Trained) -> None:
    """Refuse a network that gives no map."""
    objective = trained.model.objective
    if not objective.is_map:
        raise InputError(
            f"{trained.path}: found a network that gives {objective.answer}, expected one that "
            "gives the density of every cell; judge it with `opalux evaluate`"
        )


def _are_measurements(signals: Sequence[Any]) -> TypeGuard[Sequence[Measurement]]:
    return bool(signals) and all(isinstance(one, Measurement) for one in signals)


def _limits(centres: NDArray[np.float64]) -> tuple[float, float]:
    half = 0.5 * (centres[-1] - centres[0]) / max(1, len(centres) - 1)
    return float(centres[0] - half), float(centres[-1] + half)
