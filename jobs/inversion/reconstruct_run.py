"""Reconstructing the density behind a user's signals into a folder."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from opalux.base.config import dump
from opalux.base.files import atomic, write_json
from opalux.base.hdf5 import describe
from opalux.base.plots import save
from opalux.base.provenance import provenance
from opalux.base.run_folder import run_folder
from opalux.jobs.inversion.given import assembled, read_for
from opalux.jobs.inversion.physics import compare_physics
from opalux.jobs.inversion.reconstruction import Reconstruction, reconstruct, require_map
from opalux.jobs.inversion.settings import ReconstructSettings
from opalux.jobs.inversion.signal_fit import signal_fit
from opalux.jobs.inversion.trained import Trained, load_ensemble
from opalux.learning.data.measurement import Measurement


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a reconstruction is made from, checked.

    Attributes
    ----------
    run : folder of the training run
    networks : the run's and those that are averaged with it
    measurements : one for each source
    notes : what was assumed of them, and what differs from the training data, in words
    """

    run: Path
    networks: list[Trained]
    measurements: list[Measurement]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        shape = self.networks[0].layout.shape
        return f"would reconstruct {shape} cells from {len(self.measurements)} sources"


EMPTY: Mapping[str, NDArray[np.floating]] = MappingProxyType({})
MAKES = ("reconstruction.h5", "reconstruction.png", "fit.png", "reconstruction.json", "run.json")


def check_inputs(run: Path, signals: Sequence[Path], settings: ReconstructSettings) -> Inputs:
    """Read networks and signals, and check that they fit; writes nothing.

    Raises
    ------
    InputError
        When they do not.
    """
    networks = load_ensemble(run, settings.also, settings.checkpoint)
    require_map(networks[0])
    measurements = read_for(networks[0], signals, settings.dt)
    notes = compare_physics(networks[0], measurements, settings.physics)
    assembled(networks, measurements)
    return Inputs(run=run, networks=networks, measurements=measurements, notes=notes)


def reconstruct_into(
    out: Path,
    inputs: Inputs,
    settings: ReconstructSettings,
    *,
    resume: bool = False,
    force: bool = False,
) -> Reconstruction:
    """Reconstruct, and write reconstruction.h5 and .json, reconstruction.png and fit.png.

    Parameters
    ----------
    out : folder for the results
    inputs : see `check_inputs`
    settings : how the signals are turned into a density
    resume, force : see `run_folder`
    """
    with run_folder(
        out, dump(settings), job="reconstruct", makes=MAKES, resume=resume, force=force
    ):
        found = reconstruct(
            inputs.networks,
            inputs.measurements,
            symmetries=settings.symmetries,
            simulate=settings.simulate,
            calibration_maps=settings.calibration_maps,
            misfit_maps=settings.misfit_maps,
            physics=settings.physics,
            noise=settings.noise,
        )
        write_reconstruction(found, out / "reconstruction.h5")
        save(found.plot(), out / "reconstruction.png")
        if found.fit is not None:
            save(signal_fit(found.fit), out / "fit.png")
        write_json(out / "run.json", provenance())
        write_json(out / "reconstruction.json", numbers_of(inputs, found))
    return found


def numbers_of(inputs: Inputs, found: Reconstruction) -> dict[str, Any]:
    """Return the content of reconstruction.json."""
    uncertainty = found.uncertainty
    return {
        "run": str(inputs.run),
        "network": inputs.networks[0].trained_on,
        "signals": [m.origin for m in inputs.measurements],
        "sources": list(found.sources),
        "reconstructions": found.members,
        "density_min": float(found.density.min()),
        "density_max": float(found.density.max()),
        "uncertainty_mean": None if uncertainty is None else float(uncertainty.mean()),
        "spread_mean": None if found.spread is None else float(found.spread.mean()),
        "calibrated": found.calibrated,
        "data_misfit": found.data_misfit,
        "misfit_normal": found.misfit_normal,
        "misfit_suspicious": found.misfit_suspicious,
        "chi2": found.chi2,
        "chi2_normal": found.chi2_normal,
        "notes": list(found.notes),
    }


def write_reconstruction(
    found: Reconstruction, path: Path, more: Mapping[str, NDArray[np.floating] | None] = EMPTY
) -> None:
    """Write /density and, where known, /uncertainty and /spread, with the centres of the cells.

    ``more`` : further maps (ny, nx) [g/cm³] by name
    """
    maps = {
        "density": found.density,
        "uncertainty": found.uncertainty,
        "spread": found.spread,
        **more,
    }
    with atomic(path) as temporary, h5py.File(temporary, "w") as file:
        for name, centres in (("x", found.x), ("y", found.y)):
            describe(file.create_dataset(name, data=centres), "cm", name=name)
        for name, values in maps.items():
            if values is not None:
                file[name] = values
                describe(file[name], "g/cm^3", axes=(file["y"], file["x"]))
                file[name].attrs["rows"] = "y ascending; row 0 = bottom"
