"""YAML: numbers and words mean what people read in them, and no text is larger than it looks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opalux.base.errors import InputError
from opalux.base.yaml_text import parse_yaml, to_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0100", 100),
        ("0o100", 64),
        ("0x10", 16),
        ("-017", -17),
        ("1:04", "1:04"),
        ("1e-3", 1e-3),
        ("1.5E+2", 150.0),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("~", None),
        ("", None),
        ("2026-11-25", "2026-11-25"),
        ("1_000", "1_000"),
    ],
)
def test_plain_values_are_those_of_yaml_1_2(text, value):
    found = parse_yaml(f"key: {text}", "here")["key"]
    assert found == value
    assert type(found) is type(value)


def test_merge_keys_are_merged_and_explicit_keys_win():
    text = "base: &b {nx: 1, ny: 2}\ngrid: {<<: *b, ny: 3}"
    assert parse_yaml(text, "here")["grid"] == {"nx": 1, "ny": 3}


def test_a_key_that_stands_twice_is_refused():
    with pytest.raises(InputError, match="here, line 2: key 'a' stands twice"):
        parse_yaml("a: 1\na: 2", "here")


def test_a_billion_laughs_are_refused_before_they_are_expanded():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with pytest.raises(InputError, match="stand for more than"):
        parse_yaml("\n".join(lines), "bomb.yaml")


def test_merge_keys_cannot_hide_a_billion_laughs():
    lines = ["a0: &a0 {k: v}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 12)]
    with pytest.raises(InputError, match="stand for more than"):
        parse_yaml("\n".join(lines), "bomb.yaml")


@pytest.mark.parametrize("depth", [101, 100_000])
def test_deep_nesting_is_refused(depth):
    with pytest.raises(InputError, match="nested"):
        parse_yaml("a: " + "[" * depth + "]" * depth, "deep.yaml")


def test_a_structure_that_holds_itself_is_refused():
    with pytest.raises(InputError, match="holds itself"):
        parse_yaml("a: &a [*a]", "here")


# PyYAML folds rare separators of lines (U+0085, U+2028) into spaces: none of ours.
WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=12)
PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    WORDS,
    st.sampled_from(["0100", "1e3", "1e-3", "no", "true", "1:04", "~", "<<", ".5", "0o7", "-"]),
)


@given(st.dictionaries(WORDS, st.lists(PLAIN, max_size=4), max_size=4))
def test_what_is_written_is_read_back_the_same(content):
    found = parse_yaml(to_yaml(content), "here")
    assert found == content
    assert repr(found) == repr(content)
