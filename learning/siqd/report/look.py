"""Names and colours of a study in pictures and tables."""

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from numpy.typing import NDArray

from opalux.learning.siqd.study import silicon
from opalux.learning.siqd.study.study import Study


def label(study: Study, column: str) -> str:
    """Return the label of a column on an axis, with its unit where it is known."""
    if study.settings.preset:
        return silicon.LABELS.get(column, column)
    subject = study.prepared.subject
    return f"{column} [{subject.unit}]" if column == subject.property and subject.unit else column


def short(study: Study, column: str) -> str:
    """Return the label of a column without its unit."""
    return label(study, column).split(" [")[0]


def class_colours(study: Study) -> list[str]:
    """Return a colour for each class of the property."""
    names = study.prepared.classes.names
    if study.settings.preset:
        return [silicon.COLOURS.get(name, "#888888") for name in names]
    return [to_hex(colormaps["viridis"](x)) for x in np.linspace(0.0, 0.92, len(names))]


def canvas(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Figure, NDArray]:
    """Return a figure of the given size [inch] and its axes (rows, columns)."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)
