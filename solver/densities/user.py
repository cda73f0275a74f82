"""A family that the user wrote: a class in a Python file, or in a package that is installed."""

import functools
from typing import Any, Literal

import numpy as np
import pydantic

from opalux.base.errors import InputError
from opalux.base.settings import FOLDER, SettingsPath
from opalux.solver.densities.family import DensityMap, Drawn, Family, Stream
from opalux.solver.densities.user_code import class_of, file_of, hash_of

FROM_A_CARD = "from_a_card"
"""Key of the validation context: the settings come from a data set, which may be a stranger's."""

_PATH = pydantic.TypeAdapter(SettingsPath)


class UserFamily(Family):
    """Densities that a class of the user's draws.

    The class derives from `Family`; what it draws must follow from the stream alone. Its code runs
    when a configuration names it, and never because a data set does.

    Attributes
    ----------
    code : ``file.py:Class``, relative to the configuration file, or ``package.module:Class``
    settings : of that class
    sha256 : of the file with the class; filled in, so that no data set is continued with code that
        has changed since
    """

    kind: Literal["user"] = "user"
    code: str
    settings: dict[str, Any] = pydantic.Field({})
    sha256: str = ""
    _trusted: bool = pydantic.PrivateAttr(True)

    @pydantic.field_validator("code")
    @classmethod
    def _absolute(cls, code: str, info: pydantic.ValidationInfo) -> str:
        place, _, name = code.rpartition(":")
        if not (place and name.isidentifier()):
            raise ValueError(f"found '{code}', expected file.py:Class or package.module:Class")
        if not place.endswith(".py"):
            return code
        return f"{_PATH.validate_python(place, context=info.context).resolve()}:{name}"

    @pydantic.model_validator(mode="after")
    def _checked(self, info: pydantic.ValidationInfo) -> "UserFamily":
        if (info.context or {}).get(FROM_A_CARD):
            self._trusted = False
            return self
        found = hash_of(file_of(self.code))
        if self.sha256 not in ("", found):
            raise ValueError(
                f"found a change in {file_of(self.code)} since its sha256 was noted; put the old "
                "file back, or leave sha256 out"
            )
        # Frozen for everyone else: what was left out is filled in.
        self.__dict__["sha256"] = found
        _ = self.inner  # what is wrong with it is found before any work
        return self

    @functools.cached_property
    def inner(self) -> Family:
        """The user's family with its settings.

        Raises
        ------
        InputError
            When the family comes from the card of a data set.
        ValueError
            When there is no such class, or it does not take these settings.
        """
        if not self._trusted:
            raise InputError(
                f"family '{self.label}' is drawn by {self.code}, and no code is run because a data "
                "set names it; draw it with `opalux sample` and its configuration"
            )
        made = class_of(self.code, self.sha256)
        try:
            return made.model_validate(self.settings, context={FOLDER: file_of(self.code).parent})
        except pydantic.ValidationError as error:
            detail = error.errors()[0]
            where = ".".join(map(str, ("settings", *detail["loc"])))
            raise ValueError(f"{where}: {detail['msg'].removeprefix('Value error, ')}") from None

    @property
    def label(self) -> str:
        """See `Family.label`."""
        return self.name or self.code.rpartition(":")[2]

    @property
    def may_be_drawn(self) -> bool:
        """See `Family.may_be_drawn`."""
        return self._trusted

    @property
    def length(self) -> int | None:
        """See `Family.length`."""
        return self.inner.length if self._trusted else None

    @property
    def assumed(self) -> str:
        """See `Family.assumed`."""
        return self.inner.assumed

    def draw(self, stream: Stream, shape: tuple[int, int], index: int) -> tuple[DensityMap, Drawn]:
        """See `Family.draw`.

        Raises
        ------
        InputError
            When what the class drew is no density of that shape.
        """
        rho, drawn = self.inner.draw(stream, shape, index)
        rho = np.asarray(rho, dtype=np.float64)
        if rho.shape != shape or not (np.isfinite(rho).all() and (rho > 0).all()):
            raise InputError(
                f"family '{self.label}' drew an array {rho.shape} with values from "
                f"{rho.min(initial=np.inf):g} to {rho.max(initial=-np.inf):g}, expected {shape} of "
                "finite densities above 0 g/cm³"
            )
        return rho, drawn

    def __getstate__(self) -> dict[Any, Any]:
        """Leave the class out: other processes load it themselves."""
        state = super().__getstate__()
        kept = {name: value for name, value in state["__dict__"].items() if name != "inner"}
        return {**state, "__dict__": kept}
