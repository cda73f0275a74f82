"""The common arguments of all jobs, however they are spelled."""

import pytest

from opalux.base import command_line


@pytest.mark.parametrize(
    "spelled",
    [
        "run.yaml --set a=1 --set b.c=2",
        "run.yaml --set a=1 b.c=2",
        "--set a=1 b.c=2 run.yaml",
        "--set a=1 run.yaml --set b.c=2",
        "--set a=1 b.c=2 --resume run.yaml",
    ],
)
def test_set_takes_one_key_or_several(spelled: str) -> None:
    parsed = command_line.parser("solve", "", settings="a:b").parse_args(spelled.split())
    assert parsed.overrides == ["a=1", "b.c=2"]
    assert str(parsed.config) == "run.yaml"


def test_a_word_that_belongs_to_nothing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command_line.parser("solve", "", settings="a:b").parse_args(["run.yaml", "b=2"])
    assert ended.value.code == 2
    assert "b=2" in capsys.readouterr().err
