"""An animation of a run's snapshots: E, |F| and T side by side, as GIF or MP4."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FFMpegWriter
from PIL import Image

from opalux.base.axes import QUANTITIES, flux_magnitude
from opalux.base.files import atomic
from opalux.base.plots import COLOURS, LABELS
from opalux.jobs.simulation.pictures import SHOWN_CELLS
from opalux.solver.files.snapshots import Snapshots

FRAMES_PER_SECOND = 10


def ffmpeg_is_there() -> bool:
    """Return whether an MP4 can be written on this machine."""
    return bool(FFMpegWriter.isAvailable())


def animate(snapshots: Path, path: Path) -> None:
    """Draw the snapshots one after the other, with the same colour scale in all frames.

    Parameters
    ----------
    snapshots : snapshots.h5
    path : the animation; its suffix, .gif or .mp4, decides on the format
    """
    figure = plt.figure(figsize=(12, 3.6), dpi=80, layout="compressed")
    with Snapshots(snapshots) as shown, atomic(path) as temporary:
        if path.suffix == ".mp4":
            writer = FFMpegWriter(FRAMES_PER_SECOND, extra_args=["-pix_fmt", "yuv420p"])
            with writer.saving(figure, str(temporary), dpi=figure.dpi):
                for _ in _frames(shown, figure):
                    writer.grab_frame()
        else:
            frames = _indexed_images(shown, figure)
            next(frames).save(
                temporary,
                format="GIF",
                save_all=True,
                append_images=frames,
                duration=1000 // FRAMES_PER_SECOND,
                loop=0,
            )
    plt.close(figure)


def _frames(shown: Snapshots, figure: Any) -> Iterator[None]:
    """Draw one snapshot after the other into ``figure``."""
    times, grid = shown.times, shown.grid
    decimals = max(0, 3 - math.floor(math.log10(times[-1])))
    images = {}
    axes = figure.subplots(1, len(QUANTITIES))
    for axis, name in zip(axes, QUANTITIES, strict=True):
        low, high = _limits(shown, name)
        images[name] = axis.imshow(
            _field(shown, 0, name),
            origin="lower",
            extent=(*grid.x, *grid.y),
            cmap=COLOURS[name],
            vmin=low,
            vmax=high,
        )
        figure.colorbar(images[name], ax=axis, label=LABELS[name])
        axis.set(xlabel=LABELS["x"], ylabel=LABELS["y"])
    title = figure.suptitle("t")
    for n, t in enumerate(times):
        for name, image in images.items():
            image.set_data(_field(shown, n, name))
        title.set_text(f"t = {t:.{decimals}f} sh")
        yield


def _indexed_images(shown: Snapshots, figure: Any) -> Iterator[Image.Image]:
    """Yield the frames in the 256 colours of a GIF, the same for all, so that none flickers."""
    palette = Image.new("P", (1, 1))
    palette.putpalette(_palette().tobytes())
    for _ in _frames(shown, figure):
        figure.canvas.draw()
        pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        yield picture.quantize(palette=palette, dither=Image.Dither.NONE)


def _palette() -> np.ndarray:
    """Return 72 colours of each colour map and 40 greys for all else, (256, 3) uint8."""
    maps = [
        matplotlib.colormaps[COLOURS[name]](np.linspace(0, 1, 72))[:, :3] for name in QUANTITIES
    ]
    greys = np.repeat(np.linspace(0, 1, 256 - 72 * len(maps))[:, None], 3, axis=1)
    return np.rint(255 * np.concatenate([*maps, greys])).astype(np.uint8)


def _field(shown: Snapshots, n: int, name: str) -> np.ndarray:
    """Return E, |F| or T of snapshot ``n``, with as many cells as a picture can show."""
    values = shown.field(n, name, at_most=SHOWN_CELLS)
    return flux_magnitude(values) if name == "F" else values


def _limits(shown: Snapshots, name: str) -> tuple[float, float]:
    """Return the least and the greatest value over all snapshots."""
    fields = (_field(shown, n, name) for n in range(len(shown.times)))
    ends = [(values.min(), values.max()) for values in fields]
    return min(low for low, _ in ends), max(high for _, high in ends)
