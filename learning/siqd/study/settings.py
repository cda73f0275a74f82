"""Settings of the study, the search and the comparison of clusterers.

Nothing here imports scikit-learn or SciPy, so that a command line can be checked at once.
"""

from typing import Any, Literal, Self, get_args

import numpy as np
import pydantic
from pydantic import PositiveFloat, PositiveInt

from opalux.base.settings import Settings
from opalux.learning.siqd.clustering.width import count_of
from opalux.learning.siqd.dots.settings import StructureSettings, TableSettings
from opalux.learning.siqd.study import published
from opalux.learning.siqd.study.silicon import BAND_LIMITS, dots
from opalux.learning.siqd.study.subject import Subject

Activation = Literal["identity", "logistic", "tanh", "relu"]
Schedule = Literal["constant", "invscaling", "adaptive"]


class PreparationSettings(Settings):
    """How the table is prepared."""

    shortest: float = pydantic.Field(BAND_LIMITS[0], ge=0)
    """Dots of shorter wavelength are left out [nm]."""
    longest: float = pydantic.Field(BAND_LIMITS[-1], gt=0)
    """Dots of longer wavelength are left out, because they have no colour [nm]."""
    scale_before_cut: bool = True
    """Compute the scaling from all rows, also those left out; the paper's order."""

    @pydantic.model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.shortest >= self.longest:
            raise ValueError(
                f"shortest is {self.shortest:g} and longest {self.longest:g}, expected a longer one"
            )
        return self


class NetworkSettings(Settings):
    """A multi-layer perceptron, trained by L-BFGS."""

    activation: Activation = "relu"
    """Activation function of the hidden layers, under scikit-learn's names."""
    layers: tuple[PositiveInt, ...] = pydantic.Field((10,), min_length=1)
    """Units of each hidden layer."""
    alpha: PositiveFloat = 0.1
    """L2 penalty."""
    max_iter: PositiveInt = 300
    """Most iterations."""

    @property
    def parameters(self) -> dict[str, Any]:
        """Hyper-parameters under scikit-learn's names."""
        return {
            "activation": self.activation,
            "hidden_layer_sizes": self.layers,
            "alpha": self.alpha,
            "max_iter": self.max_iter,
        }


class StudySettings(Settings):
    """Choices of the study; without a subject, those of the paper on silicon quantum dots."""

    subject: Subject | None = None
    """What is studied; left out: silicon quantum dots, as in the paper."""
    data: TableSettings = TableSettings()
    preparation: PreparationSettings = PreparationSettings()
    p: int | float | None = pydantic.Field(None, gt=0)
    """Iterative Label Spreading: least size of a class, a count of rows or, below 1, a share. Left
    out: 15 dots in the preset, 5 % of the rows elsewhere."""
    method: Literal["published", "jumps"] | None = None
    """Its rule. Left out: the published one in the preset, `jumps` elsewhere."""
    least: int | float | None = pydantic.Field(None, gt=0)
    """Smaller structure classes are merged with a neighbour; left out: as the rule does."""
    other_p: tuple[PositiveInt, ...] = (6, 8, 10, 12, 15, 18, 20, 25, 30)
    """Other widths at which the clusters are counted."""
    clusterers: tuple[Literal["published", "jumps", "HDBSCAN", "k-means"], ...] | None = None
    """Other clusterers whose classes are compared with the structure classes. Left out: all four
    in the preset, HDBSCAN and k-means elsewhere."""
    networks: dict[Literal["classes", "clusters", "property"], NetworkSettings] = pydantic.Field(
        default_factory=dict
    )
    """Networks for the property's classes, the structure classes and the property. Left out: the
    published ones in the preset, one layer of ten units elsewhere."""
    models: tuple[Literal["forest", "linear"], ...] = ("forest", "linear")
    """Other models that are compared with the networks."""
    repeats: int = pydantic.Field(20, ge=5, le=1000)
    """Splits, each with its own seed of the network, over which every score is spread."""
    nulls: int = pydantic.Field(20, ge=5, le=1000)
    """Splits with the property shuffled over the rows."""
    folds: int = pydantic.Field(10, ge=2, le=50)
    """Folds of the cross-validation."""
    curve_sizes: int = pydantic.Field(8, ge=2, le=50)
    """Points of the learning curves."""
    largest_shift: PositiveFloat | None = None
    """The limits between classes are moved by up to this much, in both directions [unit of the
    property]. Left out: 30 nm in the preset, a quarter of the property's range of quartiles
    elsewhere."""
    shifts: int = pydantic.Field(11, ge=3)
    """How many shifts are tried; an odd number includes the classes themselves."""
    seed: int = pydantic.Field(42, ge=0)
    """Seed of the 80/20 split, the folds and the networks."""

    @pydantic.field_validator("p", "least")
    @classmethod
    def _count_or_share(cls, p: float | None) -> float | None:
        if p is not None:
            count_of(p, published.N_KEPT)
        return p

    @property
    def preset(self) -> bool:
        """Whether this is the study of the paper."""
        return self.subject is None

    @property
    def studied(self) -> Subject:
        """The subject, or the dots of the preset."""
        return self.subject or dots(self.preparation.shortest, self.preparation.longest)

    @property
    def width(self) -> float:
        """The p of Iterative Label Spreading."""
        return self.p or (published.ILS_P if self.preset else 0.05)

    @property
    def compared(self) -> tuple[str, ...]:
        """The clusterers to compare with."""
        if self.clusterers is not None:
            return self.clusterers
        return (*(("published", "jumps") if self.preset else ()), "HDBSCAN", "k-means")

    @property
    def rule(self) -> str:
        """The rule of Iterative Label Spreading."""
        return self.method or ("published" if self.preset else "jumps")

    @pydantic.model_validator(mode="after")
    def _one_description(self) -> Self:
        if self.subject is not None and self.data.file is None and self.data.example is None:
            raise ValueError(
                "the subject has no table; give data.file, or data.example for a public one"
            )
        if self.subject is None and self.data.example is not None:
            raise ValueError(
                f"data.example is {self.data.example!r}, which are no silicon quantum dots; "
                "describe it by `subject`, as configs/siqd/wine.yaml does"
            )
        return self


class Space(Settings):
    """Where hyper-parameters are drawn from, and how trials are scored."""

    activations: tuple[Activation, ...] = pydantic.Field(get_args(Activation), min_length=1)
    """Activation functions of the hidden layers, under scikit-learn's names."""
    depth: tuple[PositiveInt, PositiveInt] = (1, 3)
    """Smallest and largest number of hidden layers."""
    width: tuple[PositiveInt, PositiveInt] = (2, 10)
    """Smallest and largest number of units in a layer."""
    alpha: tuple[PositiveFloat, PositiveFloat] = (1e-4, 10.0)
    """L2 penalty, uniform on a logarithmic scale."""
    max_iter: tuple[PositiveInt, PositiveInt] = (200, 300)
    """Smallest and largest number of iterations."""
    learning_rates: tuple[Schedule, ...] = pydantic.Field(get_args(Schedule), min_length=1)
    """For comparison with the paper only: L-BFGS has no learning rate."""
    folds: int = pydantic.Field(5, ge=2, le=20)
    """Folds of the training part over which a trial is scored."""
    seed: int = pydantic.Field(0, ge=0)
    """Of the draws."""

    @pydantic.field_validator("depth", "width", "alpha", "max_iter")
    @classmethod
    def _in_order(cls, ends: tuple[float, float]) -> tuple[float, float]:
        if ends[0] > ends[1]:
            raise ValueError(f"found {list(ends)}, expected [least, most]")
        return ends

    def draw(self, trial: int) -> dict[str, Any]:
        """Return the hyper-parameters of a trial, under scikit-learn's names."""
        rng = np.random.default_rng([self.seed, trial])
        depth = rng.integers(self.depth[0], self.depth[1] + 1)
        layers = rng.integers(self.width[0], self.width[1] + 1, size=depth)
        return {
            "hidden_layer_sizes": tuple(int(width) for width in layers),
            "activation": str(rng.choice(self.activations)),
            "alpha": float(10.0 ** rng.uniform(*np.log10(self.alpha))),
            "max_iter": int(rng.integers(self.max_iter[0], self.max_iter[1] + 1)),
            "learning_rate": str(rng.choice(self.learning_rates)),
        }


class SearchSettings(Settings):
    """Random search for the hyper-parameters of each network."""

    trials: int = pydantic.Field(5000, ge=1)
    """Trials for each of the three tasks."""
    space: Space = Space()
    chunk: int = pydantic.Field(10, ge=1)
    """Trials of one task of a worker."""
    chunks_a_round: int = pydantic.Field(50, ge=1)
    """Chunks that start from the same best trial; the next round starts from the best of all."""
    yardstick: int = pydantic.Field(0, ge=0)
    """Trials that scikit-learn's RandomizedSearchCV repeats, to compare times."""


class PeersSettings(Settings):
    """Comparison of clusterers on sets of points."""

    points: int = pydantic.Field(500, ge=100, le=20000)
    """Points of each set."""


class SiqdSettings(StudySettings):
    """A whole run: the study, the making of a set, the search, the comparison of clusterers."""

    rebuild: StructureSettings | None = None
    """Make this set instead of reading a table."""
    search: SearchSettings | None = None
    """Search for other hyper-parameters than the published ones."""
    peers: PeersSettings | None = None
    """Compare clusterers on usual sets of points. Left out: in the preset only; null: never."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def _peers_of_the_preset(cls, data: Any) -> Any:
        if isinstance(data, dict) and "peers" not in data and data.get("subject") is None:
            return {**data, "peers": {}}
        return data

    @pydantic.model_validator(mode="after")
    def _one_set(self) -> Self:
        if self.rebuild is not None and self.data.file is not None:
            raise ValueError("give either rebuild or data.file: each names the set to study")
        if self.rebuild is not None and self.subject is not None:
            raise ValueError("rebuild makes silicon quantum dots; leave out subject")
        return self
