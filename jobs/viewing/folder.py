"""Which scene a folder of results shows."""

from pathlib import Path

from opalux.base.errors import InputError, OpaluxError
from opalux.jobs.viewing.scene import Scene

DAMAGE = (OSError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What reading results raises where something lacks in them, or is of another kind or shape."""


def scene_of(folder: Path) -> Scene:
    """Return the scene of a folder.

    Raises
    ------
    InputError
        When it holds no results that can be shown, or they cannot be read.
    """
    try:
        return _scene_of(folder)
    except OpaluxError:
        raise
    except DAMAGE as error:
        what = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{folder}: found results that are damaged or not complete ({what}); run the command "
            "that made them again, with --force"
        ) from None


def _scene_of(folder: Path) -> Scene:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give a folder of results")
    # Each is imported when it is needed: a training run alone needs torch.
    if (folder / "solution.h5").is_file():
        from opalux.jobs.viewing.solution import SolutionScene

        return SolutionScene(folder)
    if (folder / "inversion.h5").is_file() or (folder / "reconstruction.h5").is_file():
        from opalux.jobs.viewing.inversion import InversionScene

        return InversionScene(folder)
    if (folder / "best.ckpt").is_file() or (folder / "last.ckpt").is_file():
        from opalux.jobs.viewing.training import TrainingScene

        return TrainingScene(folder)
    if (folder / "dataset.yaml").is_file():
        from opalux.jobs.viewing.data_set import DataSetScene

        return DataSetScene(folder)
    raise InputError(
        f"{folder}: found nothing to show, expected solution.h5 (solve), dataset.yaml (sample), "
        "best.ckpt (train), inversion.h5 (invert) or reconstruction.h5 (reconstruct)"
    )
