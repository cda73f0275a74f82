"""``opalux reconstruct``: the density behind one's own edge signals."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import h5py
import numpy as np
import pydantic
from numpy.typing import NDArray

from opalux.base import command_line
from opalux.base.config import dump
from opalux.base.errors import InputError
from opalux.base.exit_codes import OK
from opalux.base.files import atomic, write_json
from opalux.base.provenance import provenance
from opalux.base.run_folder import open_run
from opalux.base.settings import Settings, SettingsPath
from opalux.jobs.inversion.signal_files import read_measurements
from opalux.jobs.inversion.two_grids import calibrate, campaign_of
from opalux.jobs.sampling.sample import simulate_sources
from opalux.learning.data.measurement import Measurement

if TYPE_CHECKING:
    from opalux.learning.training.predict import Trained

DESCRIPTION = """\
Reconstruct the density behind your own edge signals with a trained network.

  opalux reconstruct RUN up.h5 down.h5 left.h5 right.h5 --out DIR

RUN is the folder of a training run.  SIGNALS are solution.h5 files, published .sds
files or CSV exports, or folders of them: one simulation or measurement for each
source that the network was trained with.  Writes reconstruction.h5 (density and
uncertainty), reconstruction.json and reconstruction.png."""


class ReconstructSettings(Settings):
    """How signals are turned into a density.

    Attributes
    ----------
    checkpoint : which of the run's
    also : folders of further runs; the mean of all their reconstructions is given
    symmetries : average over the eight symmetries of the square, too
    simulate : simulate the reconstruction and compare it with the signals
    calibration_maps : signals on a finer grid than the network's are calibrated with so many
        densities simulated on both grids (see `learning.training.calibration`); 0: they are not
    dt : step [sh] of .sds and .csv files, which do not keep it; null: as published, CFL·Δx/c
    """

    checkpoint: Literal["best", "last"] = "best"
    also: tuple[SettingsPath, ...] = ()
    symmetries: bool = True
    simulate: bool = True
    calibration_maps: int = pydantic.Field(20, ge=0)
    dt: float | None = pydantic.Field(None, gt=0)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see DESCRIPTION."""
    parser = command_line.parser("reconstruct", DESCRIPTION, "folder of a training run", "RUN")
    parser.add_argument("signals", metavar="SIGNALS", nargs="+", type=Path, help="files or folders")
    parsed = parser.parse_args(argv)
    return command_line.run(lambda: _reconstruct(parsed))


def _reconstruct(parsed: argparse.Namespace) -> int:
    given, settings = command_line.of_run(parsed, ReconstructSettings)
    measurements = read_measurements(parsed.signals, settings.dt)

    # Importing torch takes seconds: not before the command line is understood.
    import torch

    from opalux.base.plots import save
    from opalux.jobs.inversion.pictures import reconstruction
    from opalux.learning.data.measurement import assemble
    from opalux.learning.training.predict import load_trained, members

    trained = [
        load_trained(folder / f"{settings.checkpoint}.ckpt")
        for folder in (given.config, *settings.also)
    ]
    first = trained[0]
    layout = first.model.layout
    for other, folder in zip(trained[1:], settings.also, strict=True):
        if other.model.layout != layout or not np.allclose(other.times, first.times):
            raise InputError(
                f"also: {folder} takes other signals than {given.config}; give runs that were "
                "trained on data of the same kind"
            )
    signals = assemble(
        measurements,
        layout,
        first.times,
        first.model.signal_mean.numpy()[..., 0, 0],
        first.model.signal_std.numpy()[..., 0, 0],
        may_lack=min(t.settings.augmentation.drop_sources for t in trained),
    )
    refinement = measurements[0].signals["up"].shape[-1] // layout.n_cells
    if given.dry_run:
        print(f"would reconstruct {layout.shape} cells from {len(measurements)} sources")
        return OK
    signals = _calibrated(signals, first, refinement, measurements, settings)
    symmetries = settings.symmetries and layout.is_symmetric
    batch = torch.from_numpy(signals)[None]
    maps = torch.cat([members(t.model, batch, symmetries=symmetries) for t in trained])[:, 0]
    density = maps.mean(0).numpy()
    uncertainty = maps.std(0, correction=1).numpy() if len(maps) > 1 else None

    out = given.out or Path("runs/reconstruct") / given.config.name
    open_run(out, dump(settings), resume=given.resume, force=given.force)
    numbers: dict[str, Any] = {
        "run": str(given.config),
        "signals": [m.origin for m in measurements],
        "sources": [m.source for m in measurements],
        "reconstructions": len(maps),
        "density_min": float(density.min()),
        "density_max": float(density.max()),
        "uncertainty_mean": None if uncertainty is None else float(uncertainty.mean()),
        **_misfit(first, signals, density, measurements, settings),
    }
    with (
        atomic(out / "reconstruction.h5") as temporary,
        h5py.File(temporary, "w") as file,
    ):
        file["density"] = density
        if uncertainty is not None:
            file["uncertainty"] = uncertainty
        for name in file:
            file[name].attrs["units"] = "g/cm^3"
            file[name].attrs["axes"] = "y, x; row 0 = bottom"
    save(reconstruction(density, uncertainty), out / "reconstruction.png")
    write_json(out / "reconstruction.json", numbers)
    write_json(out / "run.json", provenance())
    print(f"density between {density.min():.3g} and {density.max():.3g} g/cm³: {out}")
    if numbers["data_misfit"] is not None:
        print(f"simulated again it gives the signals up to {numbers['data_misfit']:.2%}")
    return OK


def _calibrated(
    signals: NDArray[np.float32],
    trained: "Trained",
    refinement: int,
    measurements: list[Measurement],
    settings: ReconstructSettings,
) -> NDArray[np.float32]:
    """Return the signals as the grid of the training data would have given them."""
    if not (settings.calibration_maps and trained.card.campaign):
        return signals
    ours = campaign_of(trained.card, "campaign in the checkpoint")
    if refinement == ours.refinement:
        return signals
    given = measurements[0].times
    lines = calibrate(ours, refinement, given, trained.times, settings.calibration_maps)
    rows = [trained.model.layout.sources.index(m.source) for m in measurements]
    changed = signals.copy()
    changed[rows] = lines(signals)[rows]
    return changed


def _misfit(
    trained: "Trained",
    signals: NDArray[np.float32],
    density: NDArray[np.float32],
    measurements: list[Measurement],
    settings: ReconstructSettings,
) -> dict[str, float | None]:
    """Simulate the reconstruction as the training data were and compare with the signals."""
    from opalux.jobs.inversion.metrics import LOWEST, data_misfit
    from opalux.learning.data.resampler import resample

    if not (settings.simulate and trained.card.campaign):
        return {"data_misfit": None}
    campaign = campaign_of(trained.card, "campaign in the checkpoint")
    low, high = campaign.problem.cells.x
    whole = np.tile([low, high], (len(campaign.sources), 1))
    simulated = simulate_sources(campaign, np.maximum(density, LOWEST).astype(np.float32), whole)
    again = resample(simulated, campaign.times, trained.times)
    rows = [trained.model.layout.sources.index(m.source) for m in measurements]
    return {"data_misfit": data_misfit(again[rows], signals[rows])}


if __name__ == "__main__":
    raise SystemExit(main())
