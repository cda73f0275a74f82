"""Prepare the table for the models: drop columns, cut outliers, scale features to 0-1."""

import dataclasses

import numpy as np
from numpy.typing import NDArray
from scipy.stats import skew
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler

from opalux.base.errors import InputError
from opalux.learning.siqd.study.property_classes import PropertyClasses, classes_of
from opalux.learning.siqd.study.subject import Subject
from opalux.learning.siqd.tables.table import Table

LEAST_ROWS = 50


@dataclasses.dataclass(frozen=True, kw_only=True)
class Correlations:
    """Pairwise correlations and skews of the columns.

    Attributes
    ----------
    names : of the columns, first the features (m,)
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
    """The rows as input of the models.

    Attributes
    ----------
    table : of the rows that are kept
    left_out : table of the rows that are cut as outliers
    subject : what they are
    classes : of the property
    features : in the order of ``subject.features`` (n, d); each from 0 to 1 over the rows that
        the scaling has seen
    """

    table: Table
    left_out: Table
    subject: Subject
    classes: PropertyClasses
    features: NDArray[np.float64]

    @property
    def values(self) -> NDArray[np.float64]:
        """The property (n,)."""
        return self.table.columns[self.subject.property]

    @property
    def labels(self) -> NDArray[np.int64]:
        """Class of the property of each row (n,), as a position in ``classes.names``."""
        return self.classes.of(self.values)


def scaler() -> Pipeline:
    """Return the published scaling; the second step undoes the first, except for rounding."""
    return make_pipeline(RobustScaler(), MinMaxScaler())


def prepare(table: Table, subject: Subject, *, scale_before_cut: bool = True) -> Prepared:
    """Cut the outliers and scale the features.

    Parameters
    ----------
    table : of all rows
    subject : names the features, the property and the limits of its classes
    scale_before_cut : compute the scaling from all rows, also those that are cut

    Raises
    ------
    InputError
        When fewer than 50 rows are left.
    """
    values = table.columns[subject.property]
    kept = np.ones(len(table), dtype=bool)
    if subject.limits is not None:
        kept = (values >= subject.limits[0]) & (values < subject.limits[-1])
    if kept.sum() < LEAST_ROWS:
        within = f"from {subject.limits[0]:g} to {subject.limits[-1]:g} " if subject.limits else ""
        raise InputError(
            f"{table.origin}: found {kept.sum()} {subject.rows} {within}{subject.unit}, expected "
            f"at least {LEAST_ROWS} to train and test on; widen the limits (`preparation` of the "
            "preset, `subject.limits`) or give a larger table"
        )
    rows = table.where(kept)
    features = table.side_by_side(subject.features)
    seen = features if scale_before_cut else features[kept]
    return Prepared(
        table=rows,
        left_out=table.where(~kept),
        subject=subject,
        classes=classes_of(subject, values[kept], table.origin),
        features=scaler().fit(seen).transform(features[kept]),
    )


def correlations(table: Table, subject: Subject) -> Correlations:
    """Return correlations and skews of all columns that are not constant."""
    dropped = [name for name in subject.dropped if name in table.columns]
    names = [*subject.features, *dropped, subject.property]
    names = [name for name in names if np.ptp(table.columns[name]) > 0]
    values = table.side_by_side(names)
    return Correlations(
        names=tuple(names), matrix=np.atleast_2d(np.corrcoef(values.T)), skews=skew(values, axis=0)
    )


def drops(found: Correlations, subject: Subject) -> list[Drop]:
    """Return the dropped columns, each with the feature of the strongest correlation."""
    kept = [i for i, name in enumerate(found.names) if name in subject.features]
    made = []
    for name in subject.dropped:
        if name in found.names:
            row = found.matrix[found.names.index(name), kept]
            best = int(np.argmax(np.abs(row)))
            made.append(
                Drop(name=name, partner=found.names[kept[best]], correlation=float(row[best]))
            )
    return made
