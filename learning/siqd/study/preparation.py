"""Prepare the table for the models: drop columns, cut outliers, scale features to 0-1."""

import dataclasses

import numpy as np
from numpy.typing import NDArray
from scipy.stats import skew
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler

from opalux.base.errors import InputError
from opalux.learning.siqd.dots.columns import FEATURES, OPTIONAL
from opalux.learning.siqd.dots.table import DotTable
from opalux.learning.siqd.study.settings import PreparationSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class Correlations:
    """Pairwise correlations and skews of the columns.

    Attributes
    ----------
    names : of the columns, first those of ``FEATURES`` (m,)
    matrix : Pearson correlations (m, m)
    skews : third standardised moments (m,)
    """

    names: tuple[str, ...]
    matrix: NDArray[np.float64]
    skews: NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Drop:
    """A column that the study does not use.

    Attributes
    ----------
    name : the column
    partner : the feature that replaces it
    correlation : of the two, in this table
    """

    name: str
    partner: str
    correlation: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prepared:
    """The dots as input of the models.

    Attributes
    ----------
    table : of the dots that are kept
    left_out : table of the dots that are cut as outliers
    features : in the order of ``FEATURES``, each from 0 to 1 (n, 6)
    """

    table: DotTable
    left_out: DotTable
    features: NDArray[np.float64]

    @property
    def wavelength(self) -> NDArray[np.float64]:
        """Wavelength (n,) [nm]."""
        return self.table.wavelength


def scaler() -> Pipeline:
    """Return the published scaling; the second step undoes the first, except for rounding."""
    return make_pipeline(RobustScaler(), MinMaxScaler())


def prepare(table: DotTable, settings: PreparationSettings) -> Prepared:
    """Cut the outliers and scale the features.

    Raises
    ------
    InputError
        When fewer than 50 dots are left.
    """
    kept = (table.wavelength >= settings.shortest) & (table.wavelength < settings.longest)
    if kept.sum() < 50:
        raise InputError(
            f"{table.origin}: found {kept.sum()} dots from {settings.shortest:g} to "
            f"{settings.longest:g} nm, expected at least 50 to train and test on; widen "
            "`preparation` or give a larger table"
        )
    seen = table.features if settings.scale_before_cut else table.features[kept]
    features = scaler().fit(seen).transform(table.features[kept])
    return Prepared(table=table.where(kept), left_out=table.where(~kept), features=features)


def correlations(table: DotTable) -> Correlations:
    """Return correlations and skews of all columns that are not constant."""
    names = [*FEATURES, *(name for name in OPTIONAL if name in table.columns), "wavelength"]
    names = [name for name in names if np.ptp(table.columns[name]) > 0]
    values = np.column_stack([table.columns[name] for name in names])
    return Correlations(
        names=tuple(names), matrix=np.atleast_2d(np.corrcoef(values.T)), skews=skew(values, axis=0)
    )


def drops(found: Correlations) -> list[Drop]:
    """Return the columns of ``OPTIONAL``, each with the feature of the strongest correlation."""
    kept = [i for i, name in enumerate(found.names) if name in FEATURES]
    made = []
    for name in OPTIONAL:
        if name in found.names:
            row = found.matrix[found.names.index(name), kept]
            best = int(np.argmax(np.abs(row)))
            made.append(
                Drop(name=name, partner=found.names[kept[best]], correlation=float(row[best]))
            )
    return made
