"""The page of the reports: escaped, whole in one file, numbers set as numbers."""

import base64
import html.parser
import re

import numpy as np
import pytest

from opalux.base.page import Page, bold, code

NASTY = "<script>alert('ρ & \"σ\"')</script>"
VOID = {"meta", "img"}


class Nesting(html.parser.HTMLParser):
    """Fails where a tag is closed that was not opened last."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag


def full_page() -> str:
    page = Page(NASTY, lead=NASTY)
    page.answers([NASTY], [NASTY, "b"], [NASTY])
    page.section(NASTY)
    page.text(NASTY, "second")
    page.note(NASTY)
    page.box(NASTY)
    page.points([NASTY, "b"])
    page.table(["name", NASTY], [[NASTY, 1.23456], ["b", 2]])
    page.figure(b"\x89PNG", NASTY)
    page.code(NASTY)
    return page.html()


def test_every_text_is_escaped():
    made = full_page()
    assert "<script" not in made
    assert made.count("&lt;script&gt;") == 16


def test_tags_are_closed_in_their_order():
    reader = Nesting()
    reader.feed(full_page())
    assert reader.stack == []


def test_nothing_is_loaded_from_outside_the_file():
    found = re.findall(r'(?:src|href)="([^"]*)"', full_page())
    assert found == ["data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()]


def test_the_first_questions_are_answered_in_their_order():
    page = Page("t")
    page.answers(["a map"], ["it is good", "mostly"], ["look at it"])
    made = page.html()
    found = re.findall(r"<h2>(.*?)</h2>|<p>(.*?)</p>", made)
    assert [one or other for one, other in found] == [
        "What you got",
        "a map",
        "What it means",
        "it is good",
        "mostly",
        "What next",
        "look at it",
    ]


def test_a_picture_says_what_it_shows_to_those_who_do_not_see_it():
    page = Page("t")
    page.figure(b"x", "caption")
    page.figure(b"x", "caption", alt="a disc")
    assert re.findall(r'alt="(.*?)"', page.html()) == ["caption", "a disc"]


def test_no_colour_is_fixed_against_dark_mode():
    rules = full_page().partition("<style>")[2].partition("</style>")[0]
    body = rules.partition("* {")[2].partition("@media print")[0]
    assert set(re.findall(r"#[0-9a-f]{3,6}", body)) == {"#fff"}  # behind pictures


def test_bold_and_code_mark_a_part_and_escape_it():
    page = Page("t")
    page.text("R² > " + bold("<0.9>") + " by " + code("a & b"))
    assert "<p>R² &gt; <b>&lt;0.9&gt;</b> by <code>a &amp; b</code></p>" in page.html()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.23456, "1.235"),
        (np.float32(0.5), "0.500"),
        (np.int64(7), "7"),
        (0.0, "0.000"),
        (0.0008, "0.001"),
        (1.5e-7, "1.5e-07"),
        (None, "—"),
        (float("nan"), "—"),
        (True, "yes"),
        ("1.50", "1.50"),
    ],
)
def test_a_cell_shows_its_value(value, shown):
    page = Page("t")
    page.table(["a"], [[value]])
    assert re.findall(r"<td[^>]*>(.*)</td>", page.html()) == [shown]


def test_columns_of_numbers_are_aligned_to_the_right():
    page = Page("t")
    page.table(["name", "share", "why"], [["a", "12 %", "1"], ["b", None, "two"]])
    made = page.html()
    assert re.findall(r"<th( .*?)?>(.*?)</th>", made) == [
        ("", "name"),
        (' class="number"', "share"),
        ("", "why"),
    ]
    assert made.count('<td class="number">') == 2


def test_a_table_without_titles_has_no_header():
    page = Page("t")
    page.table(["", ""], [["command", "opalux"]])
    assert "<thead>" not in page.html()


def test_rows_may_be_missing():
    page = Page("t")
    page.table(["a", "b"], [])
    assert "<th>b</th>" in page.html()
