"""Settings: finite numbers, no true or false for a number, paths from where they were given."""

import typing
from pathlib import Path

import pydantic
import pytest

from opalux.base.config import apply_overrides, check
from opalux.base.errors import InputError
from opalux.base.settings import Settings, SettingsPath


class Inner(Settings):
    count: int = 1


class Disc(Settings):
    kind: typing.Literal["disc"]
    radius: float = 1.0


class Square(Settings):
    kind: typing.Literal["square"]
    side: float = 1.0


class Example(Settings):
    count: int | None = None
    sizes: tuple[int, ...] = ()
    share: typing.Annotated[float, pydantic.Field(ge=0)] = 0.0
    kind: typing.Literal[1, 2] = 1
    flag: bool = False
    maybe: bool | None = None
    anything: dict[str, typing.Any] = pydantic.Field({})
    inner: Inner = Inner()
    file: SettingsPath | None = None
    several: tuple[typing.Annotated[Disc | Square, pydantic.Field(discriminator="kind")], ...] = (
        pydantic.Field((), min_length=1)
    )


def read(**data):
    return check(Example, data, source="x.yaml", folder=Path("/somewhere"))


@pytest.mark.parametrize(
    "data",
    [
        {"count": True},
        {"sizes": [1, True]},
        {"share": False},
        {"kind": True},
        {"inner": {"count": True}},
    ],
)
def test_true_is_not_taken_for_a_number(data):
    with pytest.raises(InputError, match="true or false"):
        read(**data)


def test_true_is_taken_where_a_truth_is_meant():
    found = read(flag=True, maybe=True, anything={"deep": [True]})
    assert found.flag is True
    assert found.maybe is True
    assert found.anything == {"deep": [True]}


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_numbers_that_are_not_finite_are_refused(value):
    with pytest.raises(InputError, match=r"share: .*finite"):
        read(share=value)


def test_a_path_is_relative_to_its_file_or_to_the_folder_where_it_was_typed(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert read(file="a.csv").file == Path("/somewhere/a.csv")
    data: dict[str, typing.Any] = {}
    apply_overrides(data, ["file=a.csv"])
    assert read(**data).file == tmp_path / "a.csv"
    assert Example(file="a.csv").file == Path("a.csv")


def test_a_tilde_is_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read(file="~/a.csv").file == tmp_path / "a.csv"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"inner": 3}, "inner: found 3, expected keys below it: count"),
        ({"sizes": 3}, "sizes: found 3, expected a list"),
        ({"several": []}, "several: found [], expected at least 1 in the list"),
        ({"several": [{}]}, "several.0: found {}, expected keys below it, with 'kind' among them"),
        (
            {"several": [{"kind": "d"}]},
            "several.0.kind: found 'd', expected one of 'disc', 'square'",
        ),
    ],
)
def test_messages_speak_of_the_file_not_of_python(data, message):
    with pytest.raises(InputError) as refused:
        read(**data)
    assert str(refused.value) == f"x.yaml: {message}"
