"""Every key of every configuration can be looked up, with its type, unit, default and meaning."""

from typing import Annotated, Literal

import pydantic
import pytest

from opalux.base.command_line import settings_of
from opalux.base.errors import InputError
from opalux.base.key_list import key_list
from opalux.base.keys import REQUIRED, keys_of, walk
from opalux.base.settings import Settings
from opalux.jobs.starting.models import MODELS


class Pulse(Settings):
    """A pulse."""

    kind: Literal["pulse"] = "pulse"
    height: float
    """Its height [keV]."""


class Table(Settings):
    """A table."""

    kind: Literal["table"]


class Inner(Settings):
    """What is inside.

    Attributes
    ----------
    a, b : how much
    """

    a: int = 1
    b: int = 2


class Outer(Settings):
    """An example."""

    nx: int | None = pydantic.Field(None, gt=0)
    ny: int | None = pydantic.Field(None, gt=0)
    """Cells along x and y."""
    seed: int = 3
    mode: Literal["fast", "exact"] = "fast"
    """How."""
    inner: Inner = Inner()
    signal: Annotated[Pulse | Table, pydantic.Field(discriminator="kind")] = Pulse(height=1.0)
    pulses: tuple[Pulse, ...] = ()
    """Some."""


FOUND = {(key.path, key.choice): key for key in walk(Outer)}


@pytest.mark.parametrize("job", MODELS)
def test_every_key_has_a_meaning(job):
    if job == "train":
        pytest.importorskip("torch")
    mute = [key.path for key in walk(settings_of(MODELS[job])) if not key.meaning]
    assert not mute


def test_neighbours_of_one_type_share_the_text_below_the_last():
    assert FOUND["nx", ""].meaning == FOUND["ny", ""].meaning == "Cells along x and y."
    assert FOUND["seed", ""].meaning == ""


def test_the_attributes_of_a_docstring_are_meanings():
    assert FOUND["inner.a", ""].meaning == FOUND["inner.b", ""].meaning == "How much."
    assert FOUND["inner", ""].meaning == "What is inside."


def test_types_limits_units_and_defaults_are_told():
    assert FOUND["nx", ""].type == "whole number > 0 | null"
    assert FOUND["mode", ""].type == "fast | exact"
    height = FOUND["signal.height", "kind: pulse"]
    assert (height.unit, height.default) == ("[keV]", REQUIRED)
    assert FOUND["signal", ""].default == "{kind: pulse, height: 1.0}"
    assert FOUND["inner", ""].default == ""


def test_alternatives_and_entries_of_lists_have_places_of_their_own():
    assert ("signal.kind", "kind: table") in FOUND
    assert ("pulses.N.height", "") in FOUND


def test_the_list_below_a_prefix_is_that_part_alone():
    shown = key_list(Outer, "inner")
    assert "inner.a: whole number; default 1" in shown
    assert "pulses" not in shown


@pytest.mark.parametrize(
    ("prefix", "part"), [("iner", "did you mean inner"), ("zzz", "there are nx, ny, seed")]
)
def test_an_unknown_prefix_is_answered_by_known_keys(prefix, part):
    with pytest.raises(InputError, match=part):
        key_list(Outer, prefix)


def test_defaults_on_one_line_are_read_back_as_they_are():
    for key in keys_of(settings_of(MODELS["solve"])):
        assert "\n" not in key.default
