"""What the models see: columns kept and dropped, outliers cut, features scaled to 0-1."""

import dataclasses

import numpy as np
import pydantic
from numpy.typing import NDArray
from scipy.stats import skew
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler

from opalux.base.errors import InputError
from opalux.base.settings import Settings
from opalux.learning.siqd.dots.table import FEATURES, OPTIONAL, DotTable
from opalux.learning.siqd.study.classify import BAND_LIMITS


class Preparation(Settings):
    """How the table is made ready."""

    shortest: float = pydantic.Field(400.0, ge=0)
    """Dots of shorter wavelength are left out [nm]."""
    longest: float = pydantic.Field(BAND_LIMITS[-1], gt=0)
    """Dots of longer wavelength are left out: they have no colour [nm]."""
    scale_before_cut: bool = False
    """Whether scaling sees the dots that are left out afterwards (the paper does not say)."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Correlations:
    """Pairwise correlations and skews of the columns.

    Attributes
    ----------
    names : column names, those of ``FEATURES`` first (m,)
    matrix : Pearson correlations (m, m)
    skews : third standardised moments (m,)
    """

    names: tuple[str, ...]
    matrix: NDArray[np.float64]
    skews: NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Drop:
    """A column the study does without.

    Attributes
    ----------
    name : the column
    partner : the feature that stands for it
    correlation : of the two, in this table
    """

    name: str
    partner: str
    correlation: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prepared:
    """The dots as the models see them.

    Attributes
    ----------
    table : dots kept
    left_out : dots cut as outliers
    features : (n, 6) in the order of ``FEATURES``, each from 0 to 1
    """

    table: DotTable
    left_out: DotTable
    features: NDArray[np.float64]

    @property
    def wavelength(self) -> NDArray[np.float64]:
        """Wavelength [nm], (n,)."""
        return self.table.wavelength


def scaler() -> Pipeline:
    """The published scaling.  The second step undoes the first but for rounding."""
    return make_pipeline(RobustScaler(), MinMaxScaler())


def prepare(table: DotTable, how: Preparation) -> Prepared:
    """Cut the outliers and scale the features."""
    kept = (table.wavelength >= how.shortest) & (table.wavelength < how.longest)
    if kept.sum() < 50:
        raise InputError(
            f"{table.origin}: {kept.sum()} dots from {how.shortest:g} to {how.longest:g} nm; "
            "expected at least 50 to train and test on; widen `preparation` or give a larger table"
        )
    seen = table.features if how.scale_before_cut else table.features[kept]
    features = scaler().fit(seen).transform(table.features[kept])
    return Prepared(table=table.where(kept), left_out=table.where(~kept), features=features)


def correlations(table: DotTable) -> Correlations:
    """Correlations and skews of all the columns of the table, constant ones left out."""
    names = [*FEATURES, *(name for name in OPTIONAL if name in table.columns), "wavelength"]
    names = [name for name in names if np.ptp(table.columns[name]) > 0]
    values = np.column_stack([table.columns[name] for name in names])
    return Correlations(
        names=tuple(names), matrix=np.atleast_2d(np.corrcoef(values.T)), skews=skew(values, axis=0)
    )


def drops(found: Correlations) -> list[Drop]:
    """The columns of ``OPTIONAL``, each with the feature it is most correlated with."""
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
